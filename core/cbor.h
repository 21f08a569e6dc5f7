/*
 * CBOR (RFC 8949) from and to bytes. Reading makes a value tree as the protocols have it: byte
 * strings become base64, tags are left out (a tagged time is its number of seconds), NaN and the
 * infinities become the strings "NaN", "Infinity", "-Infinity". Writing is item by item, because a
 * value tree does not tell a byte string from a text.
 */
#ifndef TAP_CBOR_H
#define TAP_CBOR_H

#include <jansson.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"

/* One item that fills all the bytes. Keys must be texts; of duplicate keys the last one wins.
 * TAP_E_PARSE tells the offset of what is wrong, as column (1 is the first byte); TAP_E_LIMIT when
 * it is too large or too deep. The caller owns *out. */
tap_err tap_cbor_parse(json_t **out, const void *bytes, size_t n, struct tap_error *err);

/* Each appends one item. */
void tap_cbor_put_integer(struct tap_buf *out, int64_t value);
void tap_cbor_put_float(struct tap_buf *out, float value);
void tap_cbor_put_double(struct tap_buf *out, double value);
void tap_cbor_put_boolean(struct tap_buf *out, bool value);
void tap_cbor_put_null(struct tap_buf *out);
/* The text is UTF-8. */
void tap_cbor_put_text(struct tap_buf *out, const char *text, size_t n);
void tap_cbor_put_bytes(struct tap_buf *out, const void *bytes, size_t n);
/* Seconds since 1970, tagged as a time. */
void tap_cbor_put_time(struct tap_buf *out, double seconds);
/* The head of an array of n items, or of a map of n pairs, which follow. */
void tap_cbor_put_array(struct tap_buf *out, size_t n);
void tap_cbor_put_map(struct tap_buf *out, size_t n);

#endif
