/*
 * The waiters of a service's model ("StackCreateComplete"): what to ask for, and which answers mean
 * that the wait is over. A waiter is fed with outputs, errors and a clock, and answers: it is so,
 * it will never be so, ask again in so many milliseconds. It never sleeps and never sends.
 *
 * A wait ends after a time, not after a number of attempts, so that it may ask often while there is
 * hope that little is left to wait for: first after two seconds (or a fifth of the model's delay,
 * if that is less), then half as late again each time, up to the delay that the model gives.
 */
#ifndef TAP_WAITER_H
#define TAP_WAITER_H

#include <jansson.h>
#include <stdint.h>

#include "api.h"
#include "error.h"
#include "model.h"

TAP_API_BEGIN

struct tap_waiter;

enum tap_waiter_state {
    TAP_WAITER_AGAIN,   /* ask again after sleep_ms */
    TAP_WAITER_SUCCESS, /* it is so */
    TAP_WAITER_FAILURE, /* it cannot be so any more, or asking fails */
    TAP_WAITER_TIMEOUT  /* the time is over */
};

struct tap_waiter_answer {
    enum tap_waiter_state state;
    int64_t sleep_ms;       /* TAP_WAITER_AGAIN; more than 0 */
    const json_t *acceptor; /* the model's acceptor that decided; NULL: none did. Borrowed */
};

/* `name` in any spelling. `timeout_ms` from `now_ms` on; 0: as long as the model's delay and
 * attempts make. TAP_E_USAGE, with the nearest name, when the service has no such waiter. Free *out
 * with tap_waiter_free; it is NULL after an error. */
tap_err tap_waiter_new(struct tap_waiter **out, const struct tap_model *model, const char *name,
                       int64_t now_ms, int64_t timeout_ms, struct tap_error *err);
/* NULL does nothing. */
void tap_waiter_free(struct tap_waiter *waiter);

/* In the model's spelling: the waiter's own name, and the operation to be called. */
const char *tap_waiter_name(const struct tap_waiter *waiter);
const char *tap_waiter_operation(const struct tap_waiter *waiter);

/* What calling the operation led to: its output, or (then `output` is NULL) its error. On
 * TAP_WAITER_FAILURE and TAP_WAITER_TIMEOUT *err says why, and what was seen last:
 *   TAP_E_FAILED   "WaiterFailed"    a state that cannot lead to success
 *   TAP_E_TIMEOUT  "WaiterTimeout"
 *   the call's own error, when the waiter does not expect it; throttling and trouble inside of the
 *   service (http_status set, `retryable`) are waited out */
struct tap_waiter_answer tap_waiter_feed(struct tap_waiter *waiter, const json_t *output,
                                         const struct tap_error *error, int64_t now_ms,
                                         struct tap_error *err);

/* What the waiter looks at, as the last answer had it: {"Stacks[].StackStatus": ["..."]}, {"error":
 * "ValidationError"}; {} before the first answer. Borrowed until the next one. */
const json_t *tap_waiter_seen(const struct tap_waiter *waiter);

TAP_API_END

#endif
