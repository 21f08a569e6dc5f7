/*
 * tap.core.model: the service models, as Lua tables of botocore's form.
 *
 *     model.services()                  -- sorted list of names
 *     local m = model.load "cloudformation"
 *     m:metadata()  m:operations()  m:operation "describe_stacks"  m:shape "Stack"  m:part
 * "waiters"
 *
 * The tables are copies made at each call: what a script does to them changes nothing.
 */
#include "core/mem.h"
#include "core/model.h"
#include "lua_util.h"
#include "modules.h"
#include "value.h"

static const struct tap_handle_type model_type;

/* Pushes a part of a model, or nil when there is none. [-0, +1, e] */
static void push_part(lua_State *L, const json_t *part)
{
    struct tap_error err;
    if (!part)
        lua_pushnil(L);
    else if (tap_value_push(L, part, TAP_KEYS_REMEMBER, (struct tap_shape){0}, &err))
        tap_lua_raise(L, &err);
}

/* services() -> sorted list of every known service's name. */
static tap_nresults l_services(lua_State *L)
{
    size_t n;
    const char **names = tap_model_services(&n);
    tap_list_push_texts(L, names, n);
    tap_free(names);
    return 1;
}

/* load(service) -> model. Raises, with the nearest name, when there is no such service. */
static tap_nresults l_load(lua_State *L)
{
    const char *service = luaL_checkstring(L, 1);
    const struct tap_model *model;
    struct tap_error err;
    if (tap_model_load(&model, service, &err))
        tap_lua_raise(L, &err);
    void **slot = tap_handle_new(L, &model_type, 0);
    *slot = (void *)model; /* borrowed from the process's models; only read */
    return 1;
}

static const struct tap_model *check_model(lua_State *L)
{
    return tap_handle_check(L, 1, &model_type);
}

static tap_nresults l_service(lua_State *L)
{
    lua_pushstring(L, tap_model_service(check_model(L)));
    return 1;
}

/* m:metadata() -> { protocol =, apiVersion =, endpointPrefix =, ... } */
static tap_nresults l_metadata(lua_State *L)
{
    push_part(L, tap_model_metadata(check_model(L)));
    return 1;
}

/* m:operations() -> sorted list of names. */
static tap_nresults l_operations(lua_State *L)
{
    size_t n;
    const char *const *names = tap_model_operations(check_model(L), &n);
    tap_list_push_texts(L, names, n);
    return 1;
}

/* m:operation(name) -> { name =, http =, input =, output =, errors = }, by any spelling of the
 * name. Raises, with the nearest name, when there is no such operation. */
static tap_nresults l_operation(lua_State *L)
{
    const json_t *operation;
    struct tap_error err;
    if (tap_model_operation(&operation, check_model(L), luaL_checkstring(L, 2), &err))
        tap_lua_raise(L, &err);
    push_part(L, operation);
    return 1;
}

/* m:shape(name) -> the shape, or nil. */
static tap_nresults l_shape(lua_State *L)
{
    push_part(L, tap_model_shape(check_model(L), luaL_checkstring(L, 2)));
    return 1;
}

/* m:part("waiters" | "paginators" | "endpoint-rules") -> the whole of it, or nil. */
static tap_nresults l_part(lua_State *L)
{
    push_part(L, tap_model_part(check_model(L), luaL_checkstring(L, 2)));
    return 1;
}

static void close_model(void *model)
{
    (void)model; /* the process keeps it */
}

static const luaL_Reg methods[] = {
    {"service", l_service},
    {"metadata", l_metadata},
    {"operations", l_operations},
    {"operation", l_operation},
    {"shape", l_shape},
    {"part", l_part},
    {NULL, NULL},
};
static const struct tap_handle_type model_type = {"tap.model", close_model, methods};

int luaopen_tap_core_model(lua_State *L)
{
    static const luaL_Reg functions[] = {{"services", l_services}, {"load", l_load}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
