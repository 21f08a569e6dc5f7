/*
 * The checksums of a stretch of a file, as an operation: it is read slice by slice, so that nothing
 * else has to wait while a gigabyte is.
 */
#ifndef TAP_DIGEST_OP_H
#define TAP_DIGEST_OP_H

#include "digest.h"
#include "loop.h"
#include "stretch.h"

enum { TAP_MAX_DIGESTS = 2 }; /* at once */

/* Starts to read. The algorithms are names of digest.h; NULL in their place is skipped. Completes
 * with the error of what cannot be read. */
struct tap_op *tap_digest_start(struct tap_loop *loop, struct tap_stretch *stretch,
                                const char *const algorithms[TAP_MAX_DIGESTS]);
/* The sum by the algorithm of that index; how many bytes it has. Of a finished operation without
 * error, once for each. */
size_t tap_digest_sum(struct tap_op *op, size_t index, uint8_t out[TAP_MAX_DIGEST]);

#endif
