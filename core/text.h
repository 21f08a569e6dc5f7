/*
 * Small things done to text: percent-encoding, base64, hex, the nearest of some names, and the
 * spellings of an operation (DescribeStacks, describe_stacks, describe-stacks).
 */
#ifndef TAP_TEXT_H
#define TAP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "api.h"
#include "buf.h"

TAP_API_BEGIN

/* RFC 3986 as AWS signs it: A-Z a-z 0-9 - . _ ~ stay, the rest becomes %XX. `keep` names further
 * bytes that stay ("/" in a path); "" for none. */
void tap_uri_encode(struct tap_buf *out, const char *bytes, size_t n, const char *keep);
/* %XX (and '+' as blank if plus) -> bytes. False when an escape is broken; `out` then holds what
 * stood before it. */
bool tap_uri_decode(struct tap_buf *out, const char *text, size_t n, bool plus);

/* Appends the standard alphabet (+ and /) with padding. */
void tap_base64_encode(struct tap_buf *out, const void *bytes, size_t n);
/* False when the text is not base64 (padding is required, white space refused); `out` then holds
 * what stood before the wrong part. */
bool tap_base64_decode(struct tap_buf *out, const char *text, size_t n);

/* out holds 2*n+1 bytes. Lower case. */
void tap_hex(char *out, const void *bytes, size_t n);

/* Appends the operation's name in snake case: DescribeStacks -> describe_stacks, GetRESTApis ->
 * get_rest_apis, CreateDBInstance -> create_db_instance (botocore's rule, so that scripts read like
 * boto3). */
void tap_snake_case(struct tap_buf *out, const char *name);
/* Same letters and digits in the same order, whatever the case and the '-' and '_' between them. */
bool tap_same_name(const char *a, const char *b);

/* The name of `names` that is nearest to `wanted` by edit distance, or NULL when none is near
 * enough to be what was meant. Case and '-_' do not count. */
const char *tap_nearest(const char *wanted, const char *const *names, size_t n);

/* True for well-formed UTF-8 (no overlongs, no surrogates). */
bool tap_utf8_valid(const char *text, size_t n);

TAP_API_END

#endif
