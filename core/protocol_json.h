/*
 * Values in JSON, by shape: what the json, rest-json and rpc-v2-cbor protocols have in common.
 * Private to the protocols.
 */
#ifndef TAP_PROTOCOL_JSON_H
#define TAP_PROTOCOL_JSON_H

#include "buf.h"
#include "protocol_shape.h"

/* How a timestamp is written when no trait says otherwise. */
#define TAP_TIME_FORMAT_JSON "unixTimestamp"

/* Reads what the wire carries by the shape of `ref`; the caller owns *value, which is NULL where
 * the wire says null. Members that the model does not know are skipped, nulls too, except in lists
 * and maps that the model calls sparse. What does not fit its type is TAP_E_PROTOCOL. */
tap_err tap_json_read_value(json_t **value, const struct tap_model *model, const json_t *ref,
                            const json_t *wire, struct tap_error *err);
/* The same from a body's text; a blank body says nothing (*value NULL). Text that is not JSON is
 * TAP_E_PARSE. */
tap_err tap_json_read_text(json_t **value, const struct tap_model *model, const json_t *ref,
                           const char *text, size_t len, struct tap_error *err);

/* Appends the JSON of a value. One that does not fit its shape is TAP_E_USAGE. */
tap_err tap_json_write_value(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                             const json_t *value, struct tap_error *err);

#endif
