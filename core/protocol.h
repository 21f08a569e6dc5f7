/*
 * The wire formats of AWS services. A protocol turns a value tree into a request and a response
 * into a value tree, both by the service's model; and the other way round for the sandbox, which
 * receives requests and writes responses. Which protocol a service speaks is in its model.
 *
 * Values: structures are objects with the API's member names, blobs are base64 strings inside the
 * value tree (bytes at its edges: see bindings), timestamps are numbers (seconds since 1970).
 */
#ifndef TAP_PROTOCOL_H
#define TAP_PROTOCOL_H

#include <jansson.h>

#include "message.h"
#include "model.h"

struct tap_protocol {
    const char *name;
    bool body_alone; /* a response's body says all of the output: no header, no status does */
    /* Client. Fills method, target (from the operation's path, below the endpoint's own), headers
     * and body. */
    tap_err (*build_request)(struct tap_request *out, const struct tap_model *model,
                             const json_t *operation, const json_t *input, struct tap_error *err);
    /* A response of status 2xx. The caller owns *output. TAP_E_SERVICE when it tells of an error
     * all the same, as S3 does when it finds one after it began to answer. */
    tap_err (*parse_response)(json_t **output, const struct tap_model *model,
                              const json_t *operation, const struct tap_response *response,
                              struct tap_error *err);
    /* Any other: fills err (TAP_E_SERVICE; name, message, http_status, request_id), whatever shape
     * the body has: an HTML page, nothing at all, half an XML document. Never fails itself. */
    void (*parse_error)(struct tap_error *err, const struct tap_model *model,
                        const struct tap_response *response);

    /* Sandbox. Finds the operation and reads its input; unknown operations are TAP_E_SERVICE as AWS
     * answers them. */
    tap_err (*read_request)(const json_t **operation, json_t **input, const struct tap_model *model,
                            const struct tap_request *request, struct tap_error *err);
    void (*write_response)(struct tap_response *out, const struct tap_model *model,
                           const json_t *operation, const json_t *output, const char *request_id);
    /* `error`: name, message, http_status (0: 400). */
    void (*write_error)(struct tap_response *out, const struct tap_model *model,
                        const struct tap_error *error, const char *request_id);
};

/* The protocol that this build speaks for the model (of those the service offers, the one botocore
 * would choose). TAP_E_UNSUPPORTED when it offers none of them. */
tap_err tap_protocol_of(const struct tap_protocol **out, const struct tap_model *model,
                        struct tap_error *err);

/* The protocol that a received request is written in: clients of other versions may speak another
 * one than ours, even one that the model no longer offers. When the request does not tell, as
 * tap_protocol_of. */
tap_err tap_protocol_of_request(const struct tap_protocol **out, const struct tap_model *model,
                                const struct tap_request *request, struct tap_error *err);

/* The input with a fresh token in each member that the model calls an idempotency token and that
 * the caller left out (the model may require it): to be done before the check below. A new
 * reference; `input` may be NULL. */
json_t *tap_input_with_tokens(const struct tap_model *model, const json_t *operation,
                              const json_t *input);

/* Checks `input` against the operation's input shape: types, required members, unknown members
 * (with the nearest right one), enum-free. All findings in one message, each with its path:
 * "Parameters[0].ParameterKey: ...". */
tap_err tap_validate_input(const struct tap_model *model, const json_t *operation,
                           const json_t *input, struct tap_error *err);

/* What the operation puts before the endpoint's host ("foo.", "{AccountId}." with the member's
 * value); appends nothing when it has no such trait. TAP_E_USAGE when the member is not fit for a
 * host name. */
tap_err tap_host_prefix(struct tap_buf *out, const json_t *operation, const json_t *input,
                        struct tap_error *err);

/* The request id that a response's headers carry, borrowed; "" when none does. */
const char *tap_response_request_id(const struct tap_response *response);

extern const struct tap_protocol tap_protocol_rpc_v2_cbor, tap_protocol_json,
    tap_protocol_rest_json, tap_protocol_rest_xml, tap_protocol_query, tap_protocol_ec2;

#endif
