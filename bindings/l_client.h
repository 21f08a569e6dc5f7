/*
 * Clients, for the bindings that make calls in their own way (pages).
 */
#ifndef TAP_L_CLIENT_H
#define TAP_L_CLIENT_H

#include <lua.h>

#include "core/client.h"
#include "lua_util.h"

/* The open client at `index`; an argument error otherwise. [-0, +0, e] */
struct tap_client *tap_lua_client(lua_State *L, int index);
/* Pushes the output of a call that has succeeded, and { request_id =, attempts = }. `operation` is
 * the model's. [-0, +2, e] */
tap_nresults tap_lua_push_call(lua_State *L, struct tap_op *op, const struct tap_model *model,
                               const json_t *operation);
/* Raises an error that is known to belong to a call, though nothing has been sent. [-0, +0, v] */
_Noreturn void tap_lua_raise_of_call(lua_State *L, struct tap_error *err,
                                     const struct tap_model *model, const json_t *operation);

#endif
