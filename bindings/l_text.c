/*
 * tap.core.text: names, times and encodings of text.
 */
#include "core/text.h"

#include <string.h>

#include "core/timestamp.h"
#include "lua_util.h"
#include "modules.h"

enum { MAX_NAME = 4096 };

/* nearest(wanted, names) -> the name of the list that was probably meant, or nil */
static tap_nresults l_nearest(lua_State *L)
{
    const char *wanted = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t n = lua_rawlen(L, 2);
    const char **names = lua_newuserdatauv(L, (n + 1) * sizeof *names, 0);
    for (size_t i = 0; i < n; i++) {
        int type = lua_rawgeti(L, 2, (lua_Integer)i + 1);
        luaL_argcheck(L, type == LUA_TSTRING, 2, "a list of names");
        names[i] = lua_tostring(L, -1); /* the list keeps it */
        lua_pop(L, 1);
    }
    lua_pushstring(L, tap_nearest(wanted, names, n));
    return 1;
}

/* snake_case("DescribeStacks") -> "describe_stacks" */
static tap_nresults l_snake_case(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct tap_buf out;
    tap_buf_init(&out, MAX_NAME);
    tap_snake_case(&out, name);
    tap_lua_push_buf(L, &out);
    return 1;
}

/* same_name(a, b) -> whether they differ in case, '-' and '_' only */
static tap_nresults l_same_name(lua_State *L)
{
    lua_pushboolean(L, tap_same_name(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
    return 1;
}

/* parse_time(text) -> seconds since 1970, or nil. ISO 8601, "20260101T000000Z", HTTP dates. */
static tap_nresults l_parse_time(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    double seconds;
    if (strlen(text) == n && tap_time_parse(&seconds, text))
        lua_pushnumber(L, seconds);
    else
        lua_pushnil(L);
    return 1;
}

/* iso_time(seconds[, millis]) -> "2026-01-01T00:00:00Z", with ".123" before the Z when `millis` */
static tap_nresults l_iso_time(lua_State *L)
{
    static const double first = -62167219200.0, last = 253402300799.999; /* years 0 to 9999 */
    double seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds >= first && seconds <= last, 1, "a time of the years 0 to 9999");
    char text[TAP_TIME_SIZE];
    tap_time_iso(text, seconds, lua_toboolean(L, 2));
    lua_pushstring(L, text);
    return 1;
}

/* utf8_valid(text) -> whether it is well-formed UTF-8 */
static tap_nresults l_utf8_valid(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    lua_pushboolean(L, tap_utf8_valid(text, n));
    return 1;
}

int luaopen_tap_core_text(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"nearest", l_nearest},
        {"snake_case", l_snake_case},
        {"same_name", l_same_name},
        {"parse_time", l_parse_time},
        {"iso_time", l_iso_time},
        {"utf8_valid", l_utf8_valid},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
