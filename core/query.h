/*
 * The query protocol: a form (Action=..., one parameter a scalar) is sent, XML comes back. Its four
 * halves are client and server, request and response; what they share is here: how a model's
 * members are named on the wire. Private to query*.c and ec2.c.
 *
 * Source: Smithy, "AWS query protocol"; and botocore's models, which say some of it differently.
 */
#ifndef TAP_QUERY_H
#define TAP_QUERY_H

#include "protocol.h"
#include "protocol_shape.h"

/* The element of a response that holds the output: "DescribeStacksResult". Freed by tap_free. */
char *tap_query_result_name(const json_t *operation);

/* The ec2 protocol sends the same form with other names, and answers in plainer XML. */
struct tap_query_dialect {
    /* Appends a member's name in the form. */
    void (*add_name)(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                     const char *member);
    bool flat_lists;  /* Name.1, whatever the model says */
    bool empty_lists; /* an empty list is sent as "Name=" */
};

tap_err tap_query_build_form(struct tap_request *out, const struct tap_query_dialect *dialect,
                             const struct tap_model *model, const json_t *operation,
                             const json_t *input, struct tap_error *err);
tap_err tap_query_read_form(const json_t **operation, json_t **input,
                            const struct tap_query_dialect *dialect, const struct tap_model *model,
                            const struct tap_request *request, struct tap_error *err);

tap_err tap_query_parse_response(json_t **output, const struct tap_model *model,
                                 const json_t *operation, const struct tap_response *response,
                                 struct tap_error *err);
/* Sets status and headers, and begins the body with <name xmlns="...">. */
void tap_query_begin_answer(struct tap_response *out, const struct tap_model *model, int status,
                            const char *request_id, const char *name);
void tap_query_write_response(struct tap_response *out, const struct tap_model *model,
                              const json_t *operation, const json_t *output,
                              const char *request_id);
void tap_query_write_error(struct tap_response *out, const struct tap_model *model,
                           const struct tap_error *error, const char *request_id);

#endif
