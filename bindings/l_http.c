/*
 * tap.core.http: a plain HTTP request to any address, for probes and webhooks. AWS calls do not
 * come this way: they are tap.core.client's.
 */
#include <string.h>

#include "core/http.h"
#include "core/url.h"
#include "headers.h"
#include "modules.h"
#include "task.h"

enum { MAX_RESPONSE = 1024 * 1024 };

static tap_nresults push_response(lua_State *L, struct tap_op *op)
{
    struct tap_response *response = tap_http_response(op);
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, response->status);
    lua_setfield(L, -2, "status");
    tap_headers_push(L, &response->headers);
    lua_setfield(L, -2, "headers");
    lua_pushlstring(L, tap_buf_text(&response->body), response->body.len);
    lua_setfield(L, -2, "body");
    return 1;
}

/* Sets the address. What is wrong with it is told without it: a webhook's URL is a secret.
 * Pushes a text that the request does not need any more. [-0, +1, e] */
static void set_address(lua_State *L, struct tap_request *request, const char *text)
{
    size_t n = strcspn(text, "?#");
    struct tap_url url;
    const char *problem = tap_url_split(&url, lua_pushlstring(L, text, n));
    if (!problem && strchr(text, '#'))
        problem = "it has a fragment";
    if (problem)
        tap_lua_fail(L, TAP_E_USAGE, "BadUrl", "not an address that can be called: %s", problem);
    const char *path = *url.path ? url.path : "/";
    tap_set(&request->scheme, url.scheme);
    tap_set(&request->host, lua_pushlstring(L, url.authority, url.authority_n));
    tap_set(&request->target, lua_pushfstring(L, "%s%s", path, text + n));
    lua_pop(L, 2);
}

/* Closes the request of a call that raises. */
static int request_gc(lua_State *L)
{
    tap_request_fini(lua_touserdata(L, 1));
    return 0;
}

/* Pushes an empty request that lives as long as it is on the stack. [-0, +1, -] */
static struct tap_request *push_request(lua_State *L)
{
    struct tap_request *request = lua_newuserdatauv(L, sizeof *request, 0);
    tap_request_init(request);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, request_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return request;
}

/* request{ url =, method = "GET", headers = { Name = value }, body =, timeout = seconds }
 * -> { status =, headers =, body = }
 *
 * Redirects are not followed, nothing is retried; 1 MiB of body is read at most. A response of any
 * status is a result; raises class "network" or "timeout" when there is none. */
static int l_request(lua_State *L)
{
    static const char *const names[] = {"url", "method", "headers", "body", "timeout", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    tap_lua_check_options(L, 1, names);
    size_t body_len = 0;
    const char *url = tap_lua_string_field(L, 1, "url", NULL);
    const char *method = tap_lua_string_field(L, 1, "method", NULL);
    const char *body = tap_lua_string_field(L, 1, "body", &body_len);
    luaL_argcheck(L, url, 1, "option 'url' is expected");
    struct tap_http_options options = {.max_response = MAX_RESPONSE,
                                       .total_timeout_ms = tap_lua_seconds_field(L, 1, "timeout")};
    tap_task_check(L);
    struct tap_request *request = push_request(L);
    set_address(L, request, url);
    tap_set(&request->method, method ? method : "GET");
    lua_getfield(L, 1, "headers");
    struct tap_error err;
    if (tap_headers_read(&request->headers, L, -1, &err))
        tap_lua_raise(L, &err);
    if (body)
        tap_buf_add(&request->body, body, body_len);
    return tap_task_wait(L, tap_http_start(tap_task_loop(L), request, &options), push_response);
}

int luaopen_tap_core_http(lua_State *L)
{
    static const luaL_Reg functions[] = {{"request", l_request}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
