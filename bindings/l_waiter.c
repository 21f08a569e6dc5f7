/*
 * tap.core.waiter: a service's waiters (core/waiter.h). The caller calls, and sleeps; this judges.
 *
 *     local waiter = require "tap.core.waiter".new(client, "stack_create_complete", 1800)
 *     local state, seconds = waiter:feed(output)    -- or waiter:feed(nil, error)
 *
 * "success": it is so. "again": sleep that long, then call again. "error": the waiter has nothing
 * to say about this error. That it cannot come about any more, or that the time is over, is raised.
 */
#include "core/waiter.h"

#include <string.h>

#include "l_client.h"
#include "modules.h"
#include "shape.h"
#include "task.h"
#include "value.h"

static void close_waiter(void *waiter)
{
    tap_waiter_free(waiter);
}

static tap_nresults l_feed(lua_State *L);
static tap_nresults l_operation(lua_State *L);

static const luaL_Reg methods[] = {{"feed", l_feed}, {"operation", l_operation}, {NULL, NULL}};
static const struct tap_handle_type waiter_type = {"tap.waiter", close_waiter, methods};

enum { CLIENT = 1 }; /* the handle's user value: whose model it is */

static struct tap_waiter *check_waiter(lua_State *L)
{
    return tap_handle_check(L, 1, &waiter_type);
}

/* new(client, name[, seconds]) -> waiter. The name in any spelling; the time runs from now on, as
 * long as the model says when it is not given. */
static tap_nresults l_new(lua_State *L)
{
    struct tap_client *client = tap_lua_client(L, 1);
    const char *name = luaL_checkstring(L, 2);
    int64_t timeout_ms = lua_isnoneornil(L, 3) ? 0 : tap_lua_check_seconds(L, 3);
    luaL_argcheck(L, lua_isnoneornil(L, 3) || timeout_ms > 0, 3, "a wait takes some time");
    int64_t now_ms = tap_loop_now(tap_task_loop(L));
    struct tap_waiter *waiter;
    struct tap_error err;
    void **slot = tap_handle_new(L, &waiter_type, CLIENT);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, CLIENT);
    if (tap_waiter_new(&waiter, tap_client_model(client), name, now_ms, timeout_ms, &err))
        tap_lua_raise(L, &err);
    *slot = waiter;
    return 1;
}

/* w:operation() -> the name of what is to be called. */
static tap_nresults l_operation(lua_State *L)
{
    lua_pushstring(L, tap_waiter_operation(check_waiter(L)));
    return 1;
}

/* Reads what a waiter looks at from the error table at `index`. [-0, +0, e] */
static void read_error(struct tap_error *out, lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    const char *class = tap_lua_string_field(L, index, "class", NULL);
    const char *name = tap_lua_string_field(L, index, "code", NULL);
    const char *message = tap_lua_string_field(L, index, "message", NULL);
    bool is_service = class && strcmp(class, "service") == 0;
    tap_fail(out, is_service ? TAP_E_SERVICE : TAP_E_FAILED, name, "%s", message ? message : "");
    out->http_status = (int)tap_lua_integer_field(L, index, "status", 0);
    out->retryable = tap_lua_boolean_field(L, index, "retryable");
}

/* The output at `index` as a tree. A new reference. [-0, +0, e] */
static json_t *read_output(lua_State *L, int index, const struct tap_waiter *waiter)
{
    lua_getiuservalue(L, 1, CLIENT);
    const struct tap_model *model = tap_client_model(tap_lua_client(L, -1));
    lua_pop(L, 1);
    const json_t *operation;
    json_t *output;
    struct tap_error err;
    if (tap_model_operation(&operation, model, tap_waiter_operation(waiter), &err) ||
        tap_value_read(&output, L, index, tap_shape_of(model, operation, "output"), &err))
        tap_lua_raise(L, &err);
    return output;
}

/* Raises why the wait has ended; the error's field `seen` is what was seen last: expression ->
 * value. [-0, +0, v] */
static _Noreturn void raise_end(lua_State *L, const struct tap_waiter *waiter,
                                const struct tap_error *why)
{
    struct tap_error ignored;
    tap_lua_push_error(L, why);
    if (tap_value_push(L, tap_waiter_seen(waiter), TAP_KEYS_REMEMBER, (struct tap_shape){0},
                       &ignored) == TAP_OK)
        lua_setfield(L, -2, "seen");
    lua_error(L);
    __builtin_unreachable();
}

/* w:feed(output) or w:feed(nil, error) -> "success" | "again", seconds | "error" */
static tap_nresults l_feed(lua_State *L)
{
    struct tap_waiter *waiter = check_waiter(L);
    int64_t now_ms = tap_loop_now(tap_task_loop(L));
    struct tap_error error, why;
    json_t *output = NULL;
    if (lua_isnil(L, 2))
        read_error(&error, L, 3);
    else
        output = read_output(L, 2, waiter);
    struct tap_waiter_answer answer =
        tap_waiter_feed(waiter, output, output ? NULL : &error, now_ms, &why);
    json_decref(output);
    switch (answer.state) {
    case TAP_WAITER_SUCCESS: lua_pushliteral(L, "success"); return 1;
    case TAP_WAITER_AGAIN:
        lua_pushliteral(L, "again");
        tap_lua_push_seconds(L, answer.sleep_ms);
        return 2;
    case TAP_WAITER_FAILURE:
        if (answer.acceptor)
            raise_end(L, waiter, &why);
        lua_pushliteral(L, "error");
        return 1;
    case TAP_WAITER_TIMEOUT: break;
    }
    raise_end(L, waiter, &why);
}

int luaopen_tap_core_waiter(lua_State *L)
{
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
