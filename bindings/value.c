/*
 * The core's values as Lua tables, and what is known about such tables beside their contents: that
 * they are lists, and the order of their keys. See value.h.
 *
 * A list is told by a shared metatable: that costs no memory, goes with the table wherever it goes,
 * and what loses it in a copy is still known by its element 1. The order of keys stands in one
 * weak-keyed table of the registry, because an object must not change its looks for it: scripts
 * iterate over it with pairs.
 */
#include "value.h"

#include "core/json.h"
#include "core/message.h"
#include "core/text.h"
#include "lua_util.h"

/* Registry keys, by their addresses. */
static const char list_key = 0;   /* the metatable of lists */
static const char orders_key = 0; /* {object -> array of its keys}, weak keys */

/* Pushes the table at a registry key; true when it has just been made. [-0, +1, -] */
static bool push_registered(lua_State *L, const char *key)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE)
        return false;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
    return true;
}

static void push_list_metatable(lua_State *L)
{
    if (push_registered(L, &list_key)) {
        lua_pushliteral(L, "tap.list");
        lua_setfield(L, -2, "__name");
    }
}

static void push_orders(lua_State *L)
{
    if (push_registered(L, &orders_key)) {
        lua_pushliteral(L, "k");
        lua_setfield(L, -2, "__mode");
        lua_pushvalue(L, -1);
        lua_setmetatable(L, -2); /* it is its own metatable */
    }
}

void tap_list_mark(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    push_list_metatable(L);
    lua_setmetatable(L, index);
}

void tap_list_push_texts(lua_State *L, const char *const *texts, size_t n)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushstring(L, texts[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    tap_list_mark(L, -1);
}

bool tap_is_marked_list(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &list_key);
    bool marked = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return marked;
}

bool tap_is_list(lua_State *L, int index)
{
    bool list = lua_rawgeti(L, index, 1) != LUA_TNIL;
    lua_pop(L, 1);
    return list || tap_is_marked_list(L, index);
}

int tap_keys_push(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &orders_key) == LUA_TTABLE) {
        lua_pushvalue(L, index);
        lua_rawget(L, -2);
    } else {
        lua_pushnil(L);
    }
    lua_remove(L, -2);
    return lua_type(L, -1);
}

void tap_keys_remember(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    push_orders(L);
    lua_pushvalue(L, index);
    lua_rotate(L, -3, -1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

struct pusher {
    lua_State *L;
    struct tap_error *err;
    int list_metatable; /* stack index */
    int orders;         /* stack index; 0: the order of keys is not remembered */
    int depth;
    struct tap_buf scratch; /* a blob's bytes */
};

static bool push_value(struct pusher *p, const json_t *value, struct tap_shape shape);

static bool push_array(struct pusher *p, const json_t *array, struct tap_shape shape)
{
    lua_State *L = p->L;
    size_t n = json_array_size(array);
    struct tap_shape element = tap_shape_element(shape);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        if (!push_value(p, json_array_get(array, i), element))
            return false;
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushvalue(L, p->list_metatable);
    lua_setmetatable(L, -2);
    return true;
}

static bool push_object(struct pusher *p, json_t *object, struct tap_shape shape)
{
    lua_State *L = p->L;
    int n = (int)json_object_size(object);
    bool remember = p->orders && n;
    lua_createtable(L, 0, n);
    int table = lua_gettop(L);
    if (remember)
        lua_createtable(L, n, 0);
    lua_Integer i = 0;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        lua_pushstring(L, key);
        if (remember) {
            lua_pushvalue(L, -1);
            lua_rawseti(L, table + 1, ++i);
        }
        if (!push_value(p, value, tap_shape_member(shape, key)))
            return false;
        lua_rawset(L, table);
    }
    if (remember) {
        lua_pushvalue(L, table);
        lua_insert(L, -2);
        lua_rawset(L, p->orders);
    }
    return true;
}

static bool push_blob(struct pusher *p, const char *text, size_t n)
{
    tap_buf_reset(&p->scratch);
    if (!tap_base64_decode(&p->scratch, text, n)) {
        tap_fail(p->err, TAP_E_PROTOCOL, "InvalidBlob", "a blob is not base64");
        return false;
    }
    lua_pushlstring(p->L, tap_buf_text(&p->scratch), p->scratch.len);
    return true;
}

static bool push_string(struct pusher *p, const json_t *string, struct tap_shape shape)
{
    const char *text = json_string_value(string);
    size_t n = json_string_length(string);
    if (tap_shape_is_blob(shape))
        return push_blob(p, text, n);
    lua_pushlstring(p->L, text, n);
    return true;
}

/* On failure what has been pushed so far is left there. */
static bool push_value(struct pusher *p, const json_t *value, struct tap_shape shape)
{
    lua_State *L = p->L;
    bool ok = true;
    int deeper = json_is_object(value) || json_is_array(value);
    if (p->depth + deeper > TAP_MAX_DEPTH || !lua_checkstack(L, 6)) {
        tap_fail(p->err, TAP_E_LIMIT, "TooDeep", "a value nests deeper than %d levels",
                 TAP_MAX_DEPTH);
        return false;
    }
    p->depth += deeper;
    switch (json_typeof(value)) {
    /* jansson's iterators take a json_t * though they do not change it */
    case JSON_OBJECT: ok = push_object(p, (json_t *)value, shape); break;
    case JSON_ARRAY: ok = push_array(p, value, shape); break;
    case JSON_STRING: ok = push_string(p, value, shape); break;
    case JSON_INTEGER: lua_pushinteger(L, json_integer_value(value)); break;
    case JSON_REAL: lua_pushnumber(L, json_real_value(value)); break;
    case JSON_TRUE: lua_pushboolean(L, 1); break;
    case JSON_FALSE: lua_pushboolean(L, 0); break;
    case JSON_NULL: lua_pushlightuserdata(L, NULL); break;
    }
    p->depth -= deeper;
    return ok;
}

tap_err tap_value_push(lua_State *L, const json_t *value, enum tap_key_order order,
                       struct tap_shape shape, struct tap_error *err)
{
    struct pusher p = {.L = L, .err = err};
    int base = lua_gettop(L);
    push_list_metatable(L);
    p.list_metatable = base + 1;
    if (order == TAP_KEYS_REMEMBER) {
        push_orders(L);
        p.orders = base + 2;
    }
    tap_buf_init(&p.scratch, TAP_MAX_BODY);
    bool ok = push_value(&p, value, shape);
    tap_buf_fini(&p.scratch);
    if (ok)
        lua_replace(L, base + 1);
    lua_settop(L, ok ? base + 1 : base);
    return ok ? TAP_OK : err->code;
}

void tap_value_push_owned(lua_State *L, json_t *value, enum tap_key_order order,
                          struct tap_shape shape)
{
    struct tap_error err;
    tap_err failed = tap_value_push(L, value, order, shape, &err);
    json_decref(value);
    if (failed)
        tap_lua_raise(L, &err);
}
