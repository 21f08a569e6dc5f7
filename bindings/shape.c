/*
 * Walking a value tree along its model. See shape.h.
 */
#include "shape.h"

#include <string.h>

/* Registry key of the table {shape's address -> whether a blob can be reached from it}. Models stay
 * in memory for the life of the process, so an address says which shape it is. */
static const char known_key = 0;

static bool has_type(const json_t *shape, const char *type)
{
    const char *its = json_string_value(json_object_get(shape, "type"));
    return its && strcmp(its, type) == 0;
}

/* The shape that a reference ({"shape": NAME}) names. */
static struct tap_shape follow(const struct tap_model *model, const json_t *reference)
{
    const char *name = json_string_value(json_object_get(reference, "shape"));
    return (struct tap_shape){model, name ? tap_model_shape(model, name) : NULL};
}

struct tap_shape tap_shape_of(const struct tap_model *model, const json_t *operation,
                              const char *side)
{
    return follow(model, json_object_get(operation, side));
}

struct tap_shape tap_shape_member(struct tap_shape shape, const char *name)
{
    if (!shape.shape)
        return shape;
    const json_t *members = json_object_get(shape.shape, "members");
    return follow(shape.model,
                  members ? json_object_get(members, name) : json_object_get(shape.shape, "value"));
}

struct tap_shape tap_shape_element(struct tap_shape shape)
{
    return shape.shape ? follow(shape.model, json_object_get(shape.shape, "member")) : shape;
}

bool tap_shape_is_blob(struct tap_shape shape)
{
    return has_type(shape.shape, "blob");
}

bool tap_shape_is_list(struct tap_shape shape)
{
    return has_type(shape.shape, "list");
}

static bool reference_reaches_blob(const struct tap_model *model, const json_t *reference,
                                   json_t *seen);

/* Depth first; `seen` (a set of names) ends recursive shapes. */
static bool reaches_blob(const struct tap_model *model, const json_t *shape, json_t *seen)
{
    if (has_type(shape, "blob") ||
        reference_reaches_blob(model, json_object_get(shape, "member"), seen) ||
        reference_reaches_blob(model, json_object_get(shape, "value"), seen))
        return true;
    const char *name;
    json_t *member;
    json_object_foreach(json_object_get(shape, "members"), name, member)
    {
        if (reference_reaches_blob(model, member, seen))
            return true;
    }
    return false;
}

static bool reference_reaches_blob(const struct tap_model *model, const json_t *reference,
                                   json_t *seen)
{
    const char *name = json_string_value(json_object_get(reference, "shape"));
    if (!name || json_object_get(seen, name))
        return false;
    json_object_set_new(seen, name, json_true());
    return reaches_blob(model, tap_model_shape(model, name), seen);
}

/* [-0, +1, m] */
static void push_known(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &known_key) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &known_key);
}

struct tap_shape tap_shape_if_blobs(lua_State *L, struct tap_shape shape)
{
    if (!shape.shape)
        return shape;
    push_known(L);
    if (lua_rawgetp(L, -1, shape.shape) == LUA_TNIL) {
        json_t *seen = json_object();
        lua_pop(L, 1);
        lua_pushboolean(L, reaches_blob(shape.model, shape.shape, seen));
        json_decref(seen);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, shape.shape);
    }
    if (!lua_toboolean(L, -1))
        shape.shape = NULL;
    lua_pop(L, 2);
    return shape;
}
