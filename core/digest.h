/*
 * Checksums by name, over bytes that come piece by piece: those that S3 and its kin know.
 */
#ifndef TAP_DIGEST_H
#define TAP_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { TAP_MAX_DIGEST = 32 }; /* bytes of the longest */

/* The names that there are, as the models write them, NULL behind the last: "CRC32", "SHA256", ...
 */
extern const char *const tap_digest_names[];

struct tap_digest;

/* NULL when there is no algorithm of that name, in any spelling of its case. Ended by
 * tap_digest_end. */
struct tap_digest *tap_digest_new(const char *algorithm);
void tap_digest_add(struct tap_digest *digest, const void *bytes, size_t n);
/* Writes the sum, frees the digest, and returns the sum's size. */
size_t tap_digest_end(struct tap_digest *digest, uint8_t out[TAP_MAX_DIGEST]);

#endif
