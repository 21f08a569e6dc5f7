/*
 * The REST protocols, rest-json and rest-xml: an operation is a method and a path; members of its
 * input stand in the path, the query string, headers, or the body, as the model binds them. What
 * differs between the two is the body's format and how errors look. Private to rest*.c.
 *
 * Source: Smithy, "HTTP binding traits", "AWS restJson1 protocol", "AWS restXml protocol"; and
 * botocore's models, which call the bindings "location" and "payload".
 *
 * A "bound" member is one that does not stand in the body.
 */
#ifndef TAP_REST_H
#define TAP_REST_H

#include "protocol.h"
#include "protocol_shape.h"

enum tap_rest_side { TAP_REST_REQUEST, TAP_REST_ANSWER };

struct tap_rest_format {
    const char *name;         /* "JSON" */
    const char *content_type; /* of structured bodies */
    const char *empty;        /* a structured body that says nothing: "{}" */
    const char *refusal;      /* what a server calls a body that it cannot read */
    /* Appends a value as a whole body. `payload` is the member that is the body; NULL when all
     * that are unbound are. */
    tap_err (*write)(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                     const char *payload, const json_t *value, struct tap_error *err);
    /* *value is NULL when the body says nothing. The caller owns it. */
    tap_err (*read)(json_t **value, const struct tap_model *model, const json_t *ref,
                    const struct tap_buf *body, struct tap_error *err);
};

/* ---- rest_request.c, rest_response.c: what struct tap_protocol promises ---- */

tap_err tap_rest_build_request(struct tap_request *out, const struct tap_rest_format *format,
                               const struct tap_model *model, const json_t *operation,
                               const json_t *input, struct tap_error *err);
tap_err tap_rest_read_request(const json_t **operation, json_t **input,
                              const struct tap_rest_format *format, const struct tap_model *model,
                              const struct tap_request *request, struct tap_error *err);
tap_err tap_rest_parse_response(json_t **output, const struct tap_rest_format *format,
                                const struct tap_model *model, const json_t *operation,
                                const struct tap_response *response, struct tap_error *err);
void tap_rest_write_response(struct tap_response *out, const struct tap_rest_format *format,
                             const struct tap_model *model, const json_t *operation,
                             const json_t *output, const char *request_id);

/* ---- rest_target.c: path and query ---- */

/* The path and query of an operation with the input's members in them; the caller frees *target. */
tap_err tap_rest_build_target(char **target, const struct tap_model *model, const json_t *operation,
                              const json_t *input, struct tap_error *err);

/* ---- rest_route.c: the same for a server ---- */

/* The operation whose method, path and query fit best, and those of its members that stand in them,
 * added to *input (a new object). */
tap_err tap_rest_route(const json_t **operation, json_t **input, const struct tap_model *model,
                       const struct tap_request *request, struct tap_error *err);

/* ---- rest_headers.c ---- */

/* Sets the headers that `shape` binds members of `value` to. */
tap_err tap_rest_write_headers(struct tap_headers *headers, const struct tap_model *model,
                               const json_t *shape, const json_t *value, struct tap_error *err);
/* Adds the members that stand in headers. */
tap_err tap_rest_read_headers(json_t *value, const struct tap_model *model, const json_t *shape,
                              const struct tap_headers *headers, struct tap_error *err);

/* ---- rest_body.c ---- */

/* Writes the body and its Content-Type. `ref` is the operation's input or output. */
tap_err tap_rest_write_body(struct tap_buf *body, struct tap_headers *headers,
                            const struct tap_rest_format *format, enum tap_rest_side side,
                            const struct tap_model *model, const json_t *ref, const json_t *value,
                            struct tap_error *err);
/* What the body says, as an object of members that are not bound. The caller owns *value. */
tap_err tap_rest_read_body(json_t **value, const struct tap_rest_format *format,
                           enum tap_rest_side side, const struct tap_model *model,
                           const json_t *ref, const struct tap_buf *body, struct tap_error *err);

/* ---- rest_text.c: bound scalars as text ---- */

/* Where the member stands: "uri", "querystring", "header", "headers", "statusCode"; "" in the body.
 */
const char *tap_rest_location(const json_t *ref);
/* Appends the text of a scalar. `time_format` is what timestamps have without a trait of their own.
 * TAP_E_USAGE with the member's name when the value does not fit. */
tap_err tap_rest_write_text(struct tap_buf *out, const struct tap_model *model, const char *member,
                            const json_t *ref, const char *time_format, const json_t *value,
                            struct tap_error *err);
/* The scalar of a text; NULL when it is none. */
json_t *tap_rest_read_text(const struct tap_model *model, const json_t *ref, const char *text,
                           size_t len);

#endif
