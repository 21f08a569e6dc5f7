/*
 * tap.core.document: JSON and YAML files whose every node knows where it stands, so that what a
 * script finds wrong in a template is told with line and column.
 *
 *     local doc = document.any(text, "stack.yaml")      -- also .json, .yaml
 *     doc:root()                                         -- its value
 *     doc:mark { "Resources", "Table", "Properties" }    -- line, column, key_line, key_column,
 * found doc:duplicates()                                   -- { { path=, line=, column=,
 * first_line= } }
 */
#include "core/json.h"
#include "core/yaml.h"
#include "lua_util.h"
#include "modules.h"
#include "value.h"

static const struct tap_handle_type document_type;

typedef tap_err parse_document(struct tap_doc **out, const char *text, size_t len, const char *file,
                               struct tap_error *err);

/* (text[, file]): `file` is named in the parse error that this raises. */
static tap_nresults parse(lua_State *L, parse_document *parser)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    const char *file = luaL_optstring(L, 2, NULL);
    struct tap_doc *doc;
    struct tap_error err;
    void **slot = tap_handle_new(L, &document_type, 1);
    if (parser(&doc, text, n, file, &err))
        tap_lua_raise(L, &err);
    *slot = doc;
    return 1;
}

static tap_nresults l_json(lua_State *L)
{
    return parse(L, tap_json_document);
}

static tap_nresults l_yaml(lua_State *L)
{
    return parse(L, tap_yaml_document);
}

/* JSON when its first character is '{' or '[', else YAML. */
static tap_nresults l_any(lua_State *L)
{
    return parse(L, tap_document);
}

/* doc:root() -> the value; the same tables each time, whose keys remember their order. */
static tap_nresults l_root(lua_State *L)
{
    struct tap_doc *doc = tap_handle_check(L, 1, &document_type);
    if (lua_getiuservalue(L, 1, 1) != LUA_TNIL)
        return 1;
    tap_value_push_owned(L, tap_doc_take_root(doc), TAP_KEYS_REMEMBER, (struct tap_shape){0});
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, 1);
    return 1;
}

/* Indexes in paths: Lua's count from 1, the core's from 0. */
static void shift_indexes(json_t *path, int by)
{
    size_t i;
    json_t *step;
    json_array_foreach(path, i, step)
    {
        if (json_is_integer(step))
            json_integer_set(step, json_integer_value(step) + by);
    }
}

/* doc:mark(path) -> line, column, key_line, key_column, found. `path` is a list of keys and
 * indexes; when there is no such node, the marks are of the deepest one on the way that is there,
 * and found is false. */
static tap_nresults l_mark(lua_State *L)
{
    struct tap_doc *doc = tap_handle_check(L, 1, &document_type);
    luaL_checktype(L, 2, LUA_TTABLE);
    json_t *path;
    struct tap_error err;
    if (tap_value_read(&path, L, 2, (struct tap_shape){0}, &err))
        tap_lua_raise(L, &err);
    if (!json_is_array(path)) { /* {}: the root's */
        bool empty = json_object_size(path) == 0;
        json_decref(path);
        luaL_argcheck(L, empty, 2, "a path is a list of keys and indexes");
        path = json_array();
    }
    shift_indexes(path, -1);
    struct tap_mark key = {0}, value = {0};
    bool found = tap_doc_mark(doc, path, &key, &value);
    json_decref(path);
    lua_pushinteger(L, value.line);
    lua_pushinteger(L, value.column);
    lua_pushinteger(L, key.line);
    lua_pushinteger(L, key.column);
    lua_pushboolean(L, found);
    return 5;
}

/* doc:duplicates() -> list of { path = {...}, line =, column =, first_line = }: keys that stand
 * twice in one mapping. */
static tap_nresults l_duplicates(lua_State *L)
{
    struct tap_doc *doc = tap_handle_check(L, 1, &document_type);
    json_t *list = json_deep_copy(tap_doc_duplicates(doc));
    size_t i;
    json_t *duplicate;
    json_array_foreach(list, i, duplicate)
    {
        shift_indexes(json_object_get(duplicate, "path"), 1);
    }
    tap_value_push_owned(L, list, TAP_KEYS_FORGET, (struct tap_shape){0});
    return 1;
}

static void close_document(void *doc)
{
    tap_doc_free(doc);
}

static const luaL_Reg methods[] = {
    {"root", l_root}, {"mark", l_mark}, {"duplicates", l_duplicates}, {NULL, NULL}};
static const struct tap_handle_type document_type = {"tap.document", close_document, methods};

int luaopen_tap_core_document(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"json", l_json}, {"yaml", l_yaml}, {"any", l_any}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
