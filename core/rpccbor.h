/*
 * Values in CBOR, by shape, for rpccbor.c. Private to rpccbor*.c.
 */
#ifndef TAP_RPCCBOR_H
#define TAP_RPCCBOR_H

#include "buf.h"
#include "protocol_shape.h"

/* Appends the CBOR of a value. One that does not fit its shape is TAP_E_USAGE. */
tap_err tap_cbor_write_value(struct tap_buf *out, const struct tap_model *model, const json_t *ref,
                             const json_t *value, struct tap_error *err);

#endif
