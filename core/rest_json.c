/*
 * The rest-json protocol.
 */
#include "json.h"
#include "mem.h"
#include "protocol_answer.h"
#include "protocol_json.h"
#include "rest.h"

static tap_err write_json(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                          const char *payload, const json_t *value, struct tap_error *err)
{
    (void)payload;
    return tap_json_write_value(out, model, ref, value, err);
}

static tap_err read_json(json_t **value, const struct tap_model *model, const json_t *ref,
                         const struct tap_buf *body, struct tap_error *err)
{
    return tap_json_read_text(value, model, ref, tap_buf_text(body), body->len, err);
}

static const struct tap_rest_format format = {
    .name = "JSON",
    .content_type = "application/json",
    .empty = "{}",
    .refusal = "SerializationException",
    .write = write_json,
    .read = read_json,
};

/* True when the answer's body is bytes or a text, whose type the caller may ask for. */
static bool answers_raw(const struct tap_model *model, const json_t *operation)
{
    const json_t *ref = json_object_get(operation, "output");
    const json_t *shape = ref ? tap_ref_shape(model, ref) : NULL;
    const char *member = json_string_value(json_object_get(shape, "payload"));
    if (!member)
        return false;
    const json_t *payload = json_object_get(json_object_get(shape, "members"), member);
    enum tap_shape_kind kind = tap_shape_kind(tap_ref_shape(model, payload));
    return kind == TAP_SHAPE_BLOB || kind == TAP_SHAPE_STRING;
}

static tap_err build_request(struct tap_request *out, const struct tap_model *model,
                             const json_t *operation, const json_t *input, struct tap_error *err)
{
    tap_err code = tap_rest_build_request(out, &format, model, operation, input, err);
    /* API Gateway answers in another JSON unless it is asked for this one */
    if (!code && !tap_headers_get(&out->headers, "Accept") && !answers_raw(model, operation))
        tap_headers_set(&out->headers, "Accept", format.content_type);
    return code;
}

static tap_err parse_response(json_t **output, const struct tap_model *model,
                              const json_t *operation, const struct tap_response *response,
                              struct tap_error *err)
{
    return tap_rest_parse_response(output, &format, model, operation, response, err);
}

static tap_err read_request(const json_t **operation, json_t **input, const struct tap_model *model,
                            const struct tap_request *request, struct tap_error *err)
{
    return tap_rest_read_request(operation, input, &format, model, request, err);
}

static void write_response(struct tap_response *out, const struct tap_model *model,
                           const json_t *operation, const json_t *output, const char *request_id)
{
    tap_rest_write_response(out, &format, model, operation, output, request_id);
}

static void write_error(struct tap_response *out, const struct tap_model *model,
                        const struct tap_error *error, const char *request_id)
{
    out->status = error->http_status ? error->http_status : 400;
    tap_headers_set(&out->headers, "Content-Type", format.content_type);
    tap_headers_set(&out->headers, "x-amzn-RequestId", request_id);
    tap_headers_set(&out->headers, "x-amzn-ErrorType", tap_answer_begin_error(out, model, error));
    tap_buf_reset(&out->body);
    json_t *body = json_pack("{s:s}", "message", error->message);
    char *text = tap_json_print(body);
    tap_buf_puts(&out->body, text);
    tap_free(text);
    json_decref(body);
}

const struct tap_protocol tap_protocol_rest_json = {
    .name = "rest-json",
    .build_request = build_request,
    .parse_response = parse_response,
    .parse_error = tap_answer_parse_json_error,
    .read_request = read_request,
    .write_response = write_response,
    .write_error = write_error,
};
