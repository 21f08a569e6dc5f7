/*
 * A client of one AWS service. A call is one operation of the loop: it validates the input by the
 * model, builds the request, signs it, sends it, reads the answer, and sends it again where the
 * retry rules say so. It completes once.
 */
#ifndef TAP_CLIENT_H
#define TAP_CLIENT_H

#include <jansson.h>

#include "credentials.h"
#include "http.h"
#include "log.h"
#include "model.h"
#include "retry.h"

struct tap_client;

struct tap_client_options {
    const char *region;       /* NULL: AWS_REGION, AWS_DEFAULT_REGION */
    const char *endpoint_url; /* NULL: AWS_ENDPOINT_URL_SERVICE, AWS_ENDPOINT_URL, else by the
                                 service's model */
    const struct tap_credentials *credentials; /* copied; NULL: the environment's */
    int max_attempts;                          /* 0: AWS_MAX_ATTEMPTS, else 3 */
    struct tap_http_options http;
    struct tap_log
        *log; /* borrowed; may be NULL: each attempt is a debug line, each retry an info line */
};

tap_err tap_client_new(struct tap_client **out, struct tap_loop *loop, const char *service,
                       const struct tap_client_options *options, struct tap_error *err);
/* Calls under way keep what they need. */
void tap_client_free(struct tap_client *client);
const struct tap_model *tap_client_model(const struct tap_client *client);
const char *tap_client_region(const struct tap_client *client);

/* Starts a call; `input` (an object; NULL: none) is borrowed for the time of this function only.
 * Wrong input is an error here and nothing is sent. */
tap_err tap_client_call(struct tap_op **out, struct tap_client *client, const char *operation,
                        const json_t *input, struct tap_error *err);
/* Of a finished call without error; borrowed. */
json_t *tap_call_output(const struct tap_op *op);
/* The service's request id, "" when there was none. */
const char *tap_call_request_id(const struct tap_op *op);
int tap_call_attempts(const struct tap_op *op);

#endif
