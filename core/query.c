/*
 * The query protocol's names on the wire, and its entry in the table of protocols.
 */
#include "query.h"

#include "mem.h"

bool tap_query_flattened(const json_t *ref, const json_t *shape)
{
    return tap_ref_flag(ref, "flattened") || tap_ref_flag(shape, "flattened");
}

const char *tap_query_member_name(const struct tap_model *model, const json_t *ref,
                                  const char *member)
{
    const json_t *shape = tap_ref_shape(model, ref);
    const char *name = json_string_value(json_object_get(ref, "locationName"));
    /* Models of before Smithy say "flattened" on the list itself; then its elements' name stands in
     * place of the member's. */
    if (tap_shape_kind(shape) == TAP_SHAPE_LIST && tap_ref_flag(shape, "flattened")) {
        const json_t *item = json_object_get(shape, "member");
        const char *item_name = json_string_value(json_object_get(item, "locationName"));
        name = item_name ? item_name : name;
    }
    return name ? name : member;
}

static const char *inner_name(const json_t *shape, const char *part, const char *otherwise)
{
    const json_t *ref = json_object_get(shape, part);
    const char *name = json_string_value(json_object_get(ref, "locationName"));
    return name ? name : otherwise;
}

const char *tap_query_item_name(const json_t *list)
{
    return inner_name(list, "member", "member");
}

const char *tap_query_key_name(const json_t *map)
{
    return inner_name(map, "key", "key");
}

const char *tap_query_value_name(const json_t *map)
{
    return inner_name(map, "value", "value");
}

char *tap_query_result_name(const json_t *operation)
{
    const json_t *output = json_object_get(operation, "output");
    const char *wrapper = json_string_value(json_object_get(output, "resultWrapper"));
    return wrapper ? tap_strdup(wrapper)
                   : tap_sprintf("%sResult", json_string_value(json_object_get(operation, "name")));
}

const struct tap_protocol tap_protocol_query = {
    .name = "query",
    .build_request = tap_query_build_request,
    .parse_response = tap_query_parse_response,
    .parse_error = tap_query_parse_error,
    .read_request = tap_query_read_request,
    .write_response = tap_query_write_response,
    .write_error = tap_query_write_error,
};
