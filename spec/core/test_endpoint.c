/*
 * Where services are reached: by configuration, by their rules, by region and partition.
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
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT",
    "AWS_S3_USE_ARN_REGION",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
};

static int clear_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    return 0;
}

/* A model without rules. */
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
static char *resolve_model(const struct tap_model *model, const char *region, const char *url)
{
    struct tap_endpoint_settings *settings;
    struct tap_endpoint endpoint = {0};
    struct tap_error err;
    char text[4096];
    if (tap_endpoint_settings_new(&settings, model, region, url, NULL, NULL, &err) ||
        tap_endpoint_resolve(&endpoint, settings, NULL, NULL, &err))
        snprintf(text, sizeof text, "%s", err.message);
    else
        snprintf(text, sizeof text, "%s://%s%s %s", endpoint.scheme, endpoint.host,
                 endpoint.base_path, endpoint.signing_region);
    tap_endpoint_fini(&endpoint);
    tap_endpoint_settings_free(settings);
    return strdup(text);
}

static char *resolve(const char *prefix, const char *region, const char *url)
{
    struct tap_model *model = model_of(prefix);
    char *text = resolve_model(model, region, url);
    tap_model_free(model);
    return text;
}

/* The same for a service of the library. */
static void check_service(const char *service, const char *region, const char *url,
                          const char *expected)
{
    const struct tap_model *model;
    assert_int_equal(tap_model_load(&model, service, NULL), TAP_OK);
    char *text = resolve_model(model, region, url);
    assert_string_equal(text, expected);
    free(text);
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
    check_service("datazone", "eu-west-1", NULL, "https://datazone.eu-west-1.api.aws eu-west-1");
    check_service("datazone", "cn-north-1", NULL,
                  "https://datazone.cn-north-1.api.amazonwebservices.com.cn cn-north-1");
}

static void a_service_with_one_place_is_reached_from_every_region_and_from_none(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"iam", "eu-west-1", "https://iam.amazonaws.com us-east-1"},
        {"iam", NULL, "https://iam.amazonaws.com us-east-1"},
        {"iam", "cn-northwest-1", "https://iam.cn-north-1.amazonaws.com.cn cn-north-1"},
        {"iam", "us-gov-east-1", "https://iam.us-gov.amazonaws.com us-gov-west-1"},
        {"iam", "us-isof-south-1", "https://iam.us-isof-south-1.csp.hci.ic.gov us-isof-south-1"},
        {"route53", NULL, "https://route53.amazonaws.com us-east-1"},
        {"route53", "us-gov-west-1", "https://route53.us-gov.amazonaws.com us-gov-west-1"},
        {"networkmanager", "eu-west-1", "https://networkmanager.us-west-2.amazonaws.com us-west-2"},
        {"s3", NULL, "https://s3.amazonaws.com us-east-1"},
        {"sts", NULL, "https://sts.amazonaws.com us-east-1"},
        {"sts", "eu-west-1", "https://sts.eu-west-1.amazonaws.com eu-west-1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_service(rows[i][0], rows[i][1], NULL, rows[i][2]);
}

static void the_given_address_wins_and_signs_for_the_given_region(void **state)
{
    (void)state;
    setenv("AWS_ENDPOINT_URL", "http://environment", 1);
    check_service("iam", "eu-west-1", "http://127.0.0.1:4566", "http://127.0.0.1:4566 eu-west-1");
    check_service("ec2", "eu-west-1", "https://host.example/base/path/",
                  "https://host.example/base/path eu-west-1");
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
    check_service("cloudformation", NULL, NULL,
                  "no region is set: give --region, or set AWS_REGION (for example "
                  "AWS_REGION=eu-central-1)");
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

static void fips_and_dual_stack_addresses_are_chosen_by_the_environment(void **state)
{
    (void)state;
    setenv("AWS_USE_FIPS_ENDPOINT", "true", 1);
    check_service("cloudformation", "us-east-1", NULL,
                  "https://cloudformation-fips.us-east-1.amazonaws.com us-east-1");
    check_service("iam", "eu-west-1", NULL, "https://iam-fips.amazonaws.com us-east-1");
    check("thing", "us-east-1", NULL, "https://thing-fips.us-east-1.amazonaws.com us-east-1");
    setenv("AWS_USE_DUALSTACK_ENDPOINT", "TRUE", 1);
    check_service("ec2", "us-east-1", NULL, "https://ec2-fips.us-east-1.api.aws us-east-1");
    check("thing", "us-east-1", NULL, "https://thing-fips.us-east-1.api.aws us-east-1");
    unsetenv("AWS_USE_FIPS_ENDPOINT");
    check_service("ec2", "us-east-1", NULL, "https://ec2.us-east-1.api.aws us-east-1");
    check("thing", "us-east-1", "https://mine.example", "https://mine.example us-east-1");
    check_service("ec2", "us-east-1", "https://mine.example", "https://mine.example us-east-1");
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
    struct tap_endpoint_settings *settings;
    struct tap_endpoint endpoint;
    struct tap_error err;
    json_t *operation = json_pack("{s:{s:s*}}", "endpoint", "hostPrefix", prefix);
    json_t *input = json_pack("{s:s}", "AccountId", account);
    assert_int_equal(
        tap_endpoint_settings_new(&settings, model, "eu-west-1", url, NULL, NULL, &err), TAP_OK);
    assert_int_equal(tap_endpoint_resolve(&endpoint, settings, operation, input, &err), TAP_OK);
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
    tap_endpoint_settings_free(settings);
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

/* ---- operations of real services ---- */

/* One call, as a protocol leaves it to the endpoint: its target is the operation's path with the
 * labels put in. */
struct call {
    const char *service, *operation, *input; /* single quotes for double ones */
    const char *region, *url, *context;
    const char *target;
};

static json_t *parse(const char *text)
{
    char *copy = strdup(text ? text : "{}");
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_t *json = json_loads(copy, 0, NULL);
    assert_non_null(json);
    free(copy);
    return json;
}

static void print_call(char *text, size_t size, const struct tap_endpoint *endpoint,
                       const struct tap_request *request)
{
    int n = snprintf(text, size, "%s://%s%s %s/%s%s", request->scheme, request->host,
                     request->target, endpoint->signing_region, endpoint->signing_name,
                     endpoint->encode_path_twice ? "" : " once");
    for (size_t i = 0; i < request->headers.n; i++)
        n += snprintf(text + n, size - (size_t)n, " %s=%s", request->headers.items[i].name,
                      request->headers.items[i].value);
}

/* "https://host/target region/name", or the error's message. */
static void check_call(const struct call *call, const char *expected)
{
    const struct tap_model *model;
    const json_t *operation;
    assert_int_equal(tap_model_load(&model, call->service, NULL), TAP_OK);
    assert_int_equal(tap_model_operation(&operation, model, call->operation, NULL), TAP_OK);
    json_t *input = parse(call->input), *context = parse(call->context);
    struct tap_endpoint_settings *settings;
    struct tap_endpoint endpoint = {0};
    struct tap_error err;
    struct tap_request request;
    tap_request_init(&request);
    tap_set(&request.target, call->target ? call->target : "/");
    char text[4096];
    if (tap_endpoint_settings_new(&settings, model, call->region ? call->region : "eu-west-1",
                                  call->url, context, NULL, &err) ||
        tap_endpoint_resolve(&endpoint, settings, operation, input, &err) ||
        tap_endpoint_apply(&endpoint, &request, operation, input, &err))
        snprintf(text, sizeof text, "%s", err.message);
    else
        print_call(text, sizeof text, &endpoint, &request);
    tap_request_fini(&request);
    tap_endpoint_fini(&endpoint);
    tap_endpoint_settings_free(settings);
    json_decref(input);
    json_decref(context);
    assert_string_equal(text, expected);
}

static void what_an_operation_says_by_itself_chooses_its_address(void **state)
{
    (void)state;
    check_call(&(struct call){.service = "neptune-graph", .operation = "ListGraphs"},
               "https://neptune-graph.eu-west-1.amazonaws.com/ eu-west-1/neptune-graph");
    check_call(&(struct call){.service = "neptune-graph",
                              .operation = "CancelQuery",
                              .input = "{'graphIdentifier':'g-1'}"},
               "https://g-1.eu-west-1.neptune-graph.amazonaws.com/ eu-west-1/neptune-graph");
    check_call(&(struct call){.service = "arc-region-switch", .operation = "ListPlans"},
               "https://arc-region-switch-control-plane.us-east-1.api.aws/ "
               "us-east-1/arc-region-switch");
}

static void what_stands_in_the_input_chooses_its_address(void **state)
{
    (void)state;
    check_call(
        &(struct call){.service = "kinesis",
                       .operation = "PutRecord",
                       .input = "{'StreamARN':'arn:aws:kinesis:us-west-2:123456789012:stream/s'}"},
        "https://123456789012.data-kinesis.eu-west-1.amazonaws.com/ eu-west-1/kinesis");
    check_call(&(struct call){.service = "kinesis",
                              .operation = "PutRecord",
                              .input = "{'StreamName':'s','StreamARN':null}"},
               "https://kinesis.eu-west-1.amazonaws.com/ eu-west-1/kinesis");
    check_call(&(struct call){.service = "events",
                              .operation = "PutEvents",
                              .input = "{'EndpointId':'abc.123'}"},
               "requests to abc.123.endpoint.events.amazonaws.com are signed by 'sigv4a'; only "
               "Signature Version 4 is supported");
}

static void buckets_stand_in_the_host_where_they_can(void **state)
{
    (void)state;
    static const char get[] = "{'Bucket':'pics','Key':'a/b'}";
    check_call(
        &(struct call){
            .service = "s3", .operation = "GetObject", .input = get, .target = "/pics/a/b?x=1"},
        "https://pics.s3.eu-west-1.amazonaws.com/a/b?x=1 eu-west-1/s3 once");
    check_call(&(struct call){.service = "s3",
                              .operation = "ListObjectsV2",
                              .input = get,
                              .target = "/pics?list-type=2"},
               "https://pics.s3.eu-west-1.amazonaws.com/?list-type=2 eu-west-1/s3 once");
    check_call(
        &(struct call){.service = "s3", .operation = "HeadBucket", .input = get, .target = "/pics"},
        "https://pics.s3.eu-west-1.amazonaws.com/ eu-west-1/s3 once");
    check_call(&(struct call){.service = "s3", .operation = "ListBuckets"},
               "https://s3.eu-west-1.amazonaws.com/ eu-west-1/s3 once");
    check_call(&(struct call){.service = "s3",
                              .operation = "GetObject",
                              .input = "{'Bucket':'Old_Pics','Key':'k'}",
                              .target = "/Old_Pics/k"},
               "https://s3.eu-west-1.amazonaws.com/Old_Pics/k eu-west-1/s3 once");
    check_call(&(struct call){.service = "s3",
                              .operation = "GetObject",
                              .input = get,
                              .context = "{'ForcePathStyle':true}",
                              .target = "/pics/a/b"},
               "https://s3.eu-west-1.amazonaws.com/pics/a/b eu-west-1/s3 once");
    check_call(&(struct call){.service = "s3",
                              .operation = "GetObject",
                              .input = get,
                              .url = "http://127.0.0.1:4566",
                              .target = "/pics/a/b"},
               "http://127.0.0.1:4566/pics/a/b eu-west-1/s3 once");
    check_call(&(struct call){.service = "s3",
                              .operation = "GetObject",
                              .input = get,
                              .context = "{'Accelerate':true}",
                              .target = "/pics/a/b"},
               "https://pics.s3-accelerate.amazonaws.com/a/b eu-west-1/s3 once");
    check_call(&(struct call){.service = "s3",
                              .operation = "GetObject",
                              .input =
                                  "{'Bucket':'arn:aws:s3:us-west-2:123456789012:accesspoint:mine',"
                                  "'Key':'k'}",
                              .target = "/arn%3Aaws%3As3/k"},
               "https://mine-123456789012.s3-accesspoint.us-west-2.amazonaws.com/k us-west-2/s3 "
               "once");
    check_call(&(struct call){.service = "s3",
                              .operation = "GetObject",
                              .input = "{'Bucket':'b--use1-az4--x-s3','Key':'k'}",
                              .region = "us-east-1",
                              .target = "/b--use1-az4--x-s3/k"},
               "https://b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com/k "
               "us-east-1/s3express once");
}

static void a_part_that_the_rules_have_placed_is_not_placed_again(void **state)
{
    (void)state;
    check_call(&(struct call){.service = "s3control",
                              .operation = "GetPublicAccessBlock",
                              .input = "{'AccountId':'123456789012'}",
                              .target = "/v20180820/configuration/publicAccessBlock"},
               "https://123456789012.s3-control.eu-west-1.amazonaws.com/v20180820/configuration/"
               "publicAccessBlock eu-west-1/s3 once");
    check_call(
        &(struct call){.service = "s3control",
                       .operation = "GetBucket",
                       .input =
                           "{'AccountId':'123456789012','Bucket':'arn:aws:s3-outposts:eu-west-1:"
                           "123456789012:outpost:op-1:bucket:b'}",
                       .target = "/v20180820/bucket/b"},
        "https://s3-outposts.eu-west-1.amazonaws.com/v20180820/bucket/b "
        "eu-west-1/s3-outposts once x-amz-account-id=123456789012 x-amz-outpost-id=op-1");
}

static void settings_of_the_service_are_checked(void **state)
{
    (void)state;
    check_call(&(struct call){.service = "s3",
                              .operation = "ListBuckets",
                              .context = "{'ForcePathStile':true}"},
               "s3 has no setting \"ForcePathStile\" for its endpoints; did you mean "
               "\"ForcePathStyle\"?");
    check_call(&(struct call){.service = "iam",
                              .operation = "ListUsers",
                              .context = "{'Accelerate':true}"},
               "iam has no setting \"Accelerate\" for its endpoints");
    check_call(&(struct call){.service = "s3",
                              .operation = "ListBuckets",
                              .context = "{'Accelerate':'yes'}"},
               "the endpoint parameter Accelerate must be a boolean");
}

static void variables_of_one_service_are_followed(void **state)
{
    (void)state;
    setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy", 1);
    check_service("sts", "eu-west-1", NULL, "https://sts.amazonaws.com us-east-1");
    setenv("AWS_STS_REGIONAL_ENDPOINTS", "regional", 1);
    check_service("sts", "eu-west-1", NULL, "https://sts.eu-west-1.amazonaws.com eu-west-1");
    setenv("AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "legacy", 1);
    check_service("s3", "us-east-1", NULL, "https://s3.amazonaws.com us-east-1");
    setenv("AWS_S3_USE_ARN_REGION", "false", 1);
    check_call(
        &(struct call){.service = "s3",
                       .operation = "GetObject",
                       .input = "{'Bucket':'arn:aws:s3:us-west-2:123456789012:accesspoint:mine'}"},
        "Invalid configuration: region from ARN `us-west-2` does not match client region "
        "`eu-west-1` and UseArnRegion is `false`");
    setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "required", 1);
    check_call(&(struct call){.service = "dynamodb", .operation = "ListTables"},
               "AccountIdEndpointMode is required but no AccountID was provided or able to be "
               "loaded");
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
        cmocka_unit_test_setup(fips_and_dual_stack_addresses_are_chosen_by_the_environment,
                               clear_environment),
        cmocka_unit_test_setup(loopback_is_this_machine_only, clear_environment),
        cmocka_unit_test_setup(an_operations_host_prefix_and_the_base_path_are_put_in_front,
                               clear_environment),
        cmocka_unit_test_setup(what_an_operation_says_by_itself_chooses_its_address,
                               clear_environment),
        cmocka_unit_test_setup(what_stands_in_the_input_chooses_its_address, clear_environment),
        cmocka_unit_test_setup(buckets_stand_in_the_host_where_they_can, clear_environment),
        cmocka_unit_test_setup(a_part_that_the_rules_have_placed_is_not_placed_again,
                               clear_environment),
        cmocka_unit_test_setup(settings_of_the_service_are_checked, clear_environment),
        cmocka_unit_test_setup(variables_of_one_service_are_followed, clear_environment),
    };
    int failed = cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
    tap_model_unload_all();
    return failed;
}
