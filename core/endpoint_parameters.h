/*
 * What a service's endpoint rules are told. Not for users of the library.
 */
#ifndef TAP_ENDPOINT_PARAMETERS_H
#define TAP_ENDPOINT_PARAMETERS_H

#include <jansson.h>

#include "error.h"
#include "model.h"
#include "profile.h"

/* What holds for all calls of a client, by parameter name; the caller owns *out. `url` (NULL: none)
 * is the address that the user gave; `context` (NULL: none) has the service's own settings;
 * `profile` (NULL: none) says what the environment does not. An unknown setting is TAP_E_USAGE and
 * names the nearest. */
tap_err tap_endpoint_client_parameters(json_t **out, const struct tap_model *model,
                                       const char *region, const char *url, const json_t *context,
                                       const struct tap_profile *profile, struct tap_error *err);

/* The same with what one call adds: what the operation says by itself and what stands in its input.
 * A new reference. */
json_t *tap_endpoint_call_parameters(json_t *of_client, const struct tap_model *model,
                                     const json_t *operation, const json_t *input);

/* The parameter of the rules that a member of the operation's input becomes; "" for none. */
const char *tap_endpoint_parameter_of(const struct tap_model *model, const json_t *operation,
                                      const char *member);

#endif
