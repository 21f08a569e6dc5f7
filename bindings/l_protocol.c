/*
 * tap.core.protocol: the server's side of the wire formats, for the sandbox. What comes in as an
 * exchange becomes an operation's name and its input; what goes out becomes a status, headers and a
 * body. As for clients, blobs are byte strings in Lua.
 */
#include "core/protocol.h"

#include "exchange.h"
#include "headers.h"
#include "lua_util.h"
#include "modules.h"
#include "shape.h"
#include "value.h"

/* The model of the service at argument 1 and the protocol of the exchange at argument `at`, which
 * may be absent: then that of the service. [-0, +0, e] */
static const struct tap_protocol *check_service(lua_State *L, const struct tap_model **model,
                                                int at)
{
    const struct tap_protocol *protocol;
    struct tap_error err;
    if (tap_model_load(model, luaL_checkstring(L, 1), &err) ||
        (lua_isnoneornil(L, at)
             ? tap_protocol_of(&protocol, *model, &err)
             : tap_protocol_of_request(&protocol, *model, tap_exchange_check_request(L, at), &err)))
        tap_lua_raise(L, &err);
    return protocol;
}

/* read(service, exchange) -> operation's name, input. Raises the error that AWS would answer with
 * (code, message, status). */
static tap_nresults l_read(lua_State *L)
{
    const struct tap_model *model;
    const struct tap_protocol *protocol = check_service(L, &model, 2);
    const struct tap_request *request = tap_exchange_check_request(L, 2);
    const json_t *operation;
    json_t *input;
    struct tap_error err;
    if (protocol->read_request(&operation, &input, model, request, &err))
        tap_lua_raise(L, &err);
    lua_pushstring(L, json_string_value(json_object_get(operation, "name")));
    struct tap_shape shape = tap_shape_if_blobs(L, tap_shape_of(model, operation, "input"));
    tap_err failed = tap_value_push(L, input, TAP_KEYS_FORGET, shape, &err);
    json_decref(input);
    if (failed == TAP_E_PROTOCOL) { /* a blob: the caller's mistake, to be answered */
        tap_fail(&err, TAP_E_SERVICE, "SerializationException", "a blob is not valid base64");
        err.http_status = 400;
    }
    if (failed)
        tap_lua_raise(L, &err);
    return 2;
}

/* Pushes status, headers and body; frees the response. [-0, +3, -] */
static tap_nresults push_response(lua_State *L, struct tap_response *response)
{
    lua_pushinteger(L, response->status);
    tap_headers_push(L, &response->headers);
    lua_pushlstring(L, tap_buf_text(&response->body), response->body.len);
    tap_response_fini(response);
    return 3;
}

/* write(service, operation, output, request_id[, exchange]) -> status, headers, body, in the
 * exchange's protocol. */
static tap_nresults l_write(lua_State *L)
{
    const struct tap_model *model;
    const struct tap_protocol *protocol = check_service(L, &model, 5);
    const char *name = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    const char *request_id = luaL_checkstring(L, 4);
    const json_t *operation;
    json_t *output;
    struct tap_error err;
    if (tap_model_operation(&operation, model, name, &err))
        tap_lua_raise(L, &err);
    struct tap_shape shape = tap_shape_of(model, operation, "output");
    if (tap_value_read(&output, L, 3, shape, &err))
        tap_lua_raise(L, &err);
    struct tap_response response;
    tap_response_init(&response);
    protocol->write_response(&response, model, operation, output, request_id);
    json_decref(output);
    return push_response(L, &response);
}

/* write_error(service, { code =, message =, status = 400 }, request_id[, exchange]) -> status,
 * headers, body. */
static tap_nresults l_write_error(lua_State *L)
{
    const struct tap_model *model;
    const struct tap_protocol *protocol = check_service(L, &model, 4);
    luaL_checktype(L, 2, LUA_TTABLE);
    const char *code = tap_lua_string_field(L, 2, "code", NULL);
    const char *message = tap_lua_string_field(L, 2, "message", NULL);
    lua_Integer status = tap_lua_integer_field(L, 2, "status", 400);
    luaL_argcheck(L, code, 2, "an error has a code");
    luaL_argcheck(L, status >= 400 && status <= 599, 2, "an error's status is from 400 to 599");
    const char *request_id = luaL_checkstring(L, 3);
    struct tap_error error;
    tap_fail(&error, TAP_E_SERVICE, code, "%s", message ? message : "");
    error.http_status = (int)status;
    struct tap_response response;
    tap_response_init(&response);
    protocol->write_error(&response, model, &error, request_id);
    return push_response(L, &response);
}

int luaopen_tap_core_protocol(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"read", l_read}, {"write", l_write}, {"write_error", l_write_error}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
