/*
 * Whether the JSON of a service-2.json is a service model: checked whole before it is used, so that
 * the code that walks a model need not look for what is missing.
 */
#ifndef TAP_MODEL_CHECK_H
#define TAP_MODEL_CHECK_H

#include <jansson.h>

#include "error.h"

/* TAP_E_PARSE, without a file, says what is wrong with `service2`; then `where`, an empty array of
 * the caller's, holds the path of the node, as tap_doc_mark takes it. */
tap_err tap_model_check(json_t *where, const json_t *service2, struct tap_error *err);

#endif
