/*
 * What a call sends: input to request, endpoint and files, by the model; and how that is signed.
 * The inside of call.c, which does the sending.
 */
#ifndef TAP_CALL_BUILD_H
#define TAP_CALL_BUILD_H

#include "call.h"
#include "call_stream.h"
#include "endpoint.h"
#include "message.h"
#include "sigv4.h"

struct tap_call_parts {
    struct tap_request request;
    struct tap_endpoint endpoint;
    struct tap_call_stream stream;
    bool names_encoded; /* it was we who asked for that; see customs.h */
};

/* Builds all of it, once for all attempts. Freed by tap_call_parts_fini, also on failure. */
tap_err tap_call_build(struct tap_call_parts *parts, const struct tap_client *client,
                       const json_t *operation, const json_t *input,
                       const struct tap_streams *streams, struct tap_error *err);
void tap_call_parts_fini(struct tap_call_parts *parts);

/* Operations such as sts AssumeRoleWithWebIdentity are sent without a signature. */
bool tap_call_is_anonymous(const struct tap_client *client, const json_t *operation);
/* Over TLS, S3 takes a body of which only the checksum is signed. */
bool tap_call_may_be_unsigned(const struct tap_client *client, const struct tap_call_parts *parts);
/* Borrows from both; `skew_ms` is AWS's clock minus the loop's. */
struct tap_signing tap_call_signing_of(const struct tap_client *client,
                                       const struct tap_call_parts *parts, int64_t skew_ms);

#endif
