/*
 * The checksums of bodies that operations ask for and answers tell: Content-MD5, or one of S3's
 * x-amz-checksum-* headers. Private to the client.
 */
#ifndef TAP_PROTOCOL_CHECKSUM_H
#define TAP_PROTOCOL_CHECKSUM_H

#include <jansson.h>
#include <stdint.h>

#include "message.h"
#include "model.h"

/* A header and the algorithm (of digest.h) of the sum in it; both NULL: none. */
struct tap_checksum {
    const char *algorithm;
    char *header; /* the caller frees it */
};

/* What the operation's model demands, or `input` asks for, where the caller gave no sum; with
 * `all`, also what the model only knows of. By the algorithm that `input` names, else CRC32 (the
 * AWS SDKs' default), else MD5 for operations that know no other. The request is told which was
 * chosen. TAP_E_UNSUPPORTED when the algorithm is known to AWS only. */
tap_err tap_checksum_asked(struct tap_checksum *out, struct tap_request *request,
                           const struct tap_model *model, const json_t *operation,
                           const json_t *input, bool all, struct tap_error *err);
/* Sets that header for a body in memory; a stretch is left to who reads it (call_stream.h). */
tap_err tap_checksum_request(struct tap_request *request, const struct tap_model *model,
                             const json_t *operation, const json_t *input, bool all,
                             struct tap_error *err);
void tap_checksum_set(struct tap_headers *headers, const char *header, const uint8_t *sum,
                      size_t n);

/* The input's member that asks for sums in answers when it is ENABLED; NULL: there is none. */
const char *tap_checksum_mode_member(const json_t *operation);
/* The sum that an answer tells of its whole body, of those that the operation's model names. */
struct tap_checksum tap_checksum_told(const json_t *operation, const struct tap_headers *headers);
/* TAP_E_NETWORK "ChecksumMismatch" when the body that came has another sum than the header says. */
tap_err tap_checksum_compare(const struct tap_headers *headers, const char *header,
                             const uint8_t *sum, size_t n, struct tap_error *err);
/* The same of an answer whose body is in memory; TAP_OK when it tells no sum. */
tap_err tap_checksum_response(const json_t *operation, const struct tap_response *response,
                              struct tap_error *err);

#endif
