/*
 * The json protocol (AWS JSON 1.0 and 1.1), client's side: every operation is a POST to "/", named
 * in a header; input, output and errors are JSON.
 *
 * Source: Smithy, "AWS JSON 1.0/1.1 protocol", "AWS query compatible".
 */
#include "jsonrpc.h"

#include "mem.h"
#include "protocol_answer.h"
#include "protocol_json.h"
#include "protocol_request.h"

static const char *metadata(const struct tap_model *model, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(tap_model_metadata(model), name));
    return text ? text : otherwise;
}

void tap_jsonrpc_content_type(struct tap_headers *headers, const struct tap_model *model)
{
    char *type = tap_sprintf("application/x-amz-json-%s", metadata(model, "jsonVersion", "1.0"));
    tap_headers_set(headers, "Content-Type", type);
    tap_free(type);
}

const char *tap_jsonrpc_prefix(const struct tap_model *model)
{
    return metadata(model, "targetPrefix", "");
}

static tap_err build_request(struct tap_request *out, const struct tap_model *model,
                             const json_t *operation, const json_t *input, struct tap_error *err)
{
    const json_t *ref = json_object_get(operation, "input");
    char *target = tap_sprintf("%s.%s", tap_jsonrpc_prefix(model),
                               json_string_value(json_object_get(operation, "name")));
    tap_set(&out->method, "POST");
    tap_set(&out->target, "/");
    tap_headers_set(&out->headers, "X-Amz-Target", target);
    tap_free(target);
    tap_jsonrpc_content_type(&out->headers, model);
    if (tap_model_is_query_compatible(model))
        tap_headers_set(&out->headers, "x-amzn-query-mode", "true");
    tap_buf_reset(&out->body);
    tap_err code = tap_refuse_event_stream(model, operation, err);
    if (!code && ref && input)
        code = tap_json_write_value(&out->body, model, ref, input, err);
    else if (!code)
        tap_buf_puts(&out->body, "{}");
    if (!code)
        code = tap_finish_request(out, model, operation, input, err);
    return code;
}

static tap_err parse_response(json_t **output, const struct tap_model *model,
                              const json_t *operation, const struct tap_response *response,
                              struct tap_error *err)
{
    const json_t *ref = json_object_get(operation, "output");
    struct tap_error why;
    tap_err code = TAP_OK;
    *output = NULL;
    if (ref)
        code = tap_json_read_text(output, model, ref, tap_buf_text(&response->body),
                                  response->body.len, &why);
    if (!code && !*output)
        *output = json_object();
    return code ? tap_answer_unread(err, model, response, "JSON", &why) : TAP_OK;
}

const struct tap_protocol tap_protocol_json = {
    .name = "json",
    .body_alone = true,
    .build_request = build_request,
    .parse_response = parse_response,
    .parse_error = tap_answer_parse_json_error,
    .read_request = tap_jsonrpc_read_request,
    .write_response = tap_jsonrpc_write_response,
    .write_error = tap_jsonrpc_write_error,
};
