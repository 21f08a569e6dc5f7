/*
 * The query protocol's names on the wire, and its entry in the table of protocols.
 */
#include "query.h"

#include "mem.h"

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
