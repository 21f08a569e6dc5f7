/*
 * Buckets that are in another region than the client. S3 refuses such a request and says in a
 * header of its answer where the bucket is; the request is then made once more for that region, and
 * the client remembers it. Not for users of the library.
 */
#ifndef TAP_BUCKET_H
#define TAP_BUCKET_H

#include "call.h"

/* The endpoint of one call: tap_endpoint_resolve, in the region where the bucket in the input is
 * known to be. */
tap_err tap_bucket_endpoint(struct tap_endpoint *out, const struct tap_client *client,
                            const json_t *operation, const json_t *input, struct tap_error *err);

/* What of the input decides upon the endpoint; the caller owns it. NULL: there is no bucket in it,
 * and nothing here is for this call. */
json_t *tap_bucket_place(const struct tap_client *client, const json_t *operation,
                         const json_t *input);

/* The region that an answer refers a request for `region` to, borrowed; NULL when it does not. */
const char *tap_bucket_referral(const struct tap_response *response, const char *region);

/* Adds to the error of an answer, if it says so, that the bucket is in another region than
 * `region`.
 */
void tap_bucket_explain(struct tap_error *error, const struct tap_response *response,
                        const char *region);

/* Remembers the region for the bucket of `place`, and turns the request to it. False when that
 * cannot be done: then the request is as it was. */
bool tap_bucket_follow(struct tap_client *client, const json_t *place, const char *region,
                       const json_t *operation, struct tap_endpoint *endpoint,
                       struct tap_request *request);

#endif
