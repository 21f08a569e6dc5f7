/*
 * The query protocol's names on the wire, and its entry in the table of protocols.
 */
#include "query.h"

#include "mem.h"
#include "protocol_answer.h"

char *tap_query_result_name(const json_t *operation)
{
    const json_t *output = json_object_get(operation, "output");
    const char *wrapper = json_string_value(json_object_get(output, "resultWrapper"));
    return wrapper ? tap_strdup(wrapper)
                   : tap_sprintf("%sResult", json_string_value(json_object_get(operation, "name")));
}

static void add_name(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                     const char *member)
{
    tap_buf_puts(out, tap_wire_name(ref, tap_ref_shape(model, ref), member));
}

static const struct tap_query_dialect dialect = {.add_name = add_name, .empty_lists = true};

static tap_err build_request(struct tap_request *out, const struct tap_model *model,
                             const json_t *operation, const json_t *input, struct tap_error *err)
{
    return tap_query_build_form(out, &dialect, model, operation, input, err);
}

static tap_err read_request(const json_t **operation, json_t **input, const struct tap_model *model,
                            const struct tap_request *request, struct tap_error *err)
{
    return tap_query_read_form(operation, input, &dialect, model, request, err);
}

const struct tap_protocol tap_protocol_query = {
    .name = "query",
    .body_alone = true,
    .build_request = build_request,
    .parse_response = tap_query_parse_response,
    .parse_error = tap_answer_parse_xml_error,
    .read_request = read_request,
    .write_response = tap_query_write_response,
    .write_error = tap_query_write_error,
};
