/*
 * HTTP headers between the core and Lua. See headers.h.
 */
#include "headers.h"

#include <stdio.h>
#include <string.h>

#include "value.h"

/* Appends the text on top to what stands at the name, making a list of the two. [-1, +0, -] */
static void add_value(lua_State *L, int table, const char *name)
{
    lua_pushstring(L, name);
    int type = lua_rawget(L, table); /* text, what is there */
    if (type == LUA_TTABLE) {
        lua_insert(L, -2);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    } else if (type == LUA_TNIL) {
        lua_pop(L, 1);
    } else {
        lua_createtable(L, 2, 0);
        tap_list_mark(L, -1);
        lua_insert(L, -3); /* list, text, what is there */
        lua_rawseti(L, -3, 1);
        lua_rawseti(L, -2, 2);
    }
    lua_pushstring(L, name);
    lua_insert(L, -2);
    lua_rawset(L, table);
}

void tap_headers_push(lua_State *L, const struct tap_headers *headers)
{
    lua_createtable(L, 0, (int)headers->n);
    int table = lua_gettop(L);
    for (size_t i = 0; i < headers->n; i++) {
        lua_pushstring(L, headers->items[i].value);
        add_value(L, table, headers->items[i].name);
    }
}

static bool is_name(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "!#$%&'*+-.^_`|~") == strlen(name);
}

/* Adds the value on top of the stack, which stays there. */
static tap_err read_value(struct tap_headers *out, lua_State *L, const char *name,
                          struct tap_error *err)
{
    char number[32];
    size_t n = 0;
    const char *text = NULL;
    if (lua_type(L, -1) == LUA_TSTRING) {
        text = lua_tolstring(L, -1, &n);
    } else if (lua_isinteger(L, -1)) {
        n = (size_t)snprintf(number, sizeof number, "%lld", (long long)lua_tointeger(L, -1));
        text = number;
    }
    if (!text || strlen(text) != n || strpbrk(text, "\r\n"))
        return tap_fail(err, TAP_E_USAGE, "InvalidHeader",
                        "the header %s has a value that is not a line of text", name);
    tap_headers_add(out, name, text);
    return TAP_OK;
}

static tap_err read_header(struct tap_headers *out, lua_State *L, struct tap_error *err)
{
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    if (!is_name(name))
        return tap_fail(err, TAP_E_USAGE, "InvalidHeader", "'%s' is not the name of a header",
                        name);
    if (!lua_istable(L, -1))
        return read_value(out, L, name, err);
    size_t n = lua_rawlen(L, -1);
    tap_err failed = TAP_OK;
    for (size_t i = 1; !failed && i <= n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        failed = read_value(out, L, name, err);
        lua_pop(L, 1);
    }
    return failed;
}

tap_err tap_headers_read(struct tap_headers *out, lua_State *L, int index, struct tap_error *err)
{
    if (lua_isnoneornil(L, index))
        return TAP_OK;
    if (!lua_istable(L, index))
        return tap_fail(err, TAP_E_USAGE, "InvalidHeader", "headers are a table");
    index = lua_absindex(L, index);
    tap_err failed = TAP_OK;
    lua_pushnil(L);
    while (!failed && lua_next(L, index)) {
        failed = read_header(out, L, err);
        lua_pop(L, 1);
    }
    if (failed)
        lua_pop(L, 1);
    return failed;
}
