/*
 * tap.core.jmespath: JMESPath over Lua values (core/jmespath.h, value.h).
 *
 *     local query = jmespath.compile "Stacks[0].StackStatus"
 *     query:search(answer)                          -- "CREATE_COMPLETE", or nil
 *     jmespath.search("Stacks[].StackName", answer) -- the same for a query that is used once
 *
 * What is wrong with an expression is raised when it is compiled, with its column; what a function
 * is not made for, by the search.
 */
#include "core/jmespath.h"

#include <string.h>

#include "lua_util.h"
#include "modules.h"
#include "value.h"

static void close_query(void *query)
{
    tap_jmespath_free(query);
}

static tap_nresults l_search_query(lua_State *L);

static const luaL_Reg methods[] = {{"search", l_search_query}, {NULL, NULL}};

static const struct tap_handle_type query_type = {"tap.jmespath", close_query, methods};

/* compile(text) -> query */
static tap_nresults l_compile(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    luaL_argcheck(L, strlen(text) == n, 1, "an expression holds no zero byte");
    struct tap_jmespath *query;
    struct tap_error err;
    void **slot = tap_handle_new(L, &query_type, 0);
    if (tap_jmespath_compile(&query, text, &err))
        tap_lua_raise(L, &err);
    *slot = query;
    return 1;
}

/* Pushes what `query` finds in the value at `index`. Nothing found is nil, not json.null: a script
 * asks `if query:search(value) then`. Nulls inside of a result stay. [-0, +1, e] */
static tap_nresults search(lua_State *L, const struct tap_jmespath *query, int index)
{
    json_t *input, *result;
    struct tap_error err;
    if (tap_value_read(&input, L, index, (struct tap_shape){0}, &err))
        tap_lua_raise(L, &err);
    tap_err code = tap_jmespath_search(&result, query, input, &err);
    json_decref(input);
    if (code)
        tap_lua_raise(L, &err);
    if (json_is_null(result))
        lua_pushnil(L);
    else
        tap_value_push_owned(L, result, TAP_KEYS_REMEMBER, (struct tap_shape){0});
    return 1;
}

/* query:search(value) -> what it finds; nil when that is nothing. */
static tap_nresults l_search_query(lua_State *L)
{
    const struct tap_jmespath *query = tap_handle_check(L, 1, &query_type);
    luaL_checkany(L, 2);
    return search(L, query, 2);
}

/* search(text, value) -> what compile(text):search(value) finds */
static tap_nresults l_search(lua_State *L)
{
    luaL_checkany(L, 2);
    l_compile(L);
    return search(L, tap_handle_check(L, -1, &query_type), 2);
}

int luaopen_tap_core_jmespath(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"compile", l_compile}, {"search", l_search}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
