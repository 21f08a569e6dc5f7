/*
 * The inside of a client, for client.c (which makes one from options and environment) and call.c
 * (which runs its calls). Not for users of the library.
 */
#ifndef TAP_CALL_H
#define TAP_CALL_H

#include "client.h"
#include "credentials_provider.h"
#include "endpoint.h"
#include "protocol.h"
#include "protocol_repeat.h"
#include "retry.h"
#include "retry_rate.h"
#include "sigv4.h"

struct tap_client {
    size_t holders; /* the user and each call under way */
    struct tap_loop *loop;
    const struct tap_model *model;
    const struct tap_protocol *protocol;
    char *region;
    struct tap_endpoint_settings *endpoints;
    struct tap_credentials credentials; /* the user's own, or none */
    struct tap_provider *provider;      /* NULL: credentials are given, or anonymous */
    bool anonymous;
    struct tap_http_options http; /* its ca_bundle is owned */
    struct tap_log *log;
    int64_t call_timeout_ms; /* 0: none */
    int max_attempts;
    bool sums_all;       /* also the requests for which no checksum is demanded */
    bool checks_answers; /* asks for their checksums */
    enum tap_retry_mode retry_mode;
    struct tap_retry_bucket bucket;
    struct tap_retry_rate rate; /* counts in the adaptive mode */
    uint64_t random;            /* for tap_retry_random */
    json_t *bucket_regions;     /* of buckets that are not in `region`, by name; NULL: none known */
    struct tap_last_answer last;
    int64_t answers; /* that it has read, repeated ones aside */
    int64_t skew_ms; /* AWS's clock minus the loop's, as far as a refused signature has taught us */
};

void tap_client_release(struct tap_client *client);

/* How a finished call without error signs its request now; borrows from the call. Not for one that
 * is sent without a signature. */
struct tap_signing tap_call_signing(const struct tap_op *op);

#endif
