/*
 * The json protocol by the AWS protocol tests, and what they do not cover: errors in unexpected
 * shapes, and the sandbox's half as foreign clients meet it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/core/protocol_calls.h"
#include "spec/core/protocol_cases.h"

static const struct error_case errors[] = {
    {400, NULL,
     "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\","
     "\"message\":\"no such table\"}",
     "ResourceNotFoundException", "no such table"},
    {400, NULL, "{\"__type\":\"ThrottlingException\",\"Message\":\"slow down\"}",
     "ThrottlingException", "slow down"},
    {400, "x-amzn-ErrorType: InvalidThing:http://internal.example/coral/", "{\"message\":\"bad\"}",
     "InvalidThing", "bad"},
    {400, "x-amzn-query-error: Old.Name;Sender", "{\"__type\":\"New\",\"message\":\"m\"}",
     "Old.Name", "m"},
    {400, NULL, "{\"code\":\"a.b#Named\"}", "Named", "gave no reason (HTTP status 400)"},
    {403, NULL, "{\"message\":\"Forbidden\"}", "HTTP403", "Forbidden"},
    {500, NULL, "{\"__type\":\"Trunca", "HTTP500", "begins: {\"__type\":\"Trunca"},
    {502, NULL, "<html><h1>Bad Gateway</h1>", "HTTP502", "begins: <html><h1>Bad Gateway"},
    {503, NULL, "", "HTTP503", "HTTP status 503 and nothing else (service unavailable)"},
    {418, NULL, " \n", "HTTP418", "HTTP status 418 and nothing else"},
    {500, NULL, "[1]", "HTTP500", "begins: [1]"},
    {400, NULL, "{\"__type\": 7, \"message\": []}", "HTTP400", "begins: "},
};

static void errors_are_named_whatever_their_shape(void **state)
{
    (void)state;
    check_errors("dynamodb", errors, sizeof errors / sizeof *errors);
}

static void an_answer_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    check_bad_answer("dynamodb", "ListTables", NULL, "<html>Please log in", TAP_E_PROTOCOL,
                     "not the JSON that dynamodb writes (line 1: ");
    check_bad_answer("dynamodb", "ListTables", NULL, "{\"TableNames\": \"x\"}", TAP_E_PROTOCOL,
                     "the answer's TableNames is \"x\", where the service's model has a list");
    check_bad_answer("dynamodb", "DescribeTable", NULL, "{\"Table\": {\"ItemCount\": 1.5}}",
                     TAP_E_PROTOCOL, "ItemCount is 1.5");
    check_bad_answer("dynamodb", "ListTables", NULL, "[]", TAP_E_PROTOCOL, "the answer's body");
}

static void a_long_text_is_cut_where_a_character_ends(void **state)
{
    (void)state;
    check_bad_answer(
        "dynamodb", "ListTables", NULL,
        "{\"TableNames\": \"............................................................."
        "\303\251...\"}",
        TAP_E_PROTOCOL, "..., where the service");
}

static void unknown_members_and_nulls_are_skipped(void **state)
{
    (void)state;
    check_answer("dynamodb", "ListTables", NULL,
                 "{\"New\": {\"a\": 1}, \"LastEvaluatedTableName\": null, \"TableNames\": [\"t\"]}",
                 "{\"TableNames\": [\"t\"]}");
    check_answer("dynamodb", "ListTables", NULL, "", "{}");
}

static void a_stream_of_events_is_refused_by_name(void **state)
{
    (void)state;
    check_refused("kinesis", "SubscribeToShard", "{}", TAP_E_UNSUPPORTED,
                  "SubscribeToShard of kinesis is a stream of events");
}

static void misfits_are_refused_also_without_validation(void **state)
{
    (void)state;
    check_refused("dynamodb", "ListTables", "{\"Limit\": \"many\"}", TAP_E_USAGE,
                  "Limit: must be an integer");
    check_refused("dynamodb", "BatchGetItem", "{\"RequestItems\": []}", TAP_E_USAGE,
                  "RequestItems: must be an object");
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    struct spoken dynamodb = speak("dynamodb", "GetItem");
    json_t *value = json_pack("{s:s}", "S", "x");
    for (int i = 0; i < 300; i++)
        value = json_pack("{s:[o]}", "L", value);
    json_t *input = json_pack("{s:s, s:{s:o}}", "TableName", "t", "Key", "k", value);
    struct tap_request request;
    struct tap_error err;
    tap_request_init(&request);
    assert_int_equal(
        dynamodb.protocol->build_request(&request, dynamodb.model, dynamodb.operation, input, &err),
        TAP_E_LIMIT);
    tap_request_fini(&request);
    json_decref(input);
}

static void foreign_requests_are_served(void **state)
{
    (void)state;
    struct tap_request request;
    receive(&request, "POST", "/", "X-Amz-Target: DynamoDB_20120810.GetItem",
            "{\"TableName\": \"t\", \"Key\": {\"k\": {\"B\": \"AQI=\"}}}");
    check_served("dynamodb", &request, "GetItem",
                 "{\"TableName\": \"t\", \"Key\": {\"k\": {\"B\": \"AQI=\"}}}");
    tap_request_fini(&request);
    receive(&request, "POST", "/", "X-Amz-Target: DynamoDB_20120810.ListTables", "");
    check_served("dynamodb", &request, "ListTables", "{}");
    tap_request_fini(&request);
}

static const struct {
    const char *header, *body, *name;
} bad_requests[] = {
    {NULL, "{}", "UnknownOperationException"},
    {"X-Amz-Target: DynamoDB_20120810", "{}", "UnknownOperationException"},
    {"X-Amz-Target: DynamoDB_20120810.listTables", "{}", "UnknownOperationException"},
    {"X-Amz-Target: Other.ListTables", "{}", "UnknownOperationException"},
    {"X-Amz-Target: DynamoDB_20120810.ListTables", "{\"Limit\": ", "SerializationException"},
    {"X-Amz-Target: DynamoDB_20120810.ListTables", "{\"Limit\": []}", "SerializationException"},
};

static void bad_requests_get_the_answers_of_aws(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_requests / sizeof *bad_requests; i++) {
        struct tap_request request;
        receive(&request, "POST", "/", bad_requests[i].header, bad_requests[i].body);
        check_not_served("dynamodb", &request, 400, bad_requests[i].name);
        tap_request_fini(&request);
    }
}

static void errors_are_written_as_aws_writes_them(void **state)
{
    (void)state;
    struct spoken sqs = speak("sqs", NULL), dynamodb = speak("dynamodb", NULL);
    struct tap_response response;
    struct tap_error err;
    tap_response_init(&response);
    tap_fail(&err, TAP_E_SERVICE, "ResourceNotFoundException", "no \"table\"");
    dynamodb.protocol->write_error(&response, dynamodb.model, &err, "id");
    assert_int_equal(response.status, 400);
    check_header(&response.headers, "Content-Type", "application/x-amz-json-1.0");
    check_header(&response.headers, "x-amzn-RequestId", "id");
    assert_null(tap_headers_get(&response.headers, "x-amzn-query-error"));
    assert_string_equal(
        tap_buf_text(&response.body),
        "{\"__type\":\"ResourceNotFoundException\",\"message\":\"no \\\"table\\\"\"}");
    tap_response_fini(&response);

    tap_response_init(&response);
    tap_fail(&err, TAP_E_SERVICE, "QueueDoesNotExist", "gone");
    sqs.protocol->write_error(&response, sqs.model, &err, "id");
    check_header(&response.headers, "x-amzn-query-error", "QueueDoesNotExist;Sender");
    tap_response_fini(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_named_whatever_their_shape),
        cmocka_unit_test(an_answer_that_does_not_fit_is_an_error),
        cmocka_unit_test(a_long_text_is_cut_where_a_character_ends),
        cmocka_unit_test(unknown_members_and_nulls_are_skipped),
        cmocka_unit_test(a_stream_of_events_is_refused_by_name),
        cmocka_unit_test(misfits_are_refused_also_without_validation),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(foreign_requests_are_served),
        cmocka_unit_test(bad_requests_get_the_answers_of_aws),
        cmocka_unit_test(errors_are_written_as_aws_writes_them),
    };
    int failed = cmocka_run_group_tests_name("json", tests, NULL, NULL);
    failed += protocol_cases("json", &tap_protocol_json);
    failed += protocol_cases("json_1_0", &tap_protocol_json);
    failed += protocol_cases("json_1_0-query-compatible", &tap_protocol_json);
    tap_model_unload_all();
    return failed;
}
