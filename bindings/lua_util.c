/*
 * What every binding uses (lua_util.h): arguments, option tables, and handles. The error tables
 * stand in error.c.
 */
#include "lua_util.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

/* ---- arguments ---- */

static const double max_seconds = 1e12; /* thirty thousand years: its milliseconds fit an int64 */

static bool seconds_to_ms(lua_Number seconds, int64_t *ms)
{
    if (!(seconds >= 0 && seconds <= max_seconds))
        return false;
    *ms = (int64_t)llround(seconds * 1000);
    return true;
}

int64_t tap_lua_check_seconds(lua_State *L, int index)
{
    int64_t ms = 0;
    if (!seconds_to_ms(luaL_checknumber(L, index), &ms))
        luaL_argerror(L, index, "a number of seconds, 0 or more, is expected");
    return ms;
}

void tap_lua_push_seconds(lua_State *L, int64_t ms)
{
    lua_pushnumber(L, (lua_Number)ms / 1000);
}

static size_t count(const char *const words[])
{
    size_t n = 0;
    while (words[n])
        n++;
    return n;
}

static int find(const char *const words[], const char *word)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

/* Pushes "'word'", and " (did you mean 'nearest'?)" where there is one.  [-0, +1, -] */
static const char *describe_unknown(lua_State *L, const char *word, const char *const words[])
{
    const char *nearest = tap_nearest(word, words, count(words));
    if (!nearest)
        return lua_pushfstring(L, "'%s'", word);
    return lua_pushfstring(L, "'%s' (did you mean '%s'?)", word, nearest);
}

int tap_lua_check_word(lua_State *L, int index, const char *const words[])
{
    const char *word = luaL_checkstring(L, index);
    int at = find(words, word);
    if (at < 0)
        luaL_argerror(L, index,
                      lua_pushfstring(L, "unknown word %s", describe_unknown(L, word, words)));
    return at;
}

void tap_lua_check_options(lua_State *L, int index, const char *const names[])
{
    if (lua_isnoneornil(L, index))
        return;
    luaL_checktype(L, index, LUA_TTABLE);
    index = lua_absindex(L, index);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2) && lua_tointeger(L, -2) > 0)
            continue;
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_argerror(L, index, "options have names");
        const char *name = lua_tostring(L, -2);
        if (find(names, name) < 0)
            luaL_argerror(
                L, index,
                lua_pushfstring(L, "unknown option %s", describe_unknown(L, name, names)));
    }
}

/* Pushes the field and returns true when it is there.  [-0, +1|0, e] */
static bool get_field(lua_State *L, int index, const char *name)
{
    if (lua_isnoneornil(L, index))
        return false;
    luaL_checktype(L, index, LUA_TTABLE);
    if (lua_getfield(L, index, name) != LUA_TNIL)
        return true;
    lua_pop(L, 1);
    return false;
}

static _Noreturn void wrong_field(lua_State *L, int index, const char *name, const char *wanted)
{
    luaL_argerror(
        L, index,
        lua_pushfstring(L, "option '%s': %s expected, got %s", name, wanted, luaL_typename(L, -1)));
    __builtin_unreachable(); /* luaL_argerror does not return, and does not say so */
}

const char *tap_lua_string_field(lua_State *L, int index, const char *name, size_t *len)
{
    if (len)
        *len = 0;
    if (!get_field(L, index, name))
        return NULL;
    if (lua_type(L, -1) != LUA_TSTRING)
        wrong_field(L, index, name, "string");
    const char *text = lua_tolstring(L, -1, len);
    lua_pop(L, 1);
    return text;
}

lua_Integer tap_lua_integer_field(lua_State *L, int index, const char *name, lua_Integer fallback)
{
    if (!get_field(L, index, name))
        return fallback;
    int is_integer = 0;
    lua_Integer value = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || lua_type(L, -1) != LUA_TNUMBER)
        wrong_field(L, index, name, "integer");
    lua_pop(L, 1);
    return value;
}

bool tap_lua_boolean_field(lua_State *L, int index, const char *name)
{
    if (!get_field(L, index, name))
        return false;
    if (!lua_isboolean(L, -1))
        wrong_field(L, index, name, "boolean");
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

int64_t tap_lua_seconds_field(lua_State *L, int index, const char *name)
{
    if (!get_field(L, index, name))
        return 0;
    int64_t ms = 0;
    if (lua_type(L, -1) != LUA_TNUMBER || !seconds_to_ms(lua_tonumber(L, -1), &ms))
        wrong_field(L, index, name, "number of seconds");
    lua_pop(L, 1);
    return ms;
}

/* ---- strings ---- */

void tap_lua_push_owned(lua_State *L, char *text, size_t n)
{
    lua_pushlstring(L, text ? text : "", n);
    tap_free(text);
}

void tap_lua_push_buf(lua_State *L, struct tap_buf *buf)
{
    bool overflow = buf->overflow;
    size_t limit = buf->limit;
    lua_pushlstring(L, tap_buf_text(buf), buf->len);
    tap_buf_fini(buf);
    if (overflow)
        tap_lua_fail(L, TAP_E_LIMIT, "TooLarge", "the result has more than %zu bytes", limit);
}

/* ---- handles ---- */

static int handle_close(lua_State *L)
{
    const struct tap_handle_type *type = lua_touserdata(L, lua_upvalueindex(1));
    void **slot = tap_handle_slot(L, 1, type);
    void *ptr = *slot;
    *slot = NULL;
    if (ptr)
        type->close(ptr);
    return 0;
}

static int handle_tostring(lua_State *L)
{
    const struct tap_handle_type *type = lua_touserdata(L, lua_upvalueindex(1));
    void **slot = tap_handle_slot(L, 1, type);
    if (*slot)
        lua_pushfstring(L, "%s (%p)", type->name, *slot);
    else
        lua_pushfstring(L, "%s (closed)", type->name);
    return 1;
}

/* Makes the type's metatable, which is on top of the stack.  [-0, +0, -] */
static void fill_metatable(lua_State *L, const struct tap_handle_type *type)
{
    lua_newtable(L);
    if (type->methods)
        luaL_setfuncs(L, type->methods, 0);
    lua_pushlightuserdata(L, (void *)type);
    lua_pushcclosure(L, handle_close, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, "__gc");
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, "__close");
    lua_setfield(L, -2, "close");
    lua_setfield(L, -2, "__index");
    lua_pushlightuserdata(L, (void *)type);
    lua_pushcclosure(L, handle_tostring, 1);
    lua_setfield(L, -2, "__tostring");
}

void **tap_handle_new(lua_State *L, const struct tap_handle_type *type, int user_values)
{
    void **slot = lua_newuserdatauv(L, sizeof *slot, user_values);
    *slot = NULL;
    if (luaL_newmetatable(L, type->name))
        fill_metatable(L, type);
    lua_setmetatable(L, -2);
    return slot;
}

void **tap_handle_slot(lua_State *L, int index, const struct tap_handle_type *type)
{
    return luaL_checkudata(L, index, type->name);
}

void *tap_handle_check(lua_State *L, int index, const struct tap_handle_type *type)
{
    void *ptr = *tap_handle_slot(L, index, type);
    if (!ptr)
        luaL_argerror(L, index, lua_pushfstring(L, "this %s is closed", type->name));
    return ptr;
}
