/*
 * Service models: what operations a service has, how their input and output look, where it is
 * reached. A model is data (botocore's, without its documentation texts); entries are parsed when
 * they are first asked for, because a call needs a dozen of the thousands of shapes that a large
 * service has.
 *
 * Found in this order: $AWS_DATA_PATH folders and ~/.aws/models (botocore's layout, plain JSON:
 * SERVICE/DATE/service-2.json), then the copies embedded in the library.
 */
#ifndef TAP_MODEL_H
#define TAP_MODEL_H

#include <jansson.h>

#include "error.h"

struct tap_model;

/* The model of a service by botocore's name for it ("cloudformation", "dynamodb", "elbv2"). Loaded
 * once a process; borrowed. An unknown service names the nearest. */
tap_err tap_model_load(const struct tap_model **out, const char *service, struct tap_error *err);
/* A model of its own from botocore's JSON (tests, conformance); free with tap_model_free. */
tap_err tap_model_from_json(struct tap_model **out, const char *service, const json_t *service2,
                            struct tap_error *err);
void tap_model_free(struct tap_model *model);
/* Frees every model that tap_model_load keeps. */
void tap_model_unload_all(void);

/* All known service names, sorted; n is set. Free the array (not the names) with tap_free. */
const char **tap_model_services(size_t *n);

const char *tap_model_service(const struct tap_model *model);
/* The "metadata" object: protocol, apiVersion, endpointPrefix, signingName, ... */
const json_t *tap_model_metadata(const struct tap_model *model);
/* Operation names, sorted; borrowed. */
const char *const *tap_model_operations(const struct tap_model *model, size_t *n);
/* By any spelling (DescribeStacks, describe_stacks, describe-stacks). An unknown one names the
 * nearest. The object has name, http, input, output, errors as in botocore; borrowed. */
tap_err tap_model_operation(const json_t **out, const struct tap_model *model, const char *name,
                            struct tap_error *err);
/* The operation's own name for a shape's object; NULL when the model has no such shape. Borrowed.
 */
const json_t *tap_model_shape(const struct tap_model *model, const char *name);
/* "waiters", "paginators", "endpoint-rules": the whole object of that part, or NULL. Borrowed. */
const json_t *tap_model_part(const struct tap_model *model, const char *part);

#endif
