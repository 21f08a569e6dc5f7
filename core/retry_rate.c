/*
 * The rate limiter of the adaptive retry mode. See retry_rate.h.
 */
#include "retry_rate.h"

#include <math.h>

static const double BETA = 0.7;            /* of the rate is left after a throttling */
static const double SCALE = 0.4;           /* how steeply the rate grows */
static const double SMOOTHING = 0.8;       /* weight of the newest measurement */
static const double SLICES = 2;            /* measurements a second */
static const double MIN_FILL = 0.5;        /* attempts a second, however bad it is */
static const double MIN_SIZE = 1;          /* tokens; with less no attempt could ever start */
static const double MAX_OVER_MEASURED = 2; /* the limit stays near what is really sent */

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

static void measure(struct tap_retry_rate *rate, double now)
{
    double slice = floor(now * SLICES) / SLICES;
    rate->count++;
    if (slice <= rate->counting_since)
        return;
    double current = rate->count / (slice - rate->counting_since);
    rate->measured = current * SMOOTHING + rate->measured * (1 - SMOOTHING);
    rate->count = 0;
    rate->counting_since = slice;
}

static void refill(struct tap_retry_rate *rate, double now)
{
    rate->tokens = fmin(rate->size, rate->tokens + (now - rate->filled_at) * rate->fill);
    rate->filled_at = now;
}

static void set_fill(struct tap_retry_rate *rate, double fill, double now)
{
    refill(rate, now); /* what has passed counts by the old rate */
    rate->fill = fmax(fill, MIN_FILL);
    rate->size = fmax(fill, MIN_SIZE);
    rate->tokens = fmin(rate->tokens, rate->size);
}

void tap_retry_rate_init(struct tap_retry_rate *rate, int64_t now_ms)
{
    double now = seconds(now_ms);
    *rate = (struct tap_retry_rate){.fill = 1,
                                    .size = MIN_SIZE,
                                    .filled_at = now,
                                    .counting_since = floor(now),
                                    .peak_at = now};
}

int64_t tap_retry_rate_ask(struct tap_retry_rate *rate, int64_t now_ms)
{
    if (!rate->limiting)
        return 0;
    refill(rate, seconds(now_ms));
    if (rate->tokens >= 1) {
        rate->tokens -= 1;
        return 0;
    }
    return (int64_t)ceil((1 - rate->tokens) / rate->fill * 1000);
}

static double fill_after_throttling(struct tap_retry_rate *rate, double now)
{
    rate->peak = rate->limiting ? fmin(rate->measured, rate->fill) : rate->measured;
    rate->peak_at = now;
    rate->recovery = cbrt(rate->peak * (1 - BETA) / SCALE);
    rate->limiting = true;
    return rate->peak * BETA;
}

static double fill_after_success(const struct tap_retry_rate *rate, double now)
{
    return SCALE * pow(now - rate->peak_at - rate->recovery, 3) + rate->peak;
}

void tap_retry_rate_ended(struct tap_retry_rate *rate, bool throttled, int64_t now_ms)
{
    double now = seconds(now_ms);
    measure(rate, now);
    double fill = throttled ? fill_after_throttling(rate, now) : fill_after_success(rate, now);
    set_fill(rate, fmin(fill, MAX_OVER_MEASURED * rate->measured), now);
}
