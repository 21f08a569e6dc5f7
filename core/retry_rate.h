/*
 * How fast a client may send: the rate limiter of the SDKs' adaptive retry mode. It is told when
 * attempts end and whether the service throttled them; from the first throttling on it answers
 * "send now" or "ask again after so many milliseconds". It never sleeps, and all calls of a client
 * share one.
 *
 * The rate follows the CUBIC function of congestion control: after a throttling it drops to 0.7 of
 * what was sent, grows quickly back to where the throttling happened, slowly around that, and then
 * quickly again. Numbers and order of steps are those of the SDK for Python, so that both behave
 * alike side by side.
 */
#ifndef TAP_RETRY_RATE_H
#define TAP_RETRY_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Times in seconds, rates in attempts a second. */
struct tap_retry_rate {
    bool limiting;       /* nothing is held back before the first throttling */
    double fill;         /* of the token bucket; an attempt takes one token */
    double tokens, size; /* what it has now, and at most */
    double filled_at;
    double measured; /* smoothed rate of attempts that ended */
    double counting_since;
    unsigned count; /* attempts since then */
    double peak;    /* the rate at the last throttling */
    double peak_at;
    double recovery; /* after that long the rate is at the peak again */
};

/* `now_ms` is of a clock that never goes back; the same one in all three. */
void tap_retry_rate_init(struct tap_retry_rate *rate, int64_t now_ms);
/* Before an attempt: 0 takes a token, and the attempt is sent now; else milliseconds (> 0) after
 * which to ask again. */
int64_t tap_retry_rate_ask(struct tap_retry_rate *rate, int64_t now_ms);
/* After an attempt, however it ended. */
void tap_retry_rate_ended(struct tap_retry_rate *rate, bool throttled, int64_t now_ms);

#endif
