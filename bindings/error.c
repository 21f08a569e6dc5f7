/*
 * Error tables, and the module tap.core.error: what goes wrong below reaches a script as a table
 * with `code message class service operation status request_id retryable file line column cause`,
 * of which only those that are known are set, and one shared metatable, so that it prints well and
 * answers e:is "Throttling*".
 */
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lua_util.h"
#include "modules.h"

static const char metatable_name[] = "tap.error";

static void set_string(lua_State *L, const char *field, const char *text)
{
    if (!text[0])
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
}

static void set_number(lua_State *L, const char *field, lua_Integer number)
{
    if (!number)
        return;
    lua_pushinteger(L, number);
    lua_setfield(L, -2, field);
}

void tap_lua_push_error(lua_State *L, const struct tap_error *err)
{
    lua_createtable(L, 0, 8);
    set_string(L, "code", err->name);
    set_string(L, "message", err->message);
    set_string(L, "class", tap_error_class(err->code));
    set_string(L, "service", err->service);
    set_string(L, "operation", err->operation);
    set_string(L, "request_id", err->request_id);
    set_string(L, "file", err->file);
    set_number(L, "status", err->http_status);
    set_number(L, "line", err->line);
    set_number(L, "column", err->column);
    lua_pushboolean(L, err->retryable);
    lua_setfield(L, -2, "retryable");
    tap_lua_set_error_mt(L);
}

_Noreturn void tap_lua_raise(lua_State *L, const struct tap_error *err)
{
    tap_lua_push_error(L, err);
    lua_error(L);
    __builtin_unreachable(); /* lua_error does not return, and does not say so */
}

_Noreturn void tap_lua_fail(lua_State *L, tap_err code, const char *name, const char *format, ...)
{
    struct tap_error err;
    va_list args;
    va_start(args, format);
    char text[sizeof err.message];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tap_fail(&err, code, name, "%s", text);
    tap_lua_raise(L, &err);
}

/* ---- tostring: its pieces are pushed, then joined ---- */

/* Pushes `before`, the field and `after` when the field is a string or a number; raw, since an
 * error must print whatever it holds.  [-0, +3|0, -] */
static bool push_field(lua_State *L, const char *before, const char *field, const char *after)
{
    lua_pushstring(L, before);
    lua_pushstring(L, field);
    lua_rawget(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER) {
        lua_pop(L, 2);
        return false;
    }
    lua_pushstring(L, after);
    return true;
}

/* "file:line:column: " */
static void push_place(lua_State *L)
{
    if (!push_field(L, "", "file", ""))
        return;
    if (push_field(L, ":", "line", ""))
        push_field(L, ":", "column", "");
    lua_pushliteral(L, ": ");
}

/* "CloudFormation DescribeStacks: " */
static void push_origin(lua_State *L)
{
    if (!push_field(L, "", "service", ""))
        return;
    push_field(L, " ", "operation", "");
    lua_pushliteral(L, ": ");
}

static bool class_is_service(lua_State *L)
{
    lua_pushliteral(L, "class");
    lua_rawget(L, 1);
    bool is = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "service") == 0;
    lua_pop(L, 1);
    return is;
}

static void push_cause(lua_State *L)
{
    lua_pushliteral(L, "cause");
    if (lua_rawget(L, 1) == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    lua_pushliteral(L, " (because: ");
    lua_insert(L, -2);
    lua_pushliteral(L, ")");
}

/* "CloudFormation DescribeStacks: ValidationError: Stack with id x does not exist (request id r)"
 */
static int error_tostring(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_checkstack(L, 32, NULL);
    push_place(L);
    push_origin(L);
    if (class_is_service(L))
        push_field(L, "", "code", ": ");
    if (!push_field(L, "", "message", "") && !push_field(L, "", "code", ""))
        lua_pushliteral(L, "unknown error");
    push_field(L, " (request id ", "request_id", ")");
    push_cause(L);
    lua_concat(L, lua_gettop(L) - 1);
    return 1;
}

/* ---- the module ---- */

/* [-0, +0, -] */
static bool is_error(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index))
        return false;
    luaL_getmetatable(L, metatable_name);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

static bool field_matches(lua_State *L, const char *field, const char *pattern)
{
    lua_pushstring(L, field);
    bool matches = lua_rawget(L, 1) == LUA_TSTRING && fnmatch(pattern, lua_tostring(L, -1), 0) == 0;
    lua_pop(L, 1);
    return matches;
}

/* error.is(value) -> boolean: is it an error table?
 * error.is(value, pattern), e:is(pattern): and does its code or its class match the pattern, in
 * which '*' stands for anything and '?' for one character? */
static int l_is(lua_State *L)
{
    const char *pattern = luaL_optstring(L, 2, NULL);
    lua_pushboolean(L, is_error(L, 1) && (!pattern || field_matches(L, "code", pattern) ||
                                          field_matches(L, "class", pattern)));
    return 1;
}

/* error.new{ code =, message =, class =, cause =, ... } -> that table, as an error. */
static int l_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    tap_lua_set_error_mt(L);
    return 1;
}

void tap_lua_set_error_mt(lua_State *L)
{
    if (luaL_newmetatable(L, metatable_name)) {
        lua_pushcfunction(L, error_tostring);
        lua_setfield(L, -2, "__tostring");
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, l_is);
        lua_setfield(L, -2, "is");
        lua_setfield(L, -2, "__index");
    }
    lua_setmetatable(L, -2);
}

int luaopen_tap_core_error(lua_State *L)
{
    static const luaL_Reg functions[] = {{"new", l_new}, {"is", l_is}, {NULL, NULL}};
    luaL_newlib(L, functions);
    lua_newtable(L);
    tap_lua_set_error_mt(L);
    lua_getmetatable(L, -1);
    lua_setfield(L, -3, "mt");
    lua_pop(L, 1);
    return 1;
}
