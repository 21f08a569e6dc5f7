/*
 * What AWS's SDKs do for single operations and no model says: the input as the service wants it,
 * the output as the caller does. All of it is S3's so far; all of it is tables.
 *
 * Source: the S3 API reference ("SSE-C", "EncodingType"), and what botocore's handlers do.
 */
#ifndef TAP_CUSTOMS_H
#define TAP_CUSTOMS_H

#include <jansson.h>
#include <stdbool.h>

#include "model.h"

/* Changes the input of a call, which is the caller's own copy: a customer's key is sent in base64
 * with its MD5, unless that is there; listings are asked for with their names percent-encoded, as
 * XML cannot carry all of them, unless the input says how. TAP_E_USAGE "InvalidKey": a customer's
 * key that is none. */
tap_err tap_customs_input(json_t *input, const struct tap_model *model, const json_t *operation,
                          struct tap_error *err);

/* Changes the output of a call: what tap_customs_input has asked to be encoded (`asked`) is as it
 * was before that. */
void tap_customs_output(json_t *output, const struct tap_model *model, const json_t *operation,
                        bool asked);
/* Would tap_customs_input ask for encoded names? */
bool tap_customs_asks(const json_t *input, const struct tap_model *model, const json_t *operation);

#endif
