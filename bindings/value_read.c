/*
 * A Lua value as a tree of the core. See value.h.
 *
 * Only Lua functions that cannot raise are used here (raw access, lua_next over tables that nobody
 * changes meanwhile), because a half-built tree hangs on the C stack. Cycles are found by comparing
 * each table with those around it, of which there are at most TAP_MAX_DEPTH.
 */
#include "value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/message.h"
#include "core/text.h"

enum { MAX_PATH_TEXT = 512 };

/* Where the walk is: the chain of steps from a node up to the root. */
struct step {
    const struct step *up;
    const void *table; /* the table that is read at this step */
    const char *key;   /* NULL: an element, at `index` */
    lua_Integer index;
};

/* A member whose turn comes when its siblings are sorted. */
struct member {
    const char *key; /* borrowed from the table, which keeps it */
    json_t *value;
};

struct reader {
    lua_State *L;
    struct tap_error *err;
    struct member *members; /* read and not yet in their objects: a stack shared by all levels */
    size_t n_members, cap_members;
    int depth;
    struct tap_buf scratch; /* a blob's base64 */
};

static json_t *read_value(struct reader *r, const struct step *at, struct tap_shape shape);

static void add_path(struct tap_buf *path, const struct step *at)
{
    if (!at)
        return;
    add_path(path, at->up);
    if (!at->key)
        tap_buf_printf(path, "[%lld]", (long long)at->index);
    else if (at->key[0] && strspn(at->key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                           "0123456789_") == strlen(at->key))
        tap_buf_printf(path, "%s%s", path->len ? "." : "", at->key);
    else
        tap_buf_printf(path, "[\"%s\"]", at->key);
}

/* "Parameters[2].x: <what>". Returns NULL for the caller to return. */
static json_t *refuse(struct reader *r, const struct step *at, const char *what)
{
    struct tap_buf path;
    tap_buf_init(&path, MAX_PATH_TEXT);
    add_path(&path, at);
    const char *where = path.overflow ? "(a very long path)" : tap_buf_text(&path);
    tap_fail(r->err, TAP_E_USAGE, "InvalidValue", "%s%s%s", where, *where ? ": " : "", what);
    tap_buf_fini(&path);
    return NULL;
}

static json_t *read_blob(struct reader *r, const char *bytes, size_t n)
{
    tap_buf_reset(&r->scratch);
    tap_base64_encode(&r->scratch, bytes, n);
    return json_stringn_nocheck(tap_buf_text(&r->scratch), r->scratch.len);
}

static json_t *read_string(struct reader *r, const struct step *at, struct tap_shape shape)
{
    size_t n;
    const char *text = lua_tolstring(r->L, -1, &n);
    bool is_blob = tap_shape_is_blob(shape);
    if (n > (is_blob ? TAP_MAX_BODY : TAP_MAX_DOCUMENT))
        return refuse(r, at, is_blob ? "more than 512 MiB" : "the text is too long");
    if (is_blob)
        return read_blob(r, text, n);
    if (!tap_utf8_valid(text, n))
        return refuse(r, at, "the text is not valid UTF-8");
    return json_stringn_nocheck(text, n);
}

static json_t *read_number(struct reader *r, const struct step *at)
{
    if (lua_isinteger(r->L, -1))
        return json_integer(lua_tointeger(r->L, -1));
    double number = lua_tonumber(r->L, -1);
    if (isnan(number))
        return refuse(r, at, "not a number (NaN) has no form in JSON");
    if (isinf(number))
        return refuse(r, at, "infinity has no form in JSON");
    return json_real(number);
}

static bool is_key(const char *key, size_t n)
{
    return strlen(key) == n && tap_utf8_valid(key, n);
}

/* Those members whose order is remembered and that are still there. The table is on top. */
static bool read_remembered(struct reader *r, struct step *at, json_t *object,
                            struct tap_shape shape)
{
    lua_State *L = r->L;
    int table = lua_gettop(L);
    bool ok = true;
    size_t n = tap_keys_push(L, table) == LUA_TTABLE ? lua_rawlen(L, -1) : 0;
    for (size_t i = 1; ok && i <= n; i++) {
        size_t len;
        lua_rawgeti(L, table + 1, (lua_Integer)i);
        at->key = lua_tolstring(L, -1, &len);
        /* a wrong key is refused with the others */
        if (lua_rawget(L, table) != LUA_TNIL && is_key(at->key, len)) {
            json_t *value = read_value(r, at, tap_shape_member(shape, at->key));
            ok = value && json_object_set_new_nocheck(object, at->key, value) == 0;
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return ok;
}

/* Checks the key below the top of the stack; NULL when it cannot be an object's. */
static const char *check_key(struct reader *r, const struct step *up)
{
    lua_State *L = r->L;
    if (lua_type(L, -2) == LUA_TNUMBER) {
        refuse(r, up,
               lua_isinteger(L, -2) && lua_tointeger(L, -2) > 0
                   ? "a list without its first element, or an object with a number as a key"
                   : "an object with a number as a key");
        return NULL;
    }
    if (lua_type(L, -2) != LUA_TSTRING) {
        refuse(r, up, "an object with a key that is not text");
        return NULL;
    }
    size_t n;
    const char *key = lua_tolstring(L, -2, &n);
    if (!is_key(key, n)) {
        refuse(r, up, "an object with a key that is not valid UTF-8");
        return NULL;
    }
    return key;
}

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

/* Reads the value on top on to r->members, unless the object has that key already. */
static bool read_other(struct reader *r, struct step *at, const json_t *object,
                       struct tap_shape shape)
{
    if (json_object_get(object, at->key))
        return true;
    json_t *value = read_value(r, at, tap_shape_member(shape, at->key));
    if (!value)
        return false;
    r->members = tap_grow(r->members, r->n_members, &r->cap_members, sizeof *r->members);
    r->members[r->n_members++] = (struct member){at->key, value};
    return true;
}

/* The table is on top. */
static bool read_others(struct reader *r, struct step *at, const json_t *object,
                        struct tap_shape shape)
{
    lua_State *L = r->L;
    int table = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        at->key = check_key(r, at->up);
        if (!at->key || !read_other(r, at, object, shape)) {
            lua_pop(L, 2);
            return false;
        }
        lua_pop(L, 1);
    }
    return true;
}

static json_t *read_object(struct reader *r, struct step *at, struct tap_shape shape)
{
    json_t *object = json_object();
    size_t base = r->n_members;
    bool ok = read_remembered(r, at, object, shape) && read_others(r, at, object, shape);
    if (ok && r->n_members - base > 1)
        qsort(r->members + base, r->n_members - base, sizeof *r->members, compare_members);
    for (size_t i = base; i < r->n_members; i++)
        json_object_set_new_nocheck(object, r->members[i].key, r->members[i].value);
    r->n_members = base;
    if (ok && (json_object_size(object) || !tap_shape_is_list(shape)))
        return object;
    json_decref(object);
    return ok ? json_array() : NULL; /* the model knows that this empty table is a list */
}

/* What keeps the table on top from being a list, or NULL. */
static const char *list_problem(lua_State *L, lua_Integer n)
{
    lua_Integer found = 0;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        if (!lua_isinteger(L, -1)) {
            lua_pop(L, 1);
            return "a table with both list elements and named members";
        }
        lua_Integer i = lua_tointeger(L, -1);
        found += i >= 1 && i <= n ? 1 : n + 1; /* one outside makes the sum too large */
    }
    return found == n ? NULL : "a list with holes";
}

static json_t *read_list(struct reader *r, struct step *at, struct tap_shape shape)
{
    lua_State *L = r->L;
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    const char *problem = list_problem(L, n);
    if (problem)
        return refuse(r, at->up, problem);
    json_t *array = json_array();
    struct tap_shape element = tap_shape_element(shape);
    at->key = NULL;
    for (at->index = 1; at->index <= n; at->index++) {
        lua_rawgeti(L, -1, at->index);
        json_t *value = read_value(r, at, element);
        lua_pop(L, 1);
        if (!value || json_array_append_new(array, value) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* `up` is the step that led to this table. */
static json_t *read_table(struct reader *r, const struct step *up, struct tap_shape shape)
{
    struct step at = {.up = up, .table = lua_topointer(r->L, -1)};
    for (const struct step *around = up; around; around = around->up)
        if (around->table == at.table)
            return refuse(r, up, "a table that contains itself");
    if (r->depth >= TAP_MAX_DEPTH || !lua_checkstack(r->L, 8))
        return refuse(r, NULL, "the value nests too deeply");
    r->depth++;
    json_t *value = tap_is_list(r->L, -1) ? read_list(r, &at, shape) : read_object(r, &at, shape);
    r->depth--;
    return value;
}

/* The value on the stack's top, which stays there. */
static json_t *read_value(struct reader *r, const struct step *at, struct tap_shape shape)
{
    lua_State *L = r->L;
    char what[64];
    switch (lua_type(L, -1)) {
    case LUA_TNIL: return json_null();
    case LUA_TBOOLEAN: return json_boolean(lua_toboolean(L, -1));
    case LUA_TNUMBER: return read_number(r, at);
    case LUA_TSTRING: return read_string(r, at, shape);
    case LUA_TTABLE: return read_table(r, at, shape);
    case LUA_TLIGHTUSERDATA:
        if (!lua_touserdata(L, -1))
            return json_null();
    }
    snprintf(what, sizeof what, "a %s has no form in JSON", lua_typename(L, lua_type(L, -1)));
    return refuse(r, at, what);
}

tap_err tap_value_read(json_t **out, lua_State *L, int index, struct tap_shape shape,
                       struct tap_error *err)
{
    struct reader r = {.L = L, .err = err};
    *out = NULL;
    if (!lua_checkstack(L, 8))
        return tap_fail(err, TAP_E_LIMIT, "InvalidValue", "the stack of values is full");
    tap_buf_init(&r.scratch, 2 * (size_t)TAP_MAX_BODY);
    lua_pushvalue(L, index);
    *out = read_value(&r, NULL, shape);
    lua_pop(L, 1);
    tap_buf_fini(&r.scratch);
    tap_free(r.members);
    return *out ? TAP_OK : TAP_E_USAGE;
}
