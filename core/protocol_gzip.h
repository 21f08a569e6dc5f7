/*
 * Compressed request bodies: operations whose model has the requestcompression trait (CloudWatch's
 * PutMetricData) are sent as gzip when that is worth it. Private to the protocols.
 */
#ifndef TAP_PROTOCOL_GZIP_H
#define TAP_PROTOCOL_GZIP_H

#include "message.h"

#include <jansson.h>
#include <stdbool.h>

/* Replaces the body and sets Content-Encoding, where the operation has the trait and the body is
 * large enough. */
void tap_compress_request(struct tap_request *request, const json_t *operation);
/* The body of a received request as it was before compression: the request's own, or what is put
 * into `plain`, an empty buffer with a limit. NULL when it is broken or would pass the limit. */
const struct tap_buf *tap_plain_body(struct tap_buf *plain, const struct tap_request *request);

#endif
