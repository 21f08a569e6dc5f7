/*
 * What the two halves of the json protocol, client and server, share. Private to jsonrpc*.c.
 */
#ifndef TAP_JSONRPC_H
#define TAP_JSONRPC_H

#include "protocol.h"

/* Sets Content-Type: application/x-amz-json-1.1, or what version the model has. */
void tap_jsonrpc_content_type(struct tap_headers *headers, const struct tap_model *model);
/* What stands before the operation's name in X-Amz-Target: "DynamoDB_20120810". */
const char *tap_jsonrpc_prefix(const struct tap_model *model);

tap_err tap_jsonrpc_read_request(const json_t **operation, json_t **input,
                                 const struct tap_model *model, const struct tap_request *request,
                                 struct tap_error *err);
void tap_jsonrpc_write_response(struct tap_response *out, const struct tap_model *model,
                                const json_t *operation, const json_t *output,
                                const char *request_id);
void tap_jsonrpc_write_error(struct tap_response *out, const struct tap_model *model,
                             const struct tap_error *error, const char *request_id);

#endif
