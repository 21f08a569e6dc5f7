/*
 * Service models: what operations a service has, how their input and output look, where it is
 * reached. A model is data (botocore's, without its documentation texts); entries are parsed when
 * they are first asked for, because a call needs a dozen of the thousands of shapes that a large
 * service has.
 *
 * Found in this order: the folders of $AWS_DATA_PATH, ~/.aws/models (botocore's layout, plain JSON:
 * SERVICE/DATE/service-2.json, the newest date), then the copies embedded in the library. What does
 * not stand beside a user's service-2.json (waiters-2, paginators-1, endpoint-rule-set-1) is taken
 * from the embedded model of that name.
 *
 * A model whose references do not resolve is refused when it is loaded, with its place: code that
 * walks a model meets no shape that is missing, and no list without a member.
 */
#ifndef TAP_MODEL_H
#define TAP_MODEL_H

#include <jansson.h>

#include "api.h"
#include "error.h"

TAP_API_BEGIN

struct tap_model;

/* The model of a service by botocore's name for it ("cloudformation", "dynamodb", "elbv2"). Loaded
 * once a process; borrowed until tap_model_unload_all. An unknown service is TAP_E_USAGE and names
 * the nearest; a user's broken model is TAP_E_PARSE with file, line and column. */
tap_err tap_model_load(const struct tap_model **out, const char *service, struct tap_error *err);
/* A model of its own from the JSON of a service-2.json, which is copied; "operations" may be left
 * out. Free with tap_model_free. */
tap_err tap_model_from_json(struct tap_model **out, const char *service, const json_t *service2,
                            struct tap_error *err);
/* NULL does nothing. */
void tap_model_free(struct tap_model *model);
/* Frees every model that tap_model_load keeps. */
void tap_model_unload_all(void);

/* All known service names, sorted; n is set. Free the array (not the names) with tap_free. */
const char **tap_model_services(size_t *n);

/* The name that it was loaded by. */
const char *tap_model_service(const struct tap_model *model);
/* The "metadata" object: protocol, apiVersion, endpointPrefix, signingName, ... */
const json_t *tap_model_metadata(const struct tap_model *model);
/* Operation names, sorted; borrowed. */
const char *const *tap_model_operations(const struct tap_model *model, size_t *n);
/* By any spelling (DescribeStacks, describe_stacks, describe-stacks). An unknown one names the
 * nearest. The object has name, http, input, output, errors as in botocore; its name is the one
 * that tap_model_operations lists. Borrowed. */
tap_err tap_model_operation(const json_t **out, const struct tap_model *model, const char *name,
                            struct tap_error *err);
/* A shape's object by its exact name; NULL when the model has no such shape. Borrowed. */
const json_t *tap_model_shape(const struct tap_model *model, const char *name);
/* A part of the model beside its operations and shapes; borrowed, NULL when it has none:
 *   "waiters"                waiter's name -> operation, delay, maxAttempts, acceptors
 *   "paginators"             operation's name -> input_token, output_token, result_key, ...
 *   "endpoint-rules"         the endpoint rule set: parameters, rules
 *   "client-context-params"  parameter's name -> type: what a client's settings give to the rules
 *   "partitions"             {"partitions": [...]}; the same for every model, which may be NULL */
const json_t *tap_model_part(const struct tap_model *model, const char *part);

TAP_API_END

#endif
