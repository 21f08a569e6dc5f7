/*
 * Endpoints by configuration, table and pattern. See endpoint.h.
 *
 * Source of the tables: botocore's endpoints.json and partitions.json (2026). The order of the
 * configuration is that of the AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
 */
#include "endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "protocol.h"

struct partition {
    const char *id;
    const char *region_prefix; /* the last row fits all */
    const char *domain;
    const char *api_domain;     /* of api_domain_services */
    const char *implied_region; /* for services with one place, when no region is set */
};

static const struct partition partitions[] = {
    {"aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1"},
    {"aws-us-gov", "us-gov-", "amazonaws.com", "api.aws", "us-gov-west-1"},
    {"aws-iso", "us-iso-", "c2s.ic.gov", "c2s.ic.gov", "us-iso-east-1"},
    {"aws-iso-b", "us-isob-", "sc2s.sgov.gov", "sc2s.sgov.gov", "us-isob-east-1"},
    {"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "cloud.adc-e.uk", "eu-isoe-west-1"},
    {"aws-iso-f", "us-isof-", "csp.hci.ic.gov", "csp.hci.ic.gov", "us-isof-south-1"},
    {"aws-eusc", "eusc-", "amazonaws.eu", "amazonaws.eu", "eusc-de-east-1"},
    {"aws", "", "amazonaws.com", "api.aws", "us-east-1"},
};

/* Services with one place for a partition: all its regions lead there, and it signs for `region`.
 */
static const struct place {
    const char *prefix; /* the model's endpointPrefix */
    const char *partition;
    const char *host;
    const char *region;
} places[] = {
    {"account", "aws", "account.us-east-1.amazonaws.com", "us-east-1"},
    {"account", "aws-cn", "account.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
    {"billingconductor", "aws", "billingconductor.us-east-1.amazonaws.com", "us-east-1"},
    {"budgets", "aws", "budgets.amazonaws.com", "us-east-1"},
    {"budgets", "aws-cn", "budgets.amazonaws.com.cn", "cn-northwest-1"},
    {"budgets", "aws-iso", "budgets.c2s.ic.gov", "us-iso-east-1"},
    {"budgets", "aws-iso-b", "budgets.global.sc2s.sgov.gov", "us-isob-east-1"},
    {"budgets", "aws-iso-e", "budgets.global.cloud.adc-e.uk", "eu-isoe-west-1"},
    {"budgets", "aws-iso-f", "budgets.global.csp.hci.ic.gov", "us-isof-south-1"},
    {"ce", "aws", "ce.us-east-1.amazonaws.com", "us-east-1"},
    {"ce", "aws-cn", "ce.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
    {"ce", "aws-iso", "ce.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"ce", "aws-iso-b", "ce.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
    {"ce", "aws-iso-f", "ce.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"},
    {"chime", "aws", "chime.us-east-1.amazonaws.com", "us-east-1"},
    {"cloudfront", "aws", "cloudfront.amazonaws.com", "us-east-1"},
    {"cloudfront", "aws-cn", "cloudfront.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
    {"health", "aws", "global.health.amazonaws.com", "us-east-1"},
    {"health", "aws-cn", "global.health.amazonaws.com.cn", "cn-northwest-1"},
    {"iam", "aws", "iam.amazonaws.com", "us-east-1"},
    {"iam", "aws-cn", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"},
    {"iam", "aws-us-gov", "iam.us-gov.amazonaws.com", "us-gov-west-1"},
    {"iam", "aws-iso", "iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"iam", "aws-iso-b", "iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
    {"iam", "aws-iso-e", "iam.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"},
    {"iam", "aws-iso-f", "iam.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"},
    {"networkmanager", "aws", "networkmanager.us-west-2.amazonaws.com", "us-west-2"},
    {"networkmanager", "aws-us-gov", "networkmanager.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"notifications-contacts", "aws", "notifications-contacts.us-east-1.api.aws", "us-east-1"},
    {"organizations", "aws", "organizations.us-east-1.amazonaws.com", "us-east-1"},
    {"organizations", "aws-cn", "organizations.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
    {"organizations", "aws-us-gov", "organizations.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"organizations", "aws-iso", "organizations.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"organizations", "aws-iso-b", "organizations.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
    {"organizations", "aws-iso-e", "organizations.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"},
    {"organizations", "aws-iso-f", "organizations.us-isof-south-1.csp.hci.ic.gov",
     "us-isof-south-1"},
    {"route53", "aws", "route53.amazonaws.com", "us-east-1"},
    {"route53", "aws-cn", "route53.amazonaws.com.cn", "cn-northwest-1"},
    {"route53", "aws-us-gov", "route53.us-gov.amazonaws.com", "us-gov-west-1"},
    {"route53", "aws-iso", "route53.c2s.ic.gov", "us-iso-east-1"},
    {"route53", "aws-iso-b", "route53.sc2s.sgov.gov", "us-isob-east-1"},
    {"route53", "aws-iso-e", "route53.cloud.adc-e.uk", "eu-isoe-west-1"},
    {"route53", "aws-iso-f", "route53.csp.hci.ic.gov", "us-isof-south-1"},
    {"savingsplans", "aws", "savingsplans.amazonaws.com", "us-east-1"},
    {"savingsplans", "aws-iso-e", "savingsplans.cloud.adc-e.uk", "eu-isoe-west-1"},
    {"savingsplans", "aws-iso-f", "savingsplans.csp.hci.ic.gov", "us-isof-south-1"},
    {"shield", "aws", "shield.us-east-1.amazonaws.com", "us-east-1"},
    {"tax", "aws", "tax.us-east-1.amazonaws.com", "us-east-1"},
    {"waf", "aws", "waf.amazonaws.com", "us-east-1"},
};

/* Services, by endpointPrefix, that live under the partition's api_domain in every region. */
static const char *const api_domain_services[] = {
    "datazone",       "eks-auth",      "gameliftstreams", "internetmonitor",
    "kendra-ranking", "notifications", "qbusiness",
};

/* ---- the configured address ---- */

static bool is_true(const char *variable)
{
    const char *value = getenv(variable);
    return value && strcasecmp(value, "true") == 0;
}

static const char *nonempty_env(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value ? value : NULL;
}

/* AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2 for the serviceId "Elastic Load Balancing v2". */
static char *endpoint_variable(const struct tap_model *model)
{
    const json_t *id = json_object_get(tap_model_metadata(model), "serviceId");
    const char *name = json_is_string(id) ? json_string_value(id) : tap_model_service(model);
    char *variable = tap_sprintf("AWS_ENDPOINT_URL_%s", name);
    for (char *c = variable; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
    return variable;
}

static const char *configured_url(const struct tap_model *model)
{
    if (is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
        return NULL;
    char *variable = endpoint_variable(model);
    const char *url = nonempty_env(variable);
    tap_free(variable);
    return url ? url : nonempty_env("AWS_ENDPOINT_URL");
}

static char *url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, CURLU_NO_DEFAULT_PORT) != CURLUE_OK)
        return NULL;
    char *copy = tap_strdup(text);
    curl_free(text);
    return copy;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = url_part(url, part);
    tap_free_secret(text);
    return text != NULL;
}

/* Why the address cannot be used, or NULL. */
static const char *url_defect(CURLU *url, CURLUcode parsed)
{
    if (parsed != CURLUE_OK)
        return curl_url_strerror(parsed);
    char *scheme = url_part(url, CURLUPART_SCHEME);
    bool is_http = scheme && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    tap_free(scheme);
    if (!is_http)
        return "it must begin with http:// or https://";
    if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
        return "it must not contain a user name or password";
    if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
        return "it must not contain '?' or '#'";
    return NULL;
}

/* Fills scheme, host and base_path. The address is not repeated in errors: what is wrong with it
 * may be a password in it. */
static tap_err parse_url(struct tap_endpoint *out, const char *text, struct tap_error *err)
{
    CURLU *url = curl_url();
    CURLUcode parsed = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    const char *defect = url_defect(url, parsed);
    if (defect) {
        curl_url_cleanup(url);
        return tap_fail(err, TAP_E_USAGE, "InvalidEndpoint",
                        "the endpoint URL is not usable: %s (wanted: http://HOST[:PORT][/PATH])",
                        defect);
    }
    char *host = url_part(url, CURLUPART_HOST), *port = url_part(url, CURLUPART_PORT);
    out->scheme = url_part(url, CURLUPART_SCHEME);
    out->host = port ? tap_sprintf("%s:%s", host, port) : tap_strdup(host);
    out->base_path = url_part(url, CURLUPART_PATH);
    for (size_t n = strlen(out->base_path); n && out->base_path[n - 1] == '/'; n--)
        out->base_path[n - 1] = '\0';
    tap_free(host);
    tap_free(port);
    curl_url_cleanup(url);
    return TAP_OK;
}

/* ---- the address by model and region ---- */

/* Letters, digits and inner hyphens, at most 63: a part of a host name. */
static bool is_host_label(const char *text, size_t n)
{
    if (n == 0 || n > 63 || text[0] == '-' || text[n - 1] == '-')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '-')
            return false;
    return true;
}

static const struct partition *partition_of(const char *region)
{
    const struct partition *partition = partitions;
    while (strncmp(region, partition->region_prefix, strlen(partition->region_prefix)) != 0)
        partition++;
    return partition;
}

static const struct place *find_place(const char *prefix, const char *partition)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcmp(places[i].prefix, prefix) == 0 && strcmp(places[i].partition, partition) == 0)
            return &places[i];
    return NULL;
}

static bool is_under_api_domain(const char *prefix)
{
    for (size_t i = 0; i < sizeof api_domain_services / sizeof *api_domain_services; i++)
        if (strcmp(api_domain_services[i], prefix) == 0)
            return true;
    return false;
}

static tap_err no_region(struct tap_error *err)
{
    return tap_fail(err, TAP_E_USAGE, "NoRegion",
                    "no region is set: give --region, or set AWS_REGION (for example "
                    "AWS_REGION=eu-central-1)");
}

static tap_err refuse_variants(struct tap_error *err)
{
    static const char *const variables[] = {"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (is_true(variables[i]))
            return tap_fail(err, TAP_E_UNSUPPORTED, "EndpointVariant",
                            "%s is set, but such endpoints are not looked up: give the service's "
                            "address as endpoint URL",
                            variables[i]);
    return TAP_OK;
}

static tap_err by_region(struct tap_endpoint *out, const struct tap_model *model,
                         const char *region, struct tap_error *err)
{
    const char *prefix =
        json_string_value(json_object_get(tap_model_metadata(model), "endpointPrefix"));
    if (!prefix)
        return tap_fail(err, TAP_E_PROTOCOL, "BrokenModel", "the model of %s has no endpointPrefix",
                        tap_model_service(model));
    tap_err code = refuse_variants(err);
    if (code)
        return code;
    const struct partition *partition = partition_of(region ? region : "");
    const struct place *place = find_place(prefix, partition->id);
    if (!place && !region)
        return no_region(err);
    out->scheme = tap_strdup("https");
    out->base_path = tap_strdup("");
    if (place) {
        out->host = tap_strdup(place->host);
        out->signing_region = tap_strdup(place->region);
        return TAP_OK;
    }
    const char *domain = is_under_api_domain(prefix) ? partition->api_domain : partition->domain;
    out->host = tap_sprintf("%s.%s.%s", prefix, region, domain);
    out->signing_region = tap_strdup(region);
    return TAP_OK;
}

tap_err tap_endpoint_resolve(struct tap_endpoint *out, const struct tap_model *model,
                             const char *region, const char *url, struct tap_error *err)
{
    memset(out, 0, sizeof *out);
    if (region && !is_host_label(region, strlen(region)))
        return tap_fail(err, TAP_E_USAGE, "InvalidRegion",
                        "'%s' is not a region: letters, digits and hyphens are expected "
                        "(for example eu-central-1)",
                        region);
    if (!url)
        url = configured_url(model);
    if (!url)
        return by_region(out, model, region, err);
    if (!region)
        return no_region(err); /* the signature needs one */
    tap_err code = parse_url(out, url, err);
    if (code == TAP_OK)
        out->signing_region = tap_strdup(region);
    return code;
}

void tap_endpoint_fini(struct tap_endpoint *endpoint)
{
    tap_free(endpoint->scheme);
    tap_free(endpoint->host);
    tap_free(endpoint->base_path);
    tap_free(endpoint->signing_region);
    memset(endpoint, 0, sizeof *endpoint);
}

/* ---- the address of one operation ---- */

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

tap_err tap_endpoint_apply(const struct tap_endpoint *endpoint, struct tap_request *request,
                           const json_t *operation, const json_t *input, struct tap_error *err)
{
    struct tap_buf host;
    tap_buf_init(&host, 1024);
    /* "data-127.0.0.1" is nobody's name: an emulator on this machine is asked without the prefix */
    tap_err code = TAP_OK;
    if (!tap_endpoint_is_loopback(endpoint))
        code = tap_host_prefix(&host, operation, input, err);
    if (code == TAP_OK) {
        tap_buf_puts(&host, endpoint->host);
        tap_set(&request->scheme, endpoint->scheme);
        tap_set(&request->host, tap_buf_text(&host));
        char *target = tap_sprintf("%s%s", endpoint->base_path, request->target);
        tap_set(&request->target, target);
        tap_free_secret(target);
    }
    tap_buf_fini(&host);
    return code;
}
