/*
 * tap.core.server: HTTP listeners whose requests are taken by tasks. A request that nobody answers
 * (its handler failed, or forgot it) is cut when it is collected: its peer gets an error, never an
 * endless wait.
 *
 *     local s <close> = server.listen("127.0.0.1", 0)
 *     local x = s:accept()                                     -- waits
 *     x.method, x.target, x.path, x.query, x.host              -- known for ever
 *     x.body, x:header "Content-Type", x:headers()             -- until it is answered
 *     x:respond(200, { ["Content-Type"] = "text/plain" }, "hello")
 *
 * `target` is what stands on the wire; `path` and `query` are its parts before and after the '?',
 * still percent-encoded.
 */
#include "core/server.h"

#include <string.h>

#include "exchange.h"
#include "headers.h"
#include "lua_util.h"
#include "modules.h"
#include "task.h"

static const struct tap_handle_type server_type;
static const struct tap_handle_type exchange_type;

/* ---- servers ---- */

/* listen(address, port[, { max_body =, max_connections =, idle_timeout = }]) -> server. The address
 * is a literal; port 0 takes a free one. Raises when it cannot. */
static tap_nresults l_listen(lua_State *L)
{
    static const char *const options[] = {"max_body", "max_connections", "idle_timeout", NULL};
    const char *address = luaL_checkstring(L, 1);
    lua_Integer port = luaL_checkinteger(L, 2);
    luaL_argcheck(L, port >= 0 && port <= 65535, 2, "a port is a number from 0 to 65535");
    tap_lua_check_options(L, 3, options);
    lua_Integer max_body = tap_lua_integer_field(L, 3, "max_body", 0);
    lua_Integer max_connections = tap_lua_integer_field(L, 3, "max_connections", 0);
    luaL_argcheck(L, max_body >= 0 && max_body <= TAP_MAX_BODY, 3, "max_body out of range");
    luaL_argcheck(L, max_connections >= 0 && max_connections <= 65535, 3,
                  "max_connections out of range");
    int64_t idle_ms = tap_lua_seconds_field(L, 3, "idle_timeout");
    luaL_argcheck(L, idle_ms <= 86400000, 3, "idle_timeout out of range");

    struct tap_server_options limits = {
        .max_body = (size_t)max_body,
        .max_connections = (unsigned)max_connections,
        .idle_timeout_s = (unsigned)((idle_ms + 999) / 1000),
    };
    struct tap_server *server;
    struct tap_error err;
    struct tap_loop *loop = tap_task_loop(L);
    void **slot = tap_handle_new(L, &server_type, 0);
    if (tap_server_listen(&server, loop, address, (int)port, &limits, &err))
        tap_lua_raise(L, &err);
    *slot = server;
    return 1;
}

/* s:port() -> the port it listens on. */
static tap_nresults l_port(lua_State *L)
{
    lua_pushinteger(L, tap_server_port(tap_handle_check(L, 1, &server_type)));
    return 1;
}

/* Gives the exchange on top what it is to know when the request itself is gone. [-0, +0, -] */
static void keep_fields(lua_State *L, const struct tap_request *request)
{
    const char *target = request->target ? request->target : "";
    const char *query = strchr(target, '?');
    size_t path_len = query ? (size_t)(query - target) : strlen(target);
    lua_createtable(L, 0, 5);
    lua_pushstring(L, request->method);
    lua_setfield(L, -2, "method");
    lua_pushstring(L, target);
    lua_setfield(L, -2, "target");
    lua_pushlstring(L, target, path_len);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, query ? query + 1 : "");
    lua_setfield(L, -2, "query");
    lua_pushstring(L, request->host);
    lua_setfield(L, -2, "host");
    lua_setiuservalue(L, -2, 1);
}

static tap_nresults push_exchange(lua_State *L, struct tap_op *op)
{
    void **slot = tap_handle_new(L, &exchange_type, 1);
    *slot = tap_accept_take(op);
    keep_fields(L, tap_exchange_request(*slot));
    return 1;
}

/* s:accept() -> exchange. Waits for the next request; one task a server can. */
static tap_nresults l_accept(lua_State *L)
{
    struct tap_server *server = tap_handle_check(L, 1, &server_type);
    tap_task_check(L);
    if (tap_server_accepting(server))
        luaL_error(L, "another task waits for this server's next request");
    return tap_task_wait(L, tap_server_accept(server), push_exchange);
}

static void close_server(void *server)
{
    tap_server_close(server);
}

static const luaL_Reg server_methods[] = {{"port", l_port}, {"accept", l_accept}, {NULL, NULL}};
static const struct tap_handle_type server_type = {"tap.server", close_server, server_methods};

/* ---- exchanges ---- */

static struct tap_exchange *check_exchange(lua_State *L, int index)
{
    void **slot = tap_handle_slot(L, index, &exchange_type);
    luaL_argcheck(L, *slot, index, "this exchange has been answered");
    return *slot;
}

const struct tap_request *tap_exchange_check_request(lua_State *L, int index)
{
    return tap_exchange_request(check_exchange(L, index));
}

/* __index: a field that is kept, the body, or a method (the upvalue). */
static tap_nresults exchange_index(lua_State *L)
{
    lua_getiuservalue(L, 1, 1);
    if (lua_istable(L, -1)) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, -2) != LUA_TNIL)
            return 1;
    }
    if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "body") == 0) {
        const struct tap_request *request = tap_exchange_check_request(L, 1);
        lua_pushlstring(L, tap_buf_text(&request->body), request->body.len);
        return 1;
    }
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    return 1;
}

/* x:header(name) -> its first value, or nil. */
static tap_nresults l_header(lua_State *L)
{
    const struct tap_request *request = tap_exchange_check_request(L, 1);
    lua_pushstring(L, tap_headers_get(&request->headers, luaL_checkstring(L, 2)));
    return 1;
}

/* x:headers() -> { Name = value, ... }; a name that came more than once has a list. */
static tap_nresults l_headers(lua_State *L)
{
    tap_headers_push(L, &tap_exchange_check_request(L, 1)->headers);
    return 1;
}

/* Fills a response from an argument list's status, headers and body. Never raises. */
static tap_err read_response(struct tap_response *out, lua_State *L, int status, int headers,
                             int body, struct tap_error *err)
{
    lua_Integer number = lua_tointeger(L, status);
    if (!lua_isinteger(L, status) || number < 200 || number > 599)
        return tap_fail(err, TAP_E_USAGE, "InvalidResponse",
                        "a status is a number from 200 to 599");
    if (!lua_isnoneornil(L, body) && lua_type(L, body) != LUA_TSTRING)
        return tap_fail(err, TAP_E_USAGE, "InvalidResponse", "a body is a string");
    out->status = (int)number;
    if (lua_isstring(L, body)) {
        size_t n;
        const char *bytes = lua_tolstring(L, body, &n);
        tap_buf_add(&out->body, bytes, n);
    }
    if (out->body.overflow)
        return tap_fail(err, TAP_E_LIMIT, "InvalidResponse", "a body has at most %d bytes",
                        TAP_MAX_BODY);
    return tap_headers_read(&out->headers, L, headers, err);
}

/* The response of the arguments, or an error raised with nothing left behind. [-0, +0, e] */
static void check_response(struct tap_response *out, lua_State *L, int status, int headers,
                           int body)
{
    struct tap_error err;
    tap_response_init(out);
    if (!read_response(out, L, status, headers, body, &err))
        return;
    tap_response_fini(out);
    tap_lua_raise(L, &err);
}

/* x:respond(status[, headers[, body]]): answers, once. */
static tap_nresults l_respond(lua_State *L)
{
    struct tap_exchange *exchange = check_exchange(L, 1);
    struct tap_response response;
    lua_settop(L, 4);
    check_response(&response, L, 2, 3, 4);
    *tap_handle_slot(L, 1, &exchange_type) = NULL;
    tap_exchange_respond(exchange, &response);
    return 0;
}

/* x:abort(): cuts the connection without a byte.
 * x:abort{ status =, headers =, body =, cut_after = }: after the answer's first `cut_after` bytes
 * of body, though its Content-Length promises all of them. */
static tap_nresults l_abort(lua_State *L)
{
    static const char *const options[] = {"status", "headers", "body", "cut_after", NULL};
    struct tap_exchange *exchange = check_exchange(L, 1);
    struct tap_response response, *partial = NULL;
    lua_Integer cut_after = 0;
    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) {
        tap_lua_check_options(L, 2, options);
        cut_after = tap_lua_integer_field(L, 2, "cut_after", 0);
        luaL_argcheck(L, cut_after >= 0, 2, "cut_after is a number of bytes");
        for (int i = 0; i < 3; i++)
            lua_getfield(L, 2, options[i]);
        check_response(&response, L, 3, 4, 5);
        partial = &response;
    }
    *tap_handle_slot(L, 1, &exchange_type) = NULL;
    tap_exchange_abort(exchange, partial, (size_t)cut_after);
    return 0;
}

static void close_exchange(void *exchange)
{
    tap_exchange_abort(exchange, NULL, 0);
}

static const luaL_Reg exchange_methods[] = {
    {"header", l_header}, {"headers", l_headers}, {"respond", l_respond},
    {"abort", l_abort},   {NULL, NULL},
};
static const struct tap_handle_type exchange_type = {"tap.exchange", close_exchange,
                                                     exchange_methods};

/* Exchanges have fields besides methods: their __index is a function over the methods' table. */
static void add_exchange_fields(lua_State *L)
{
    tap_handle_new(L, &exchange_type, 1);
    lua_getmetatable(L, -1);
    if (lua_getfield(L, -1, "__index") == LUA_TTABLE) {
        lua_pushcclosure(L, exchange_index, 1);
        lua_setfield(L, -2, "__index");
    } else {
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
}

int luaopen_tap_core_server(lua_State *L)
{
    static const luaL_Reg functions[] = {{"listen", l_listen}, {NULL, NULL}};
    add_exchange_fields(L);
    luaL_newlib(L, functions);
    return 1;
}
