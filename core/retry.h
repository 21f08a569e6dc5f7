/*
 * When to send a request again: the SDKs' standard mode as a state machine. It is told what
 * happened and answers "again after so many milliseconds" or "no"; it never sleeps and never sends.
 *
 * Source: AWS SDKs and Tools Reference Guide, "Retry behavior", standard mode.
 */
#ifndef TAP_RETRY_H
#define TAP_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "message.h"

/* Shared by all calls of a client: an outage empties it, and then calls fail without retry instead
 * of adding load. */
struct tap_retry_bucket {
    int tokens; /* starts at 500 */
};
void tap_retry_bucket_init(struct tap_retry_bucket *bucket);

enum tap_retry_class {
    TAP_RETRY_NO,
    TAP_RETRY_TRANSIENT, /* network, timeout, 500 502 503 504 */
    TAP_RETRY_THROTTLED,
    TAP_RETRY_CLOCK_SKEW, /* corrected by the response's Date; once */
    TAP_RETRY_EXPIRED     /* fresh credentials; once */
};

/* The class of a failed attempt, by the error's code, name and status. */
enum tap_retry_class tap_retry_classify(const struct tap_error *error);

struct tap_retry {
    struct tap_retry_bucket *bucket;
    int max_attempts; /* first one included; the SDKs' default is 3 */
    int attempt;      /* attempts made so far */
    int reserved;     /* tokens that the attempt under way took */
    bool skew_corrected, credentials_refreshed;
};
void tap_retry_begin(struct tap_retry *retry, struct tap_retry_bucket *bucket, int max_attempts);

struct tap_retry_answer {
    bool again;
    int64_t delay_ms;
    enum tap_retry_class why;
};
/* After a failed attempt. `response` may be NULL (no response); its Retry-After is respected up to
 * 5 minutes. `random` is in [0,1): full jitter over min(20 s, 2^attempt s). */
struct tap_retry_answer tap_retry_failed(struct tap_retry *retry, const struct tap_error *error,
                                         const struct tap_response *response, double random);
/* After a successful attempt: gives tokens back. */
void tap_retry_succeeded(struct tap_retry *retry);

#endif
