/*
 * The checksums of request bodies that operations ask for: Content-MD5, or one of S3's
 * x-amz-checksum-* headers. Private to the protocols.
 */
#ifndef TAP_PROTOCOL_CHECKSUM_H
#define TAP_PROTOCOL_CHECKSUM_H

#include <jansson.h>

#include "message.h"
#include "model.h"

/* Sets the header that the operation's model asks for, where the caller gave none: by the algorithm
 * that `input` names, else CRC32 (the AWS SDKs' default), else MD5 for operations that know no
 * other. TAP_E_UNSUPPORTED when the algorithm is known to AWS only. */
tap_err tap_checksum_request(struct tap_request *request, const struct tap_model *model,
                             const json_t *operation, const json_t *input, struct tap_error *err);

#endif
