/*
 * When to send a request again: the SDKs' standard mode as a state machine. It is told what
 * happened and answers "again after so many milliseconds" or "no"; it never sleeps and never sends.
 *
 * Source: AWS SDKs and Tools Reference Guide, "Retry behavior", standard mode; the tables of codes
 * and the costs are those of the SDK for Python.
 */
#ifndef TAP_RETRY_H
#define TAP_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "message.h"

enum {
    TAP_RETRY_ATTEMPTS = 3,                 /* the SDKs' default, the first one included */
    TAP_RETRY_MAX_AFTER_MS = 5 * 60 * 1000, /* a longer Retry-After is cut to this */
};

/* The modes that AWS_RETRY_MODE and retry_mode name: "standard"; "adaptive" is the same and also
 * limits how fast a client sends (retry_rate.h). "legacy", the mode before these, is not built. */
enum tap_retry_mode { TAP_RETRY_STANDARD, TAP_RETRY_ADAPTIVE };
/* In any case of letters; false for another name. */
bool tap_retry_mode_named(enum tap_retry_mode *out, const char *name);

/* For the jitter: a number in [0,1) that follows from *state, which moves on; from the operating
 * system when *state is 0. */
double tap_retry_random(uint64_t *state);

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

/* "transient", "throttled", ...: for the log. */
const char *tap_retry_class_name(enum tap_retry_class class);

/* What is known of a failed attempt. */
struct tap_retry_failure {
    const struct tap_error *error;
    const struct tap_response *response; /* NULL when none arrived */
    enum tap_retry_class
        modelled;     /* what the service's model says of this error; else TAP_RETRY_NO */
    int64_t clock_ms; /* the wall clock that the request was signed by */
    double random;    /* in [0,1) */
};

/* The class of a failed attempt. A refused signature counts as clock skew only when the response's
 * Date is more than four minutes away from clock_ms. */
enum tap_retry_class tap_retry_classify(const struct tap_retry_failure *failure);

struct tap_retry {
    struct tap_retry_bucket *bucket;
    int max_attempts;
    int attempt;  /* the attempt under way, or the last one: from 1 */
    int reserved; /* tokens that this attempt took */
    bool skew_corrected, credentials_refreshed;
};
/* `max_attempts` >= 1. */
void tap_retry_begin(struct tap_retry *retry, struct tap_retry_bucket *bucket, int max_attempts);

struct tap_retry_answer {
    bool again; /* then `attempt` is one more */
    int64_t delay_ms;
    enum tap_retry_class why; /* also when the answer is no: attempts or tokens are spent */
    int64_t skew_ms;          /* TAP_RETRY_CLOCK_SKEW: to be added to clock_ms from now on */
};
/* After a failed attempt. The delay is random * min(20 s, 2^(attempt-1) s), or what the response's
 * Retry-After asks for if that is longer; nothing after clock skew and expired credentials. */
struct tap_retry_answer tap_retry_failed(struct tap_retry *retry,
                                         const struct tap_retry_failure *failure);
/* After a successful attempt: gives tokens back. */
void tap_retry_succeeded(struct tap_retry *retry);

#endif
