/*
 * Presigned URLs: a request that somebody else sends later, with the signature in its address
 * instead of a header. Whoever holds the URL may do the one thing it says until it expires: it is a
 * secret for that long, and logs and errors show it without its signature (secret.h).
 */
#ifndef TAP_PRESIGN_H
#define TAP_PRESIGN_H

#include "api.h"
#include "client.h"

TAP_API_BEGIN

/* Starts the presigning of one operation, valid for `expires_s` seconds (1 to
 * TAP_SIGV4_MAX_EXPIRES, a week; temporary credentials may end earlier, and the URL with them). It
 * waits for credentials where they must be fetched, and sends nothing. Otherwise as
 * tap_client_call.
 *
 * The operation must fit into an address: S3's without a body, or with one that whoever has the URL
 * sends (PutObject, UploadPart: leave Body out); of other services those of the query and EC2
 * protocols, whose form becomes the query of a GET. The others complete with TAP_E_UNSUPPORTED. */
tap_err tap_client_presign(struct tap_op **out, struct tap_client *client, const char *operation,
                           const json_t *input, int64_t expires_s, struct tap_error *err);

/* Of a finished presigning without error; borrowed. */
const char *tap_presign_url(const struct tap_op *op);
const char *tap_presign_method(const struct tap_op *op);
/* The headers, besides Host, that are a part of what is signed and must be sent as they are: those
 * that members of the input are bound to (ContentType, Metadata). */
const struct tap_headers *tap_presign_headers(const struct tap_op *op);

TAP_API_END

#endif
