/*
 * What a service's model says of sending an operation again: which errors are worth it, and whether
 * it may then act twice.
 */
#ifndef TAP_RETRY_MODEL_H
#define TAP_RETRY_MODEL_H

#include <jansson.h>
#include <stdbool.h>

#include "model.h"
#include "retry.h"

/* The class of an error of the operation, by its code on the wire, that the model marks as
 * retryable; TAP_RETRY_NO for others. */
enum tap_retry_class tap_retry_modelled(const struct tap_model *model, const json_t *operation,
                                        const char *code);

/* The SDKs send again after every network failure, and so do we; this is true where it may have
 * done something twice, so that the log can say so. False when the input carries an idempotency
 * token, when the model calls the operation idempotent or only reading, and when its name or method
 * says that it only reads. */
bool tap_retry_may_act_twice(const struct tap_model *model, const json_t *operation);

#endif
