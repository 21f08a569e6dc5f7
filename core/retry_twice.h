/*
 * Whether an operation that is sent again may act twice. The SDKs send again after every network
 * failure, and so do we; where that may have done something twice, the log says so.
 */
#ifndef TAP_RETRY_TWICE_H
#define TAP_RETRY_TWICE_H

#include <jansson.h>
#include <stdbool.h>

#include "model.h"

/* False when the input carries an idempotency token, when the model calls the operation idempotent
 * or only reading, and when its name or method says that it only reads. */
bool tap_retry_may_act_twice(const struct tap_model *model, const json_t *operation);

#endif
