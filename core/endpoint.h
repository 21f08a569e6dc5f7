/*
 * Where a service is reached. An address that the user configured wins; else it is made from the
 * model's endpoint prefix, the region and the partition's domain, with a table of the services that
 * have one place for a whole partition. (The endpoint rule sets of the models are not evaluated:
 * FIPS and dual-stack addresses, which need them, are refused.)
 */
#ifndef TAP_ENDPOINT_H
#define TAP_ENDPOINT_H

#include <jansson.h>
#include <stdbool.h>

#include "message.h"
#include "model.h"

struct tap_endpoint {
    char *scheme;         /* "https" */
    char *host;           /* "sts.eu-west-1.amazonaws.com", "[::1]:4566" */
    char *base_path;      /* what stands before each operation's path: "" or "/base" */
    char *signing_region; /* not the client's for services with one place */
};

/* `region` may be NULL when the service has one place; `url` (NULL: none given) is looked for in
 * AWS_ENDPOINT_URL_SERVICE and AWS_ENDPOINT_URL. TAP_E_USAGE when the region is missing or is no
 * host name's part, or when the URL is not an http or https address. On failure *out holds nothing.
 */
tap_err tap_endpoint_resolve(struct tap_endpoint *out, const struct tap_model *model,
                             const char *region, const char *url, struct tap_error *err);
void tap_endpoint_fini(struct tap_endpoint *endpoint);

/* Completes a request that a protocol has built: scheme, host (with the operation's prefix, if its
 * model has one, from `input`) and the base path before its target. */
tap_err tap_endpoint_apply(const struct tap_endpoint *endpoint, struct tap_request *request,
                           const json_t *operation, const json_t *input, struct tap_error *err);

/* True when the host is this machine: localhost, 127.x.y.z, ::1. */
bool tap_endpoint_is_loopback(const struct tap_endpoint *endpoint);

#endif
