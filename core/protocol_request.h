/*
 * What is done to a request whatever its protocol: a client refuses what it cannot send, and
 * completes what it has built; a server finds the operation and refuses what it cannot read.
 * Private to the protocols.
 */
#ifndef TAP_PROTOCOL_REQUEST_H
#define TAP_PROTOCOL_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

#include "message.h"
#include "model.h"

/* TAP_E_UNSUPPORTED with the operation's name when its input or output is a stream of events. */
tap_err tap_refuse_event_stream(const struct tap_model *model, const json_t *operation,
                                struct tap_error *err);
/* The last of building: refuses a body that is too large, compresses it and sets the checksum
 * headers, where the operation's model asks for that. `input` (may be NULL) can name the checksum's
 * algorithm. */
tap_err tap_finish_request(struct tap_request *request, const struct tap_model *model,
                           const json_t *operation, const json_t *input, struct tap_error *err);

/* The operation of exactly that name. */
bool tap_find_operation(const json_t **operation, const struct tap_model *model, const char *name);
/* Reads a body by a shape; *value is NULL when it says nothing. */
typedef tap_err tap_body_reader(json_t **value, const struct tap_model *model, const json_t *ref,
                                const struct tap_buf *body, struct tap_error *err);
/* The input of an operation from a body that has all of it, compressed or not; an empty object when
 * it says nothing. What cannot be read is refused as AWS does. The caller owns *input. */
tap_err tap_read_input(json_t **input, const struct tap_model *model, const json_t *operation,
                       const struct tap_request *request, tap_body_reader *read,
                       struct tap_error *err);
/* Fills a TAP_E_SERVICE with the status; returns its code. */
tap_err tap_refuse_request(struct tap_error *err, int status, const char *name, const char *format,
                           ...) __attribute__((format(printf, 4, 5)));

#endif
