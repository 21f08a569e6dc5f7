/*
 * tap.core.json: JSON text as Lua values and back (value.h says which become what), lists that stay
 * lists when they are empty, and the order of keys.
 */
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "lua_util.h"
#include "modules.h"
#include "value.h"

/* decode(text[, file]) -> value. Raises a parse error with line and column, and `file` in its place
 * when it is given. */
static tap_nresults l_decode(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    const char *file = luaL_optstring(L, 2, NULL);
    json_t *value;
    struct tap_error err;
    if (tap_json_parse(&value, text, n, file, &err))
        tap_lua_raise(L, &err);
    tap_value_push_owned(L, value, TAP_KEYS_REMEMBER, (struct tap_shape){0});
    return 1;
}

/* encode(value[, { indent = n }]) -> text, on one line when there is no indent (0 to 31). Keys
 * stand in their remembered order, others after them, sorted. Raises when the value has no form in
 * JSON, with the path. */
static tap_nresults l_encode(lua_State *L)
{
    static const char *const options[] = {"indent", NULL};
    luaL_checkany(L, 1);
    tap_lua_check_options(L, 2, options);
    lua_Integer indent = tap_lua_integer_field(L, 2, "indent", 0);
    luaL_argcheck(L, indent >= 0 && indent <= 31, 2, "indent is a number from 0 to 31");
    json_t *value;
    struct tap_error err;
    if (tap_value_read(&value, L, 1, (struct tap_shape){0}, &err))
        tap_lua_raise(L, &err);
    char *text = tap_json_print_indented(value, (unsigned)indent);
    json_decref(value);
    tap_lua_push_owned(L, text, strlen(text));
    return 1;
}

/* list([t]) -> t, marked as a list: it is [] when it is empty. Without t: a new one. */
static tap_nresults l_list(lua_State *L)
{
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_getmetatable(L, 1)) {
        lua_pop(L, 1);
        luaL_argcheck(L, tap_is_marked_list(L, 1), 1, "a table with a metatable cannot be a list");
        return 1;
    }
    tap_list_mark(L, 1);
    return 1;
}

/* is_list(value) -> whether it is a table that is marked as a list or has an element 1. */
static tap_nresults l_is_list(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, lua_istable(L, 1) && tap_is_list(L, 1));
    return 1;
}

/* Pushes a copy of the list of texts at `index` in which each stands once. [-0, +1, e] */
static void push_texts_once(lua_State *L, int index)
{
    lua_newtable(L);
    lua_newtable(L);
    int copy = lua_gettop(L) - 1, seen = lua_gettop(L);
    size_t n = lua_rawlen(L, index);
    for (size_t i = 1; i <= n; i++) {
        int type = lua_rawgeti(L, index, (lua_Integer)i);
        luaL_argcheck(L, type == LUA_TSTRING, index, "keys are texts");
        lua_pushvalue(L, -1);
        bool again = lua_rawget(L, seen) != LUA_TNIL;
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushboolean(L, 1);
        lua_rawset(L, seen);
        if (again)
            lua_pop(L, 1);
        else
            lua_rawseti(L, copy, (lua_Integer)lua_rawlen(L, copy) + 1);
    }
    lua_settop(L, copy);
}

/* object(t, keys) -> t, whose keys from now on stand in the order of the list. Keys that t has not
 * got (yet) may be among them. */
static tap_nresults l_object(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_argcheck(L, !tap_is_list(L, 1), 1, "a list has no keys");
    push_texts_once(L, 2);
    tap_keys_remember(L, 1);
    lua_settop(L, 1);
    return 1;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Appends the remembered keys that the object (1) still has to the result (2); `seen` (3) gets
 * them.
 * [-0, +0, -] */
static lua_Integer add_remembered(lua_State *L)
{
    lua_Integer n = 0;
    size_t remembered = tap_keys_push(L, 1) == LUA_TTABLE ? lua_rawlen(L, -1) : 0;
    for (size_t i = 1; i <= remembered; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL) {
            lua_pushvalue(L, -2);
            lua_rawseti(L, 2, ++n);
            lua_pushvalue(L, -2);
            lua_pushboolean(L, 1);
            lua_rawset(L, 3);
        }
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    return n;
}

/* keys(object) -> list of its keys: the remembered ones in their order, then the others, sorted. */
static tap_nresults l_keys(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_argcheck(L, !tap_is_list(L, 1), 1, "a list has no keys");
    lua_newtable(L);
    tap_list_mark(L, 2);
    lua_newtable(L);
    lua_Integer n = add_remembered(L);

    size_t others = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, 1, "a key that is not text");
        others++;
    }
    const char **names = lua_newuserdatauv(L, (others + 1) * sizeof *names, 0);
    others = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        if (lua_rawget(L, 3) == LUA_TNIL)
            names[others++] = lua_tostring(L, -3);
        lua_pop(L, 1);
    }
    qsort(names, others, sizeof *names, compare);
    for (size_t i = 0; i < others; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, 2, ++n);
    }
    lua_settop(L, 2);
    return 1;
}

int luaopen_tap_core_json(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"decode", l_decode}, {"encode", l_encode}, {"list", l_list}, {"is_list", l_is_list},
        {"object", l_object}, {"keys", l_keys},     {NULL, NULL},
    };
    luaL_newlib(L, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    return 1;
}
