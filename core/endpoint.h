/*
 * Where a service is reached, and for which name and region its requests are signed. The service's
 * own endpoint rules decide (rules.h); what they are told comes from the client's settings, the
 * environment, the operation and its input. An address that the user configured is one of the
 * things they are told. A model of one's own that has no rules: PREFIX.REGION.DOMAIN of the
 * region's partition.
 */
#ifndef TAP_ENDPOINT_H
#define TAP_ENDPOINT_H

#include <jansson.h>
#include <stdbool.h>

#include "message.h"
#include "model.h"
#include "profile.h"

/* What holds for all calls of a client. */
struct tap_endpoint_settings;

struct tap_endpoint {
    char *scheme;           /* "https" */
    char *host;             /* "sts.eu-west-1.amazonaws.com", "[::1]:4566" */
    char *base_path;        /* what stands before each operation's path: "" or "/base" */
    char *signing_region;   /* not the client's for services with one place */
    char *signing_name;     /* of the credential scope: "cloudformation" */
    bool encode_path_twice; /* when signing; S3's paths are encoded once */
    json_t *headers;        /* name -> list of texts, which the request carries too */
    bool has_prefix;        /* the operation's host prefix is a part of `host` already */
    bool has_bucket;        /* the first part of the operation's path stands in host or base_path */
};

/* `region` may be NULL when the service has one place; `url` (NULL: none given) is looked for in
 * AWS_ENDPOINT_URL_SERVICE and AWS_ENDPOINT_URL, then in `profile` (NULL: none), whose settings
 * hold where the environment has none. With an address given, AWS_USE_FIPS_ENDPOINT and
 * AWS_USE_DUALSTACK_ENDPOINT, which choose among AWS's, mean nothing. `context` (an object; NULL:
 * none) has the service's own settings, those of tap_model_part(.., "client-context-params").
 * TAP_E_USAGE when the region is missing or is no host name's part, when the URL is not an http or
 * https address, when a setting is unknown. Free *out with tap_endpoint_settings_free; it is NULL
 * after an error. The model is borrowed. */
tap_err tap_endpoint_settings_new(struct tap_endpoint_settings **out, const struct tap_model *model,
                                  const char *region, const char *url, const json_t *context,
                                  const struct tap_profile *profile, struct tap_error *err);
/* NULL does nothing. */
void tap_endpoint_settings_free(struct tap_endpoint_settings *settings);
/* The host of the address that the user gave when it is asked without encryption and is not this
 * machine, NULL otherwise; the caller frees it (tap_free). */
char *tap_endpoint_unencrypted_host(const struct tap_endpoint_settings *settings);

/* The endpoint of one call; `operation` and `input` may be NULL (the service as such). TAP_E_USAGE
 * with the rules' own text when there is none; TAP_E_UNSUPPORTED when it is signed for in a way
 * that is not built. On failure *out holds nothing. */
tap_err tap_endpoint_resolve(struct tap_endpoint *out, const struct tap_endpoint_settings *settings,
                             const json_t *operation, const json_t *input, struct tap_error *err);
/* The same in another region than the client's, where something turned out to be; NULL: in the
 * client's. */
tap_err tap_endpoint_resolve_in(struct tap_endpoint *out,
                                const struct tap_endpoint_settings *settings, const char *region,
                                const json_t *operation, const json_t *input,
                                struct tap_error *err);
void tap_endpoint_fini(struct tap_endpoint *endpoint);

/* Completes a request that a protocol has built: scheme, host (with the operation's prefix, if its
 * model has one, from `input`), the base path before its target, and the endpoint's headers. */
tap_err tap_endpoint_apply(const struct tap_endpoint *endpoint, struct tap_request *request,
                           const json_t *operation, const json_t *input, struct tap_error *err);

/* True when the host is this machine: localhost, 127.x.y.z, ::1. */
bool tap_endpoint_is_loopback(const struct tap_endpoint *endpoint);

#endif
