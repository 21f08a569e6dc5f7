/*
 * tap.core.pages: the pages of an operation (core/paginator.h). Each page is one call.
 *
 *     local pages = require "tap.core.pages".new(client, "DescribeStackEvents", { StackName = "web"
 * }) repeat local output = pages:next() until not output
 *
 * Pages that are only wanted as a whole are joined in the core and never become Lua values.
 */
#include "core/paginator.h"

#include "core/mem.h"
#include "l_client.h"
#include "modules.h"
#include "shape.h"
#include "task.h"
#include "value.h"

struct pages {
    struct tap_paginator *paginator;
    const struct tap_model *model;
    const json_t *operation;
    json_t *whole; /* of the pages that l_join has read */
};

static void close_pages(void *ptr)
{
    struct pages *pages = ptr;
    tap_paginator_free(pages->paginator);
    json_decref(pages->whole);
    tap_free(pages);
}

static tap_nresults l_next(lua_State *L);
static tap_nresults l_join(lua_State *L);
static tap_nresults l_whole(lua_State *L);
static tap_nresults l_result(lua_State *L);

static const luaL_Reg methods[] = {
    {"next", l_next}, {"join", l_join}, {"whole", l_whole}, {"result", l_result}, {NULL, NULL},
};
static const struct tap_handle_type pages_type = {"tap.pages", close_pages, methods};

enum { CLIENT = 1 }; /* the handle's user value: the client must outlive it */

/* new(client, operation[, input]) -> pages. Raises when the operation has none. */
static tap_nresults l_new(lua_State *L)
{
    struct tap_client *client = tap_lua_client(L, 1);
    const char *name = luaL_checkstring(L, 2);
    const struct tap_model *model = tap_client_model(client);
    const json_t *operation;
    struct tap_error err;
    lua_settop(L, 3);
    if (tap_model_operation(&operation, model, name, &err))
        tap_lua_raise(L, &err);
    void **slot = tap_handle_new(L, &pages_type, CLIENT);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, CLIENT);

    json_t *input = NULL;
    struct tap_paginator *paginator = NULL;
    tap_err failed = TAP_OK;
    if (!lua_isnil(L, 3))
        failed = tap_value_read(&input, L, 3, tap_shape_of(model, operation, "input"), &err);
    if (!failed)
        failed = tap_paginator_new(&paginator, model, name, input, &err);
    json_decref(input);
    if (failed)
        tap_lua_raise_of_call(L, &err, model, operation);
    struct pages *pages = tap_alloc(sizeof *pages);
    *pages = (struct pages){paginator, model, operation, json_object()};
    *slot = pages;
    return 1;
}

static struct pages *check_pages(lua_State *L)
{
    return tap_handle_check(L, 1, &pages_type);
}

/* Calls for the next page and hands it to `result`; without a further page there is no result. */
static tap_nresults read_page(lua_State *L, tap_task_result *result)
{
    struct pages *pages = check_pages(L);
    json_t *input = tap_paginator_input(pages->paginator);
    if (!input)
        return 0;
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, CLIENT);
    struct tap_client *client = tap_lua_client(L, 2);
    tap_task_check(L);
    struct tap_op *op;
    struct tap_error err;
    if (tap_client_call(&op, client, tap_paginator_operation(pages->paginator), input, &err))
        tap_lua_raise_of_call(L, &err, pages->model, pages->operation);
    return tap_task_wait(L, op, result);
}

/* A page has come: what follows it. [-0, +0, e] */
static void turn(lua_State *L, struct pages *pages, struct tap_op *op)
{
    struct tap_error err;
    if (tap_paginator_feed(pages->paginator, tap_call_output(op), &err))
        tap_lua_raise_of_call(L, &err, pages->model, pages->operation);
}

static tap_nresults next_results(lua_State *L, struct tap_op *op)
{
    struct pages *pages = check_pages(L);
    turn(L, pages, op);
    return tap_lua_push_call(L, op, pages->model, pages->operation);
}

/* p:next() -> the next page's output, { request_id =, attempts = }; nothing behind the last one.
 * Waits. */
static tap_nresults l_next(lua_State *L)
{
    return read_page(L, next_results);
}

static tap_nresults join_results(lua_State *L, struct tap_op *op)
{
    struct pages *pages = check_pages(L);
    struct tap_error err;
    if (tap_paginator_merge(pages->whole, pages->paginator, tap_call_output(op), &err))
        tap_lua_raise_of_call(L, &err, pages->model, pages->operation);
    turn(L, pages, op);
    lua_pushboolean(L, 1);
    return 1;
}

/* p:join() -> true when there was a page, which is now a part of p:whole(). Waits. */
static tap_nresults l_join(lua_State *L)
{
    return read_page(L, join_results);
}

/* p:whole() -> the pages that p:join() has read, as one output. */
static tap_nresults l_whole(lua_State *L)
{
    struct pages *pages = check_pages(L);
    struct tap_shape shape = tap_shape_of(pages->model, pages->operation, "output");
    struct tap_error err;
    if (tap_value_push(L, pages->whole, TAP_KEYS_FORGET, shape, &err))
        tap_lua_raise_of_call(L, &err, pages->model, pages->operation);
    return 1;
}

/* p:result() -> where a page has its items: "StackEvents", "DistributionList.Items". */
static tap_nresults l_result(lua_State *L)
{
    lua_pushstring(L, tap_paginator_result(check_pages(L)->paginator));
    return 1;
}

int luaopen_tap_core_pages(lua_State *L)
{
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
