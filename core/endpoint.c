/*
 * Endpoints by configuration and rules. See endpoint.h.
 *
 * The order of the configuration is that of the AWS SDKs and Tools Reference Guide,
 * "Service-specific endpoints".
 */
#include "endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "endpoint_parameters.h"
#include "mem.h"
#include "protocol.h"
#include "rules.h"
#include "url.h"

/* The region of services with one place, for the rules; no host has it in its name. */
#define NO_REGION "aws-global"

struct tap_endpoint_settings {
    const struct tap_model *model;
    char *region;
    char *url;       /* that the user gave, or NULL */
    bool fips, dual; /* for services without rules */
    json_t *parameters;
};

/* ---- the configured address ---- */

static bool is_true(const struct tap_profile *profile, const char *variable, const char *key)
{
    const char *value = tap_profile_setting(profile, variable, key);
    return value && strcasecmp(value, "true") == 0;
}

static const char *service_id(const struct tap_model *model)
{
    const json_t *id = json_object_get(tap_model_metadata(model), "serviceId");
    return json_is_string(id) ? json_string_value(id) : tap_model_service(model);
}

/* AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2 for the serviceId "Elastic Load Balancing v2". */
static char *endpoint_variable(const struct tap_model *model)
{
    char *variable = tap_sprintf("AWS_ENDPOINT_URL_%s", service_id(model));
    for (char *c = variable; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
    return variable;
}

/* *out is borrowed; NULL: none. */
static tap_err configured_url(const char **out, const struct tap_model *model,
                              const struct tap_profile *profile, struct tap_error *err)
{
    *out = NULL;
    if (is_true(profile, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"))
        return TAP_OK;
    char *variable = endpoint_variable(model);
    *out = tap_profile_setting(NULL, variable, NULL);
    tap_free(variable);
    if (!*out)
        *out = tap_profile_setting(NULL, "AWS_ENDPOINT_URL", NULL);
    return *out || !profile ? TAP_OK
                            : tap_profile_endpoint_url(out, profile, service_id(model), err);
}

/* Fills scheme, host and base_path; what is wrong with the text, or NULL. */
static const char *read_url(struct tap_endpoint *out, const char *text)
{
    struct tap_url url;
    const char *defect = tap_url_split(&url, text);
    if (defect)
        return defect;
    size_t host_n = url.authority_n, path_n = strlen(url.path);
    const char *usual_port = strcmp(url.scheme, "https") == 0 ? ":443" : ":80";
    if (host_n - url.host_n == strlen(usual_port) &&
        memcmp(url.authority + url.host_n, usual_port, strlen(usual_port)) == 0)
        host_n = url.host_n;
    while (path_n && url.path[path_n - 1] == '/')
        path_n--;
    out->scheme = tap_strdup(url.scheme);
    out->host = tap_strndup(url.authority, host_n);
    out->base_path = tap_strndup(url.path, path_n);
    return NULL;
}

/* The address is not repeated: what is wrong with it may be a password in it. */
static tap_err bad_url(struct tap_error *err, const char *whose, const char *defect)
{
    return tap_fail(err, TAP_E_USAGE, "InvalidEndpoint",
                    "%s is not usable: %s (wanted: http://HOST[:PORT][/PATH])", whose, defect);
}

/* ---- how it is signed for ---- */

static const char *model_text(const struct tap_model *model, const char *name)
{
    return json_string_value(json_object_get(tap_model_metadata(model), name));
}

/* Where nothing says otherwise. */
static void default_signing(struct tap_endpoint *out, const struct tap_endpoint_settings *settings)
{
    const char *name = model_text(settings->model, "signingName");
    const char *version = model_text(settings->model, "signatureVersion");
    const char *region = settings->region;
    if (strcmp(region, NO_REGION) == 0)
        region =
            json_string_value(json_object_get(tap_rules_partition(region), "implicitGlobalRegion"));
    tap_set(&out->signing_name, name ? name : model_text(settings->model, "endpointPrefix"));
    tap_set(&out->signing_region, region);
    out->encode_path_twice = !version || strncmp(version, "s3", 2) != 0;
}

/* The rules list the ways of signing in their order of preference. */
static tap_err read_schemes(struct tap_endpoint *out, const json_t *schemes, struct tap_error *err)
{
    const char *preferred = NULL;
    size_t i;
    const json_t *scheme;
    json_array_foreach(schemes, i, scheme)
    {
        const char *kind = json_string_value(json_object_get(scheme, "name"));
        const char *name = json_string_value(json_object_get(scheme, "signingName"));
        const char *region = json_string_value(json_object_get(scheme, "signingRegion"));
        if (!kind || strcmp(kind, "sigv4") != 0) {
            preferred = preferred ? preferred : kind;
            continue;
        }
        if (name)
            tap_set(&out->signing_name, name);
        if (region)
            tap_set(&out->signing_region, region);
        if (json_is_true(json_object_get(scheme, "disableDoubleEncoding")))
            out->encode_path_twice = false;
        return TAP_OK;
    }
    if (!preferred)
        return TAP_OK;
    return tap_fail(err, TAP_E_UNSUPPORTED, "SigningUnsupported",
                    "requests to %s are signed by '%s'; only Signature Version 4 is supported",
                    out->host, preferred);
}

/* ---- the address ---- */

static tap_err no_region(struct tap_error *err)
{
    return tap_fail(err, TAP_E_USAGE, "NoRegion",
                    "no region is set: give --region, or set AWS_REGION (for example "
                    "AWS_REGION=eu-central-1)");
}

/* What all services have whose rules know of no exception. */
static tap_err by_pattern(struct tap_endpoint *out, const struct tap_endpoint_settings *settings,
                          struct tap_error *err)
{
    const char *prefix = model_text(settings->model, "endpointPrefix");
    if (!prefix)
        return tap_fail(err, TAP_E_PROTOCOL, "BrokenModel", "the model of %s has no endpointPrefix",
                        tap_model_service(settings->model));
    const json_t *partition = tap_rules_partition(settings->region);
    out->scheme = tap_strdup("https");
    out->base_path = tap_strdup("");
    out->host = tap_sprintf("%s%s.%s.%s", prefix, settings->fips ? "-fips" : "", settings->region,
                            json_string_value(json_object_get(
                                partition, settings->dual ? "dualStackDnsSuffix" : "dnsSuffix")));
    return TAP_OK;
}

/* What the rules have placed already must not be put in a second time. */
static void note_placed(struct tap_endpoint *out, const struct tap_model *model,
                        const json_t *operation)
{
    char member[64];
    const char *prefix =
        json_string_value(json_object_get(json_object_get(operation, "endpoint"), "hostPrefix"));
    const char *path =
        json_string_value(json_object_get(json_object_get(operation, "http"), "requestUri"));
    if (prefix && sscanf(prefix, "{%63[^}]}", member) == 1)
        out->has_prefix = *tap_endpoint_parameter_of(model, operation, member);
    if (path && sscanf(path, "/{%63[^}]}", member) == 1)
        out->has_bucket =
            strcmp(tap_endpoint_parameter_of(model, operation, member), "Bucket") == 0;
}

static tap_err by_rules(struct tap_endpoint *out, const struct tap_endpoint_settings *settings,
                        const json_t *operation, const json_t *input, struct tap_error *err)
{
    struct tap_rules_endpoint found;
    json_t *parameters =
        tap_endpoint_call_parameters(settings->parameters, settings->model, operation, input);
    tap_err code = tap_rules_resolve(&found, tap_model_part(settings->model, "endpoint-rules"),
                                     parameters, err);
    json_decref(parameters);
    if (code)
        return code;
    const char *defect = read_url(out, found.url);
    if (defect)
        code = bad_url(err, "what the service's endpoint rules answer", defect);
    else
        code = read_schemes(out, json_object_get(found.properties, "authSchemes"), err);
    out->headers = json_incref(found.headers);
    note_placed(out, settings->model, operation);
    tap_rules_endpoint_fini(&found);
    return code;
}

tap_err tap_endpoint_resolve(struct tap_endpoint *out, const struct tap_endpoint_settings *settings,
                             const json_t *operation, const json_t *input, struct tap_error *err)
{
    memset(out, 0, sizeof *out);
    default_signing(out, settings);
    tap_err code = TAP_OK;
    if (tap_model_part(settings->model, "endpoint-rules"))
        code = by_rules(out, settings, operation, input, err);
    else if (settings->url)
        read_url(out, settings->url);
    else
        code = by_pattern(out, settings, err);
    if (code)
        tap_endpoint_fini(out);
    return code;
}

tap_err tap_endpoint_resolve_in(struct tap_endpoint *out,
                                const struct tap_endpoint_settings *settings, const char *region,
                                const json_t *operation, const json_t *input, struct tap_error *err)
{
    if (!region)
        return tap_endpoint_resolve(out, settings, operation, input, err);
    struct tap_endpoint_settings there = *settings;
    there.region = (char *)region; /* borrowed */
    there.parameters = json_copy(settings->parameters);
    json_object_set_new(there.parameters, "Region", json_string(region));
    tap_err code = tap_endpoint_resolve(out, &there, operation, input, err);
    json_decref(there.parameters);
    return code;
}

void tap_endpoint_fini(struct tap_endpoint *endpoint)
{
    tap_free(endpoint->scheme);
    tap_free(endpoint->host);
    tap_free(endpoint->base_path);
    tap_free(endpoint->signing_region);
    tap_free(endpoint->signing_name);
    json_decref(endpoint->headers);
    memset(endpoint, 0, sizeof *endpoint);
}

/* ---- settings ---- */

/* Without a region only a service that needs none can be reached: its address names none. */
static tap_err check_one_place(const struct tap_endpoint_settings *settings, struct tap_error *err)
{
    struct tap_endpoint endpoint;
    bool one_place = tap_endpoint_resolve(&endpoint, settings, NULL, NULL, NULL) == TAP_OK &&
                     !strstr(endpoint.host, NO_REGION);
    tap_endpoint_fini(&endpoint);
    return one_place ? TAP_OK : no_region(err);
}

static tap_err check_settings(const char *region, const char *url, struct tap_error *err)
{
    struct tap_url parts;
    const char *defect = url ? tap_url_split(&parts, url) : NULL;
    if (region && !tap_is_host_label(region, strlen(region)))
        return tap_fail(err, TAP_E_USAGE, "InvalidRegion",
                        "'%s' is not a region: letters, digits and hyphens are expected "
                        "(for example eu-central-1)",
                        region);
    if (url && !region)
        return no_region(err); /* the signature needs one */
    return defect ? bad_url(err, "the endpoint URL", defect) : TAP_OK;
}

tap_err tap_endpoint_settings_new(struct tap_endpoint_settings **out, const struct tap_model *model,
                                  const char *region, const char *url, const json_t *context,
                                  const struct tap_profile *profile, struct tap_error *err)
{
    *out = NULL;
    tap_err code = url ? TAP_OK : configured_url(&url, model, profile, err);
    if (code == TAP_OK)
        code = check_settings(region, url, err);
    if (code)
        return code;
    struct tap_endpoint_settings *settings = tap_alloc(sizeof *settings);
    settings->model = model;
    settings->region = tap_strdup(region ? region : NO_REGION);
    settings->url = tap_strdup(url);
    settings->fips = is_true(profile, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
    settings->dual = is_true(profile, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
    code = tap_endpoint_client_parameters(&settings->parameters, model, settings->region, url,
                                          context, profile, err);
    if (code == TAP_OK && !region)
        code = check_one_place(settings, err);
    if (code)
        tap_endpoint_settings_free(settings);
    else
        *out = settings;
    return code;
}

void tap_endpoint_settings_free(struct tap_endpoint_settings *settings)
{
    if (!settings)
        return;
    tap_free(settings->region);
    tap_free(settings->url);
    json_decref(settings->parameters);
    tap_free(settings);
}

char *tap_endpoint_unencrypted_host(const struct tap_endpoint_settings *settings)
{
    struct tap_endpoint given = {0};
    char *host = NULL;
    if (settings->url && !read_url(&given, settings->url) && strcmp(given.scheme, "http") == 0 &&
        !tap_endpoint_is_loopback(&given))
        host = tap_strdup(given.host);
    tap_endpoint_fini(&given);
    return host;
}

/* ---- the request of one operation ---- */

bool tap_endpoint_is_loopback(const struct tap_endpoint *endpoint)
{
    const char *host = endpoint->host;
    if (host[0] == '[')
        return strncmp(host, "[::1]", 5) == 0;
    char *name = tap_strndup(host, strcspn(host, ":"));
    struct in_addr address;
    bool is_loopback =
        strcasecmp(name, "localhost") == 0 ||
        (inet_pton(AF_INET, name, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
    tap_free(name);
    return is_loopback;
}

/* The base path, then the target, of which the bucket at its start may have been placed. */
static void set_target(const struct tap_endpoint *endpoint, struct tap_request *request)
{
    const char *rest = request->target;
    if (endpoint->has_bucket)
        rest += 1 + strcspn(rest + 1, "/?");
    const char *slash = !*endpoint->base_path && *rest != '/' ? "/" : "";
    char *target = tap_sprintf("%s%s%s", endpoint->base_path, slash, rest);
    tap_set(&request->target, target);
    tap_free_secret(target);
}

static void set_headers(const struct tap_endpoint *endpoint, struct tap_request *request)
{
    const char *name;
    json_t *values;
    json_object_foreach(endpoint->headers, name, values)
    {
        tap_headers_remove(&request->headers, name);
        size_t i;
        const json_t *value;
        json_array_foreach(values, i, value)
            tap_headers_add(&request->headers, name, json_string_value(value));
    }
}

tap_err tap_endpoint_apply(const struct tap_endpoint *endpoint, struct tap_request *request,
                           const json_t *operation, const json_t *input, struct tap_error *err)
{
    struct tap_buf host;
    tap_buf_init(&host, 1024);
    /* "data-127.0.0.1" is nobody's name: an emulator on this machine is asked without the prefix */
    tap_err code = TAP_OK;
    if (!endpoint->has_prefix && !tap_endpoint_is_loopback(endpoint))
        code = tap_host_prefix(&host, operation, input, err);
    if (code == TAP_OK) {
        tap_buf_puts(&host, endpoint->host);
        tap_set(&request->scheme, endpoint->scheme);
        tap_set(&request->host, tap_buf_text(&host));
        set_target(endpoint, request);
        set_headers(endpoint, request);
    }
    tap_buf_fini(&host);
    return code;
}
