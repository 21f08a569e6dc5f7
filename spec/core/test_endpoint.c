/*
 * Where services are reached: by configuration, by region and partition, by the table of services
 * with one place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/endpoint.h"

static const char *const variables[] = {
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_THING_STREAMS_V2",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
};

static int clear_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    return 0;
}

static struct tap_model *model_of(const char *endpoint_prefix)
{
    struct tap_model *model;
    struct tap_error err;
    json_t *json =
        json_pack("{s:{s:s, s:s, s:s, s:s, s:s}, s:{}, s:{}}", "metadata", "serviceId",
                  "Thing Streams-v2", "endpointPrefix", endpoint_prefix, "protocol", "query",
                  "apiVersion", "2026-01-01", "signatureVersion", "v4", "operations", "shapes");
    if (tap_model_from_json(&model, "thing", json, &err))
        fail_msg("%s", err.message);
    json_decref(json);
    return model;
}

/* "https://host/base signed for region", or the error's message; the caller frees it. */
static char *resolve(const char *prefix, const char *region, const char *url)
{
    struct tap_model *model = model_of(prefix);
    struct tap_endpoint endpoint;
    struct tap_error err;
    char text[4096];
    if (tap_endpoint_resolve(&endpoint, model, region, url, &err))
        snprintf(text, sizeof text, "%s", err.message);
    else
        snprintf(text, sizeof text, "%s://%s%s %s", endpoint.scheme, endpoint.host,
                 endpoint.base_path, endpoint.signing_region);
    tap_endpoint_fini(&endpoint);
    tap_model_free(model);
    return strdup(text);
}

static void check(const char *prefix, const char *region, const char *url, const char *expected)
{
    char *text = resolve(prefix, region, url);
    assert_string_equal(text, expected);
    free(text);
}

static void check_refused(const char *region, const char *url, const char *reason)
{
    char *text = resolve("thing", region, url);
    if (!strstr(text, reason))
        fail_msg("'%s' does not say '%s'", text, reason);
    free(text);
}

static void a_regional_service_is_prefix_region_and_the_partitions_domain(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"eu-west-1", "https://thing.eu-west-1.amazonaws.com eu-west-1"},
        {"mx-central-1", "https://thing.mx-central-1.amazonaws.com mx-central-1"},
        {"cn-north-1", "https://thing.cn-north-1.amazonaws.com.cn cn-north-1"},
        {"us-gov-west-1", "https://thing.us-gov-west-1.amazonaws.com us-gov-west-1"},
        {"us-iso-east-1", "https://thing.us-iso-east-1.c2s.ic.gov us-iso-east-1"},
        {"us-isob-east-1", "https://thing.us-isob-east-1.sc2s.sgov.gov us-isob-east-1"},
        {"us-isof-south-1", "https://thing.us-isof-south-1.csp.hci.ic.gov us-isof-south-1"},
        {"eu-isoe-west-1", "https://thing.eu-isoe-west-1.cloud.adc-e.uk eu-isoe-west-1"},
        {"eusc-de-east-1", "https://thing.eusc-de-east-1.amazonaws.eu eusc-de-east-1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check("thing", rows[i][0], NULL, rows[i][1]);
    check("datazone", "eu-west-1", NULL, "https://datazone.eu-west-1.api.aws eu-west-1");
    check("datazone", "cn-north-1", NULL,
          "https://datazone.cn-north-1.api.amazonwebservices.com.cn cn-north-1");
}

static void a_service_with_one_place_is_reached_from_every_region_and_from_none(void **state)
{
    (void)state;
    check("iam", "eu-west-1", NULL, "https://iam.amazonaws.com us-east-1");
    check("iam", NULL, NULL, "https://iam.amazonaws.com us-east-1");
    check("iam", "cn-northwest-1", NULL, "https://iam.cn-north-1.amazonaws.com.cn cn-north-1");
    check("iam", "us-gov-east-1", NULL, "https://iam.us-gov.amazonaws.com us-gov-west-1");
    check("iam", "us-isof-south-1", NULL,
          "https://iam.us-isof-south-1.csp.hci.ic.gov us-isof-south-1");
    check("route53", "us-gov-west-1", NULL, "https://route53.us-gov.amazonaws.com us-gov-west-1");
    check("networkmanager", "eu-west-1", NULL,
          "https://networkmanager.us-west-2.amazonaws.com us-west-2");
    /* no such place in that partition: regional there */
    check("shield", "cn-north-1", NULL, "https://shield.cn-north-1.amazonaws.com.cn cn-north-1");
}

static void the_given_address_wins_and_signs_for_the_given_region(void **state)
{
    (void)state;
    setenv("AWS_ENDPOINT_URL", "http://environment", 1);
    check("iam", "eu-west-1", "http://127.0.0.1:4566", "http://127.0.0.1:4566 eu-west-1");
    check("thing", "eu-west-1", "https://host.example/base/path/",
          "https://host.example/base/path eu-west-1");
    check("thing", "eu-west-1", "http://[::1]:4566/", "http://[::1]:4566 eu-west-1");
    check("thing", "eu-west-1", "https://host:443", "https://host eu-west-1");
}

static void the_environment_is_asked_for_the_service_then_for_all(void **state)
{
    (void)state;
    setenv("AWS_ENDPOINT_URL", "http://all", 1);
    check("thing", "eu-west-1", NULL, "http://all eu-west-1");
    setenv("AWS_ENDPOINT_URL_THING_STREAMS_V2", "http://one", 1);
    check("thing", "eu-west-1", NULL, "http://one eu-west-1");
    setenv("AWS_ENDPOINT_URL_THING_STREAMS_V2", "", 1);
    check("thing", "eu-west-1", NULL, "http://all eu-west-1");
    setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
    check("thing", "eu-west-1", NULL, "https://thing.eu-west-1.amazonaws.com eu-west-1");
    check("thing", "eu-west-1", "http://given", "http://given eu-west-1");
}

static void a_missing_region_says_how_to_set_it(void **state)
{
    (void)state;
    check_refused(NULL, NULL, "AWS_REGION");
    check_refused(NULL, "http://127.0.0.1", "AWS_REGION");
}

static void a_region_cannot_lead_to_another_host(void **state)
{
    (void)state;
    static const char *const evil[] = {"x/../evil", "evil.com/", "a.b",  "a b", "a@b",     "-a",
                                       "a-",        "",          "a\nb", "a#b", "\xC3\xA9"};
    for (size_t i = 0; i < sizeof evil / sizeof *evil; i++)
        check_refused(evil[i], NULL, "is not a region");
    char name[65];
    memset(name, 'a', 64);
    name[64] = '\0';
    check_refused(name, NULL, "is not a region");
}

static void an_address_that_cannot_be_used_is_refused_without_repeating_it(void **state)
{
    (void)state;
    check_refused("eu-west-1", "ftp://host", "http://");
    check_refused("eu-west-1", "host.example", "endpoint URL is not usable");
    check_refused("eu-west-1", "http://", "endpoint URL is not usable");
    check_refused("eu-west-1", "http://host:99999", "endpoint URL is not usable");
    check_refused("eu-west-1", "http://ho st/", "endpoint URL is not usable");
    check_refused("eu-west-1", "http://host/?x=1", "'?'");
    check_refused("eu-west-1", "http://user:hunter2@host/", "user name or password");
    char *text = resolve("thing", "eu-west-1", "http://user:hunter2@host/");
    assert_null(strstr(text, "hunter2"));
    free(text);
}

static void variants_that_are_not_looked_up_are_refused_not_ignored(void **state)
{
    (void)state;
    setenv("AWS_USE_FIPS_ENDPOINT", "true", 1);
    check_refused("us-east-1", NULL, "AWS_USE_FIPS_ENDPOINT");
    check("thing", "us-east-1", "https://thing-fips.example",
          "https://thing-fips.example us-east-1");
    unsetenv("AWS_USE_FIPS_ENDPOINT");
    setenv("AWS_USE_DUALSTACK_ENDPOINT", "TRUE", 1);
    check_refused("us-east-1", NULL, "AWS_USE_DUALSTACK_ENDPOINT");
}

static void loopback_is_this_machine_only(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool is_loopback;
    } rows[] = {
        {"localhost", true},
        {"LOCALHOST:80", true},
        {"127.0.0.1", true},
        {"127.3.2.1:4566", true},
        {"[::1]", true},
        {"[::1]:4566", true},
        {"10.0.0.1", false},
        {"127.0.0.1.evil.com", false},
        {"localhost.evil.com", false},
        {"[::2]", false},
        {"1270.0.0.1", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char host[64];
        snprintf(host, sizeof host, "%s", rows[i].host);
        struct tap_endpoint endpoint = {.host = host};
        if (tap_endpoint_is_loopback(&endpoint) != rows[i].is_loopback)
            fail_msg("%s", host);
    }
}

static char *applied(const char *url, const char *prefix, const char *account)
{
    struct tap_model *model = model_of("thing");
    struct tap_endpoint endpoint;
    struct tap_error err;
    assert_int_equal(tap_endpoint_resolve(&endpoint, model, "eu-west-1", url, &err), TAP_OK);
    json_t *operation = json_pack("{s:{s:s*}}", "endpoint", "hostPrefix", prefix);
    json_t *input = json_pack("{s:s}", "AccountId", account);
    struct tap_request request;
    tap_request_init(&request);
    tap_set(&request.target, "/path?x=1");
    char text[4096];
    if (tap_endpoint_apply(&endpoint, &request, operation, input, &err))
        snprintf(text, sizeof text, "%s", err.message);
    else
        snprintf(text, sizeof text, "%s %s %s", request.scheme, request.host, request.target);
    tap_request_fini(&request);
    json_decref(operation);
    json_decref(input);
    tap_endpoint_fini(&endpoint);
    tap_model_free(model);
    return strdup(text);
}

static void check_applied(const char *url, const char *prefix, const char *account,
                          const char *expected)
{
    char *text = applied(url, prefix, account);
    assert_string_equal(text, expected);
    free(text);
}

static void an_operations_host_prefix_and_the_base_path_are_put_in_front(void **state)
{
    (void)state;
    check_applied("https://h/base", NULL, "1", "https h /base/path?x=1");
    check_applied(NULL, "data-", "1", "https data-thing.eu-west-1.amazonaws.com /path?x=1");
    check_applied(NULL, "{AccountId}.", "123456789012",
                  "https 123456789012.thing.eu-west-1.amazonaws.com /path?x=1");
    check_applied("http://127.0.0.1:4566", "data-", "1", "http 127.0.0.1:4566 /path?x=1");
    char *text = applied(NULL, "{AccountId}.", "evil.com/");
    assert_non_null(strstr(text, "AccountId: "));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_regional_service_is_prefix_region_and_the_partitions_domain,
                               clear_environment),
        cmocka_unit_test_setup(a_service_with_one_place_is_reached_from_every_region_and_from_none,
                               clear_environment),
        cmocka_unit_test_setup(the_given_address_wins_and_signs_for_the_given_region,
                               clear_environment),
        cmocka_unit_test_setup(the_environment_is_asked_for_the_service_then_for_all,
                               clear_environment),
        cmocka_unit_test_setup(a_missing_region_says_how_to_set_it, clear_environment),
        cmocka_unit_test_setup(a_region_cannot_lead_to_another_host, clear_environment),
        cmocka_unit_test_setup(an_address_that_cannot_be_used_is_refused_without_repeating_it,
                               clear_environment),
        cmocka_unit_test_setup(variants_that_are_not_looked_up_are_refused_not_ignored,
                               clear_environment),
        cmocka_unit_test_setup(loopback_is_this_machine_only, clear_environment),
        cmocka_unit_test_setup(an_operations_host_prefix_and_the_base_path_are_put_in_front,
                               clear_environment),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
