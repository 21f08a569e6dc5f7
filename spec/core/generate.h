/*
 * Values made up by a model's shapes, the same ones every time: what the least input of an
 * operation is, and one that fills everything to a depth. Include after cmocka.h.
 */
#ifndef TAP_SPEC_GENERATE_H
#define TAP_SPEC_GENERATE_H

#include <string.h>

#include "core/mem.h"
#include "core/model.h"

enum { REQUIRED_ONLY = 0 }; /* as depth: nothing optional */

static inline json_t *generate(const struct tap_model *model, const json_t *ref, int depth);

static inline bool fits_into(const struct tap_model *model, const json_t *ref, int levels);

static inline bool is_listed(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
            return true;
    return false;
}

static inline bool has_flag(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

/* The member of a union that is given: the one whose least value nests least, as unions may hold
 * themselves. */
static inline const char *chosen_member(const struct tap_model *model, const json_t *members)
{
    const char *name;
    json_t *ref;
    for (int levels = 0; levels < 10; levels++)
        json_object_foreach((json_t *)members, name,
                            ref) if (fits_into(model, ref, levels)) return name;
    return NULL;
}

/* True when the least value of that shape nests at most so many levels. */
static inline bool fits_into(const struct tap_model *model, const json_t *ref, int levels)
{
    const json_t *shape = tap_model_shape(model, json_string_value(json_object_get(ref, "shape")));
    const json_t *members = json_object_get(shape, "members");
    const json_t *inner = json_object_get(shape, "member");
    bool is_union = has_flag(shape, "union"), fits = !is_union;
    const char *name;
    json_t *member;
    if (inner)
        return json_integer_value(json_object_get(shape, "min")) < 1 ||
               (levels > 0 && fits_into(model, inner, levels - 1));
    if (members && !levels)
        return !is_union && !json_array_size(json_object_get(shape, "required"));
    json_object_foreach((json_t *)members, name, member)
    {
        if (is_union)
            fits = fits || fits_into(model, member, levels - 1);
        else if (is_listed(json_object_get(shape, "required"), name))
            fits = fits && fits_into(model, member, levels - 1);
    }
    return fits;
}

/* `depth` levels get their optional members; of a union, exactly one member is given. */
static inline json_t *generate_structure(const struct tap_model *model, const json_t *shape,
                                         int depth)
{
    const json_t *members = json_object_get(shape, "members");
    const json_t *required = json_object_get(shape, "required");
    const char *only = has_flag(shape, "union") ? chosen_member(model, members) : NULL;
    json_t *value = json_object();
    const char *name;
    json_t *ref;
    json_object_foreach((json_t *)members, name, ref)
    {
        if (only ? strcmp(name, only) != 0 : depth <= 0 && !is_listed(required, name))
            continue;
        json_t *inner = generate(model, ref, depth - 1);
        const char *location = json_string_value(json_object_get(ref, "location"));
        if (location && strcmp(location, "statusCode") == 0)
            json_integer_set(inner, 200);
        json_object_set_new(value, name, inner);
    }
    return value;
}

static inline json_t *generate_list(const struct tap_model *model, const json_t *shape, int depth)
{
    json_int_t n = json_integer_value(json_object_get(shape, "min"));
    json_t *list = json_array();
    if (n < 1 && depth > 0)
        n = 1;
    for (json_int_t i = 0; i < n; i++)
        json_array_append_new(list, generate(model, json_object_get(shape, "member"), depth));
    return list;
}

static inline json_t *generate_map(const struct tap_model *model, const json_t *shape, int depth)
{
    json_t *map = json_object();
    json_t *key = generate(model, json_object_get(shape, "key"), depth);
    if (depth > 0 || json_integer_value(json_object_get(shape, "min")) > 0)
        json_object_set_new(map, json_string_value(key),
                            generate(model, json_object_get(shape, "value"), depth));
    json_decref(key);
    return map;
}

static inline json_t *generate_string(const json_t *shape)
{
    const json_t *first = json_array_get(json_object_get(shape, "enum"), 0);
    size_t n = (size_t)json_integer_value(json_object_get(shape, "min"));
    if (first)
        return json_deep_copy(first);
    char *text = tap_alloc(n + 2);
    memset(text, 'a', n ? n : 1);
    json_t *value = json_string(text);
    tap_free(text);
    return value;
}

/* A new reference. */
static inline json_t *generate(const struct tap_model *model, const json_t *ref, int depth)
{
    const json_t *shape = tap_model_shape(model, json_string_value(json_object_get(ref, "shape")));
    const char *type = json_string_value(json_object_get(shape, "type"));
    double min = json_number_value(json_object_get(shape, "min"));
    if (has_flag(shape, "document"))
        return json_pack("{s:i}", "a", 1);
    if (strcmp(type, "structure") == 0)
        return generate_structure(model, shape, depth);
    if (strcmp(type, "list") == 0)
        return generate_list(model, shape, depth);
    if (strcmp(type, "map") == 0)
        return generate_map(model, shape, depth);
    if (strcmp(type, "string") == 0 || strcmp(type, "character") == 0)
        return generate_string(shape);
    if (strcmp(type, "blob") == 0)
        return json_string("AP8=");
    if (strcmp(type, "boolean") == 0)
        return json_true();
    if (strcmp(type, "timestamp") == 0)
        return json_integer(1767225600);
    if (strcmp(type, "float") == 0 || strcmp(type, "double") == 0)
        return json_real(min > 0.5 ? min : 0.5);
    return json_integer(min > 1 ? (json_int_t)min : 1);
}

/* Of an operation's "input" or "output"; an empty object when it has none. */
static inline json_t *generate_for(const struct tap_model *model, const json_t *operation,
                                   const char *which, int depth)
{
    const json_t *ref = json_object_get(operation, which);
    return ref ? generate(model, ref, depth) : json_object();
}

#endif
