/*
 * The smithy-rpc-v2-cbor protocol: every operation is a POST to a path that names it; input, output
 * and errors are CBOR.
 *
 * Source: Smithy, "RPC v2 CBOR protocol".
 */
#include <string.h>

#include "cbor.h"
#include "mem.h"
#include "protocol.h"
#include "protocol_answer.h"
#include "protocol_json.h"
#include "protocol_request.h"
#include "rpccbor.h"

static const char CONTENT_TYPE[] = "application/cbor";
static const char PROTOCOL[] = "rpc-v2-cbor";

/* "/service/NAME/operation/": what stands before the operation's name. The caller frees it. */
static char *path_of(const struct tap_model *model)
{
    const char *service =
        json_string_value(json_object_get(tap_model_metadata(model), "targetPrefix"));
    return tap_sprintf("/service/%s/operation/", service ? service : "");
}

/* What bytes say by a shape; *value is NULL when there are none. */
static tap_err read_body(json_t **value, const struct tap_model *model, const json_t *ref,
                         const struct tap_buf *body, struct tap_error *err)
{
    json_t *wire = NULL;
    *value = NULL;
    if (!body->len)
        return TAP_OK;
    tap_err code = tap_cbor_parse(&wire, tap_buf_text(body), body->len, err);
    if (!code)
        code = tap_json_read_value(value, model, ref, wire, err);
    json_decref(wire);
    return code;
}

/* ---- client ---- */

static tap_err build_request(struct tap_request *out, const struct tap_model *model,
                             const json_t *operation, const json_t *input, struct tap_error *err)
{
    const json_t *ref = json_object_get(operation, "input");
    char *path = path_of(model);
    char *target = tap_sprintf("%s%s", path, json_string_value(json_object_get(operation, "name")));
    tap_set(&out->method, "POST");
    tap_set(&out->target, target);
    tap_free(target);
    tap_free(path);
    tap_headers_set(&out->headers, "smithy-protocol", PROTOCOL);
    tap_headers_set(&out->headers, "Accept", CONTENT_TYPE);
    if (tap_model_is_query_compatible(model))
        tap_headers_set(&out->headers, "x-amzn-query-mode", "true");
    tap_buf_reset(&out->body);
    tap_err code = tap_refuse_event_stream(model, operation, err);
    if (!code && ref) {
        tap_headers_set(&out->headers, "Content-Type", CONTENT_TYPE);
        code = tap_cbor_write_value(&out->body, model, ref, input, err);
    }
    return code ? code : tap_finish_request(out, model, operation, input, err);
}

static tap_err parse_response(json_t **output, const struct tap_model *model,
                              const json_t *operation, const struct tap_response *response,
                              struct tap_error *err)
{
    const json_t *ref = json_object_get(operation, "output");
    struct tap_error why;
    *output = NULL;
    tap_err code = ref ? read_body(output, model, ref, &response->body, &why) : TAP_OK;
    if (!code && !*output)
        *output = json_object();
    return code ? tap_answer_unread(err, model, response, "CBOR", &why) : TAP_OK;
}

static void parse_error(struct tap_error *err, const struct tap_model *model,
                        const struct tap_response *response)
{
    json_t *body = NULL;
    tap_answer_error(err, model, response);
    tap_cbor_parse(&body, tap_buf_text(&response->body), response->body.len, NULL);
    tap_answer_json_error(err, response, body);
    json_decref(body);
}

/* ---- server ---- */

static tap_err find_operation(const json_t **operation, const struct tap_model *model,
                              const struct tap_request *request, struct tap_error *err)
{
    char *path = path_of(model);
    const char *target = request->target ? request->target : "";
    size_t n = strlen(path);
    bool found = strncmp(target, path, n) == 0 && tap_find_operation(operation, model, target + n);
    tap_free(path);
    return found ? TAP_OK
                 : tap_refuse_request(err, 404, "UnknownOperationException",
                                      "The operation that the path names is not known");
}

static tap_err read_request(const json_t **operation, json_t **input, const struct tap_model *model,
                            const struct tap_request *request, struct tap_error *err)
{
    *operation = NULL;
    *input = NULL;
    tap_err code = find_operation(operation, model, request, err);
    return code ? code : tap_read_input(input, model, *operation, request, read_body, err);
}

static void begin(struct tap_response *out, int status, const char *request_id)
{
    out->status = status;
    tap_headers_set(&out->headers, "smithy-protocol", PROTOCOL);
    tap_headers_set(&out->headers, "Content-Type", CONTENT_TYPE);
    tap_headers_set(&out->headers, "x-amzn-RequestId", request_id);
    tap_buf_reset(&out->body);
}

static void write_response(struct tap_response *out, const struct tap_model *model,
                           const json_t *operation, const json_t *output, const char *request_id)
{
    const json_t *ref = json_object_get(operation, "output");
    begin(out, 200, request_id);
    if (ref)
        tap_cbor_write_value(&out->body, model, ref, output, NULL);
    else
        tap_cbor_put_map(&out->body, 0);
}

static void put_pair(struct tap_buf *out, const char *name, const char *text)
{
    tap_cbor_put_text(out, name, strlen(name));
    tap_cbor_put_text(out, text, strlen(text));
}

static void write_error(struct tap_response *out, const struct tap_model *model,
                        const struct tap_error *error, const char *request_id)
{
    begin(out, error->http_status ? error->http_status : 400, request_id);
    tap_cbor_put_map(&out->body, 2);
    put_pair(&out->body, "__type", tap_answer_begin_error(out, model, error));
    put_pair(&out->body, "message", error->message);
}

const struct tap_protocol tap_protocol_rpc_v2_cbor = {
    .name = "smithy-rpc-v2-cbor",
    .body_alone = true,
    .build_request = build_request,
    .parse_response = parse_response,
    .parse_error = parse_error,
    .read_request = read_request,
    .write_response = write_response,
    .write_error = write_error,
};
