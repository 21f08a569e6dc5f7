/*
 * The json protocol, server's side, for the sandbox. The names of the errors are those of AWS's
 * servers.
 */
#include <string.h>

#include "json.h"
#include "jsonrpc.h"
#include "mem.h"
#include "protocol_answer.h"
#include "protocol_json.h"
#include "protocol_request.h"

/* The operation that X-Amz-Target names, spelt exactly. */
static tap_err find_operation(const json_t **operation, const struct tap_model *model,
                              const struct tap_request *request, struct tap_error *err)
{
    const char *target = tap_headers_get(&request->headers, "X-Amz-Target");
    const char *prefix = tap_jsonrpc_prefix(model);
    size_t n = strlen(prefix);
    if (target && strncmp(target, prefix, n) == 0 && target[n] == '.' &&
        tap_find_operation(operation, model, target + n + 1))
        return TAP_OK;
    return tap_refuse_request(err, 400, "UnknownOperationException",
                              "The operation that X-Amz-Target names (%s) is not known",
                              target ? target : "none");
}

static tap_err read_body(json_t **value, const struct tap_model *model, const json_t *ref,
                         const struct tap_buf *body, struct tap_error *err)
{
    return tap_json_read_text(value, model, ref, tap_buf_text(body), body->len, err);
}

tap_err tap_jsonrpc_read_request(const json_t **operation, json_t **input,
                                 const struct tap_model *model, const struct tap_request *request,
                                 struct tap_error *err)
{
    *operation = NULL;
    *input = NULL;
    tap_err code = find_operation(operation, model, request, err);
    return code ? code : tap_read_input(input, model, *operation, request, read_body, err);
}

static void begin(struct tap_response *out, const struct tap_model *model, int status,
                  const char *request_id)
{
    out->status = status;
    tap_jsonrpc_content_type(&out->headers, model);
    tap_headers_set(&out->headers, "x-amzn-RequestId", request_id);
    tap_buf_reset(&out->body);
}

void tap_jsonrpc_write_response(struct tap_response *out, const struct tap_model *model,
                                const json_t *operation, const json_t *output,
                                const char *request_id)
{
    const json_t *ref = json_object_get(operation, "output");
    begin(out, model, 200, request_id);
    if (ref)
        tap_json_write_value(&out->body, model, ref, output, NULL);
    else
        tap_buf_puts(&out->body, "{}");
}

void tap_jsonrpc_write_error(struct tap_response *out, const struct tap_model *model,
                             const struct tap_error *error, const char *request_id)
{
    begin(out, model, error->http_status ? error->http_status : 400, request_id);
    json_t *body = json_pack("{s:s, s:s}", "__type", tap_answer_begin_error(out, model, error),
                             "message", error->message);
    char *text = tap_json_print(body);
    tap_buf_puts(&out->body, text);
    tap_free(text);
    json_decref(body);
}
