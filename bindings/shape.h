/*
 * What a service's model says about a value: which texts are blobs (base64 on the wire side of the
 * core, byte strings for Lua) and which tables are lists even when they are empty.
 */
#ifndef TAP_BINDINGS_SHAPE_H
#define TAP_BINDINGS_SHAPE_H

#include <jansson.h>
#include <lua.h>
#include <stdbool.h>

#include "core/model.h"

/* A node's shape and the model that it belongs to. No shape: nothing is known here nor below. */
struct tap_shape {
    const struct tap_model *model;
    const json_t *shape;
};

/* The shape of the operation's "input" or "output"; none when it has no members. */
struct tap_shape tap_shape_of(const struct tap_model *model, const json_t *operation,
                              const char *side);
/* The same shape when a blob can be reached from it, else none, which spares the walk along it. The
 * answer is worked out once a shape. [-0, +0, -] */
struct tap_shape tap_shape_if_blobs(lua_State *L, struct tap_shape shape);
/* The shape of a structure's member or a map's value. */
struct tap_shape tap_shape_member(struct tap_shape shape, const char *name);
/* The shape of a list's elements. */
struct tap_shape tap_shape_element(struct tap_shape shape);
bool tap_shape_is_blob(struct tap_shape shape);
bool tap_shape_is_list(struct tap_shape shape);

#endif
