/*
 * REST requests: what a client sends, and how a server reads it.
 */
#include "json.h"
#include "mem.h"
#include "protocol_gzip.h"
#include "protocol_request.h"
#include "rest.h"

tap_err tap_rest_build_request(struct tap_request *out, const struct tap_rest_format *format,
                               const struct tap_model *model, const json_t *operation,
                               const json_t *input, struct tap_error *err)
{
    const char *method =
        json_string_value(json_object_get(json_object_get(operation, "http"), "method"));
    const json_t *ref = json_object_get(operation, "input");
    char *target = NULL;
    tap_err code = tap_refuse_event_stream(model, operation, err);
    if (!code)
        code = tap_rest_build_target(&target, model, operation, input, err);
    if (code)
        return code;
    tap_set(&out->method, method ? method : "POST");
    tap_set(&out->target, target);
    tap_free_secret(target);
    tap_buf_reset(&out->body);
    if (ref)
        code = tap_rest_write_headers(&out->headers, model, tap_ref_shape(model, ref), input, err);
    if (!code && ref)
        code = tap_rest_write_body(&out->body, &out->headers, format, TAP_REST_REQUEST, model, ref,
                                   input, err);
    return code ? code : tap_finish_request(out, model, operation, input, err);
}

/* Members of headers and body join those of the path. */
static tap_err read_rest(json_t *input, const struct tap_rest_format *format,
                         const struct tap_model *model, const json_t *ref,
                         const struct tap_request *request, struct tap_error *err)
{
    struct tap_buf plain;
    json_t *members = NULL;
    tap_buf_init(&plain, TAP_MAX_DOCUMENT);
    const struct tap_buf *body = tap_plain_body(&plain, request);
    tap_err code =
        body ? tap_rest_read_body(&members, format, TAP_REST_REQUEST, model, ref, body, err)
             : tap_fail(err, TAP_E_PARSE, "InvalidBody", "the request's body is not valid gzip");
    json_object_update(input, members);
    json_decref(members);
    tap_buf_fini_secret(&plain);
    return code ? code
                : tap_rest_read_headers(input, model, tap_ref_shape(model, ref), &request->headers,
                                        err);
}

tap_err tap_rest_read_request(const json_t **operation, json_t **input,
                              const struct tap_rest_format *format, const struct tap_model *model,
                              const struct tap_request *request, struct tap_error *err)
{
    tap_err code = tap_rest_route(operation, input, model, request, err);
    if (code)
        return code;
    const json_t *ref = json_object_get(*operation, "input");
    struct tap_error why;
    if (!ref || !read_rest(*input, format, model, ref, request, &why))
        return TAP_OK;
    json_decref(*input);
    *input = NULL;
    return tap_refuse_request(err, 400, format->refusal, "%s", why.message);
}
