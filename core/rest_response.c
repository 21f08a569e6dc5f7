/*
 * REST responses: how a client reads them, and what a server writes.
 */
#include <string.h>

#include "protocol_answer.h"
#include "rest.h"

static const char *status_member(const json_t *shape)
{
    const json_t *members = json_object_get(shape, "members");
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at))
        if (strcmp(tap_rest_location(json_object_iter_value(at)), "statusCode") == 0)
            return json_object_iter_key(at);
    return NULL;
}

tap_err tap_rest_parse_response(json_t **output, const struct tap_rest_format *format,
                                const struct tap_model *model, const json_t *operation,
                                const struct tap_response *response, struct tap_error *err)
{
    const json_t *ref = json_object_get(operation, "output");
    struct tap_error why;
    *output = NULL;
    if (!ref) {
        *output = json_object();
        return TAP_OK;
    }
    const json_t *shape = tap_ref_shape(model, ref);
    const char *status = status_member(shape);
    tap_err code =
        tap_rest_read_body(output, format, TAP_REST_ANSWER, model, ref, &response->body, &why);
    if (!code)
        code = tap_rest_read_headers(*output, model, shape, &response->headers, &why);
    if (code) {
        json_decref(*output);
        *output = NULL;
        return tap_answer_unread(err, model, response, format->name, &why);
    }
    if (status)
        json_object_set_new(*output, status, json_integer(response->status));
    return TAP_OK;
}

void tap_rest_write_response(struct tap_response *out, const struct tap_rest_format *format,
                             const struct tap_model *model, const json_t *operation,
                             const json_t *output, const char *request_id)
{
    const json_t *ref = json_object_get(operation, "output");
    const json_t *shape = ref ? tap_ref_shape(model, ref) : NULL;
    const char *member = status_member(shape);
    json_int_t status = json_integer_value(member ? json_object_get(output, member) : NULL);
    if (!status)
        status =
            json_integer_value(json_object_get(json_object_get(operation, "http"), "responseCode"));
    out->status = status ? (int)status : 200;
    tap_headers_set(&out->headers, "x-amzn-RequestId", request_id);
    tap_buf_reset(&out->body);
    if (!ref)
        return;
    tap_rest_write_headers(&out->headers, model, shape, output, NULL);
    tap_rest_write_body(&out->body, &out->headers, format, TAP_REST_ANSWER, model, ref, output,
                        NULL);
}
