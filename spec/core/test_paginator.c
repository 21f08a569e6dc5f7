/*
 * Pages by the models of real services: what the next page is asked with, when there is none, and
 * what the pages make together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/paginator.h"

enum { MAX_PAGES = 4 };

/* JSON in single quotes, which C need not escape. A new reference. */
static json_t *value(const char *text)
{
    char *json = tap_strdup(text);
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_t *out;
    struct tap_error err;
    if (tap_json_parse(&out, json, strlen(json), NULL, &err))
        fail_msg("%s: %s", text, err.message);
    tap_free(json);
    return out;
}

static void expect(const char *what, const json_t *got, const char *expected)
{
    json_t *wanted = value(expected);
    if (!got || !json_equal(got, wanted)) {
        char *shown = got ? tap_json_print(got) : tap_strdup("nothing");
        print_error("%s: got %s, expected %s\n", what, shown, expected);
        tap_free(shown);
        fail();
    }
    json_decref(wanted);
}

static struct tap_paginator *paginator(const char *service, const char *operation,
                                       const char *input)
{
    const struct tap_model *model;
    struct tap_paginator *pages;
    struct tap_error err;
    json_t *given = input ? value(input) : NULL;
    assert_int_equal(TAP_OK, tap_model_load(&model, service, &err));
    if (tap_paginator_new(&pages, model, operation, given, &err))
        fail_msg("%s", err.message);
    json_decref(given);
    return pages;
}

/* ---- a table of services ---- */

struct walk {
    const char *name, *service, *operation, *input;
    struct {
        const char *output; /* NULL: no more */
        const char *next;   /* the input of the page after it; NULL: it is the last one */
    } pages[MAX_PAGES];
    const char *whole;
};

static const struct walk walks[] = {
    {"a token goes from output to input until there is none",
     "cloudformation",
     "describe_stack_events",
     "{'StackName': 'web'}",
     {{"{'StackEvents': [1, 2], 'NextToken': 'a'}", "{'StackName': 'web', 'NextToken': 'a'}"},
      {"{'StackEvents': [], 'NextToken': 'b'}", "{'StackName': 'web', 'NextToken': 'b'}"},
      {"{'StackEvents': [3]}", NULL}},
     "{'StackEvents': [1, 2, 3]}"},
    {"an empty token is none",
     "cloudformation",
     "ListStacks",
     NULL,
     {{"{'StackSummaries': [], 'NextToken': ''}", NULL}},
     "{'StackSummaries': []}"},
    {"several tokens go together, and one that is missing does not stay",
     "route53",
     "ListResourceRecordSets",
     "{'HostedZoneId': 'z'}",
     {{"{'ResourceRecordSets': [1], 'IsTruncated': true, 'NextRecordName': 'a', "
       "'NextRecordType': 'A', 'NextRecordIdentifier': 'i'}",
       "{'HostedZoneId': 'z', 'StartRecordName': 'a', 'StartRecordType': 'A', "
       "'StartRecordIdentifier': 'i'}"},
      {"{'ResourceRecordSets': [2], 'IsTruncated': true, 'NextRecordName': 'b', "
       "'NextRecordType': 'A'}",
       "{'HostedZoneId': 'z', 'StartRecordName': 'b', 'StartRecordType': 'A'}"},
      {"{'ResourceRecordSets': [3], 'IsTruncated': false, 'NextRecordName': 'c'}", NULL}},
     "{'ResourceRecordSets': [1, 2, 3]}"},
    {"the first of two expressions that finds a token counts",
     "s3",
     "ListObjects",
     "{'Bucket': 'b'}",
     {{"{'IsTruncated': true, 'Contents': [{'Key': 'x'}, {'Key': 'y'}], 'Prefix': 'p'}",
       "{'Bucket': 'b', 'Marker': 'y'}"},
      {"{'IsTruncated': true, 'NextMarker': 'm', 'CommonPrefixes': [1], 'Prefix': 'q'}",
       "{'Bucket': 'b', 'Marker': 'm'}"},
      {"{'IsTruncated': false, 'Contents': [{'Key': 'z'}], 'CommonPrefixes': [2]}", NULL}},
     "{'Contents': [{'Key': 'x'}, {'Key': 'y'}, {'Key': 'z'}], 'CommonPrefixes': [1, 2], "
     "'Prefix': 'p'}"},
    {"a token may be a structure, and numbers add up",
     "dynamodb",
     "Query",
     "{'TableName': 't'}",
     {{"{'Items': [1], 'Count': 1, 'ScannedCount': 5, 'LastEvaluatedKey': {'k': {'S': 'a'}}}",
       "{'TableName': 't', 'ExclusiveStartKey': {'k': {'S': 'a'}}}"},
      {"{'Items': [2, 3], 'Count': 2, 'ScannedCount': 7}", NULL}},
     "{'Items': [1, 2, 3], 'Count': 3, 'ScannedCount': 12}"},
    {"texts are put together",
     "rds",
     "DownloadDBLogFilePortion",
     "{'DBInstanceIdentifier': 'd', 'LogFileName': 'l'}",
     {{"{'LogFileData': 'one ', 'Marker': '1', 'AdditionalDataPending': true}",
       "{'DBInstanceIdentifier': 'd', 'LogFileName': 'l', 'Marker': '1'}"},
      {"{'LogFileData': 'two', 'Marker': '2', 'AdditionalDataPending': false}", NULL}},
     "{'LogFileData': 'one two'}"},
    {"results and what is the same on every page may stand deeper",
     "kinesis",
     "DescribeStream",
     "{'StreamName': 's'}",
     {{"{'StreamDescription': {'Shards': [{'ShardId': '1'}], 'HasMoreShards': true, "
       "'StreamName': 's', 'EnhancedMonitoring': [7]}}",
       "{'StreamName': 's', 'ExclusiveStartShardId': '1'}"},
      {"{'StreamDescription': {'Shards': [{'ShardId': '2'}], 'HasMoreShards': false, "
       "'StreamName': 'S', 'EnhancedMonitoring': [7]}}",
       NULL}},
     "{'StreamDescription': {'Shards': [{'ShardId': '1'}, {'ShardId': '2'}], 'StreamName': 's', "
     "'EnhancedMonitoring': [7]}}"},
};

static void walks_the_pages(void **state)
{
    const struct walk *walk = *state;
    struct tap_paginator *pages = paginator(walk->service, walk->operation, walk->input);
    json_t *whole = json_object();
    struct tap_error err;
    expect("first input", tap_paginator_input(pages), walk->input ? walk->input : "{}");
    for (size_t i = 0; i < MAX_PAGES && walk->pages[i].output; i++) {
        json_t *output = value(walk->pages[i].output), *untouched = json_deep_copy(output);
        assert_int_equal(TAP_OK, tap_paginator_merge(whole, pages, output, &err));
        assert_int_equal(TAP_OK, tap_paginator_feed(pages, output, &err));
        assert_true(json_equal(output, untouched));
        if (walk->pages[i].next)
            expect("next input", tap_paginator_input(pages), walk->pages[i].next);
        else
            assert_null(tap_paginator_input(pages));
        json_decref(output);
        json_decref(untouched);
    }
    expect("whole", whole, walk->whole);
    json_decref(whole);
    tap_paginator_free(pages);
}

/* ---- what does not fit the table ---- */

static void the_same_token_twice_ends_in_an_error(void **state)
{
    (void)state;
    struct tap_paginator *pages = paginator("cloudformation", "DescribeStackEvents", NULL);
    json_t *output = value("{'StackEvents': [], 'NextToken': 'a'}");
    struct tap_error err;
    assert_int_equal(TAP_OK, tap_paginator_feed(pages, output, &err));
    assert_int_equal(TAP_E_PROTOCOL, tap_paginator_feed(pages, output, &err));
    assert_string_equal("RepeatedToken", err.name);
    assert_non_null(strstr(err.message, "DescribeStackEvents"));
    assert_null(tap_paginator_input(pages));
    json_decref(output);
    tap_paginator_free(pages);
}

static void the_items_of_a_page_have_one_place(void **state)
{
    (void)state;
    struct tap_paginator *pages = paginator("s3", "list-objects", "{'Bucket': 'b'}");
    assert_string_equal("Contents", tap_paginator_result(pages));
    assert_string_equal("ListObjects", tap_paginator_operation(pages));
    tap_paginator_free(pages);
    pages = paginator("cloudfront", "ListDistributions", NULL);
    assert_string_equal("DistributionList.Items", tap_paginator_result(pages));
    tap_paginator_free(pages);
}

static void an_operation_without_pages_says_so(void **state)
{
    (void)state;
    const struct tap_model *model;
    struct tap_paginator *pages;
    struct tap_error err;
    assert_int_equal(TAP_OK, tap_model_load(&model, "sts", &err));
    assert_int_equal(TAP_E_USAGE,
                     tap_paginator_new(&pages, model, "get-caller-identity", NULL, &err));
    assert_string_equal("NoPages", err.name);
    assert_null(pages);
    assert_int_equal(TAP_E_USAGE, tap_paginator_new(&pages, model, "GetCalerIdentity", NULL, &err));
    assert_non_null(strstr(err.message, "GetCallerIdentity"));
}

/* Every description of every model is one that this code can follow. */
static void all_paginators_of_all_services_load(void **state)
{
    (void)state;
    size_t n, loaded = 0;
    const char **services = tap_model_services(&n);
    for (size_t i = 0; i < n; i++) {
        const struct tap_model *model;
        struct tap_error err;
        assert_int_equal(TAP_OK, tap_model_load(&model, services[i], &err));
        const char *operation;
        json_t *described;
        json_object_foreach((json_t *)tap_model_part(model, "paginators"), operation, described)
        {
            struct tap_paginator *pages;
            if (tap_paginator_new(&pages, model, operation, NULL, &err))
                fail_msg("%s %s: %s", services[i], operation, err.message);
            loaded++;
            tap_paginator_free(pages);
        }
    }
    tap_free(services);
    assert_true(loaded > 3000);
}

static int unload(void **state)
{
    (void)state;
    tap_model_unload_all();
    return 0;
}

enum { WALKS = sizeof walks / sizeof *walks };

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(the_same_token_twice_ends_in_an_error),
        cmocka_unit_test(the_items_of_a_page_have_one_place),
        cmocka_unit_test(an_operation_without_pages_says_so),
        cmocka_unit_test(all_paginators_of_all_services_load),
    };
    struct CMUnitTest tests[WALKS];
    for (size_t i = 0; i < WALKS; i++)
        tests[i] = (struct CMUnitTest){.name = walks[i].name,
                                       .test_func = walks_the_pages,
                                       .initial_state = (void *)&walks[i]};
    return cmocka_run_group_tests_name("paginator: by the models", tests, NULL, NULL) +
           cmocka_run_group_tests_name("paginator", others, NULL, unload);
}
