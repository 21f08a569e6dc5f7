/*
 * The rest-json protocol by the AWS protocol tests, and what they do not cover: errors, headers
 * that attack, how a server finds the operation.
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
    {404, "x-amzn-ErrorType: ResourceNotFoundException:http://internal.example/",
     "{\"Type\":\"User\",\"Message\":\"Function not found\"}", "ResourceNotFoundException",
     "Function not found"},
    {400, "X-Amzn-Errortype: a.b#Named", "", "Named", "gave no reason (HTTP status 400)"},
    {400, NULL, "{\"code\":\"BadThing\",\"message\":\"m\"}", "BadThing", "m"},
    {403, NULL, "{\"message\":\"Missing Authentication Token\"}", "HTTP403",
     "Missing Authentication Token"},
    {502, NULL, "<html>\n<b>502</b>", "HTTP502", "begins: <html> <b>502</b>"},
    {404, NULL, "", "HTTP404", "HTTP status 404 and nothing else (not found)"},
};

static void errors_are_named_whatever_their_shape(void **state)
{
    (void)state;
    check_errors("lambda", errors, sizeof errors / sizeof *errors);
}

static void members_go_where_the_model_binds_them(void **state)
{
    (void)state;
    struct tap_request request;
    send_request(&request, "lambda", "Invoke",
                 "{\"FunctionName\": \"a/b c:1\", \"Qualifier\": \"$LATEST\","
                 " \"InvocationType\": \"Event\", \"Payload\": \"eyJhIjoxfQ==\"}");
    assert_string_equal(request.method, "POST");
    assert_string_equal(request.target,
                        "/2015-03-31/functions/a%2Fb%20c%3A1/invocations?Qualifier=%24LATEST");
    check_header(&request.headers, "X-Amz-Invocation-Type", "Event");
    check_header(&request.headers, "Content-Type", "application/octet-stream");
    assert_null(tap_headers_get(&request.headers, "Accept")); /* the answer is any bytes */
    assert_string_equal(tap_buf_text(&request.body), "{\"a\":1}");
    check_served("lambda", &request, "Invoke",
                 "{\"FunctionName\": \"a/b c:1\", \"Qualifier\": \"$LATEST\","
                 " \"InvocationType\": \"Event\", \"Payload\": \"eyJhIjoxfQ==\"}");
    tap_request_fini(&request);
}

/* A service with a map and a list that may hold nulls. */
static void sparse_lists_and_maps_hold_nulls(void **state)
{
    (void)state;
    struct tap_model *model = NULL;
    const json_t *operation = NULL;
    struct tap_request request;
    struct tap_error err;
    json_t *json = value_of(
        "{\"metadata\": {\"protocol\": \"rest-json\"}, \"operations\": {\"Put\": {\"name\": "
        "\"Put\","
        " \"http\": {\"method\": \"PUT\", \"requestUri\": \"/\"}, \"input\": {\"shape\": \"In\"}}},"
        " \"shapes\": {\"In\": {\"type\": \"structure\", \"members\": {\"Sparse\": {\"shape\": "
        "\"SparseList\"}, \"Map\": {\"shape\": \"SparseMap\"}, \"Dense\": {\"shape\": "
        "\"DenseList\"}}},"
        " \"SparseList\": {\"type\": \"list\", \"sparse\": true, \"member\": {\"shape\": "
        "\"Text\"}},"
        " \"DenseList\": {\"type\": \"list\", \"member\": {\"shape\": \"Text\"}},"
        " \"SparseMap\": {\"type\": \"map\", \"sparse\": true, \"key\": {\"shape\": \"Text\"},"
        "  \"value\": {\"shape\": \"Text\"}}, \"Text\": {\"type\": \"string\"}}}");
    assert_int_equal(tap_model_from_json(&model, "nulls", json, &err), TAP_OK);
    assert_int_equal(tap_model_operation(&operation, model, "Put", &err), TAP_OK);
    json_t *good = value_of("{\"Sparse\": [\"a\", null], \"Map\": {\"k\": null}}");
    json_t *bad = value_of("{\"Dense\": [null]}");
    assert_int_equal(tap_validate_input(model, operation, bad, &err), TAP_E_USAGE);
    assert_int_equal(tap_validate_input(model, operation, good, &err), TAP_OK);
    tap_request_init(&request);
    assert_int_equal(tap_protocol_rest_json.build_request(&request, model, operation, good, &err),
                     TAP_OK);
    assert_string_equal(tap_buf_text(&request.body),
                        "{\"Sparse\":[\"a\",null],\"Map\":{\"k\":null}}");
    const json_t *found = NULL;
    json_t *again = NULL;
    assert_int_equal(tap_protocol_rest_json.read_request(&found, &again, model, &request, &err),
                     TAP_OK);
    check_value(again, good);
    tap_request_fini(&request);
    json_decref(bad);
    json_decref(json);
    tap_model_free(model);
}

static void api_gateway_is_asked_for_plain_json(void **state)
{
    (void)state;
    struct tap_request request;
    send_request(&request, "apigateway", "GetRestApis", "{\"limit\": 5}");
    check_header(&request.headers, "Accept", "application/json");
    assert_string_equal(request.target, "/restapis?limit=5");
    assert_int_equal(request.body.len, 0);
    assert_null(tap_headers_get(&request.headers, "Content-Type"));
    tap_request_fini(&request);
}

static void a_part_of_the_address_must_be_there(void **state)
{
    (void)state;
    check_refused("lambda", "GetFunction", "{\"FunctionName\": \"\"}", TAP_E_USAGE,
                  "FunctionName: must not be empty");
    check_refused("lambda", "GetFunction", "{}", TAP_E_USAGE, "FunctionName: required");
}

static void no_header_can_be_smuggled_in(void **state)
{
    (void)state;
    check_refused("lambda", "Invoke",
                  "{\"FunctionName\": \"f\", \"ClientContext\": \"a\\r\\nX-Evil: 1\"}", TAP_E_USAGE,
                  "ClientContext: must be one line");
    check_refused("s3", "PutObject",
                  "{\"Bucket\": \"b\", \"Key\": \"k\", \"Metadata\": {\"a: b\\nc\": \"d\"}}",
                  TAP_E_USAGE, "Metadata: a key is not fit for a header's name");
}

static void an_answer_is_body_headers_and_status(void **state)
{
    (void)state;
    check_answer("lambda", "Invoke", "X-Amz-Function-Error: Unhandled", "{\"x\":1}",
                 "{\"StatusCode\": 200, \"FunctionError\": \"Unhandled\","
                 " \"Payload\": \"eyJ4IjoxfQ==\"}");
    check_answer("lambda", "Invoke", NULL, "", "{\"StatusCode\": 200}");
    check_answer("polly", "SynthesizeSpeech", NULL, "", "{\"AudioStream\": \"\"}");
    check_bad_answer("lambda", "ListFunctions", NULL, "<html>", TAP_E_PROTOCOL,
                     "not the JSON that lambda writes");
    check_bad_answer("lambda", "ListFunctions", NULL, "{\"Functions\": 1}", TAP_E_PROTOCOL,
                     "the answer's Functions is 1");
}

static const struct {
    const char *method, *target, *operation, *input;
} routes[] = {
    {"GET", "/2015-03-31/functions/", "ListFunctions", "{}"},
    {"GET", "/2015-03-31/functions?MaxItems=3", "ListFunctions", "{\"MaxItems\": 3}"},
    {"GET", "/2015-03-31/functions/f", "GetFunction", "{\"FunctionName\": \"f\"}"},
    {"GET", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Af?Qualifier=1", "GetFunction",
     "{\"FunctionName\": \"arn:aws:lambda:f\", \"Qualifier\": \"1\"}"},
    {"GET", "/2015-03-31/functions/f/configuration", "GetFunctionConfiguration",
     "{\"FunctionName\": \"f\"}"},
    {"GET", "/2015-03-31/functions/f/configuration?unknown=1", "GetFunctionConfiguration",
     "{\"FunctionName\": \"f\"}"},
    {"DELETE", "/2017-03-31/tags/arn?tagKeys=a&tagKeys=b%20c", "UntagResource",
     "{\"Resource\": \"arn\", \"TagKeys\": [\"a\", \"b c\"]}"},
};

static void the_operation_is_found_by_method_and_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        struct tap_request request;
        receive(&request, routes[i].method, routes[i].target, NULL, "");
        check_served("lambda", &request, routes[i].operation, routes[i].input);
        tap_request_fini(&request);
    }
}

static const struct {
    const char *method, *target, *body, *name;
    int status;
} bad_requests[] = {
    {"GET", "/nowhere", "", "UnknownOperationException", 404},
    {"PATCH", "/2015-03-31/functions/f", "", "UnknownOperationException", 404},
    {"GET", "/2015-03-31/functions/%zz", "", "SerializationException", 400},
    {"GET", "/2015-03-31/functions/%ff", "", "SerializationException", 400},
    {"GET", "/2015-03-31/functions/?MaxItems=many", "", "SerializationException", 400},
    {"GET", "/2015-03-31/functions/?MaxItems=%zz", "", "MalformedQueryString", 400},
    {"POST", "/2015-03-31/functions", "{\"FunctionName\":", "SerializationException", 400},
};

static void bad_requests_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_requests / sizeof *bad_requests; i++) {
        struct tap_request request;
        receive(&request, bad_requests[i].method, bad_requests[i].target, NULL,
                bad_requests[i].body);
        check_not_served("lambda", &request, bad_requests[i].status, bad_requests[i].name);
        tap_request_fini(&request);
    }
}

static void answers_look_as_aws_writes_them(void **state)
{
    (void)state;
    struct spoken lambda = speak("lambda", "CreateAlias");
    struct tap_response response;
    struct tap_error err;
    json_t *output = value_of("{\"Name\": \"live\"}");
    tap_response_init(&response);
    lambda.protocol->write_response(&response, lambda.model, lambda.operation, output, "id");
    assert_int_equal(response.status, 201);
    check_header(&response.headers, "Content-Type", "application/json");
    assert_string_equal(tap_buf_text(&response.body), "{\"Name\":\"live\"}");
    tap_response_fini(&response);
    json_decref(output);

    tap_response_init(&response);
    tap_fail(&err, TAP_E_SERVICE, "ResourceNotFoundException", "gone");
    err.http_status = 404;
    lambda.protocol->write_error(&response, lambda.model, &err, "id");
    assert_int_equal(response.status, 404);
    check_header(&response.headers, "x-amzn-ErrorType", "ResourceNotFoundException");
    assert_string_equal(tap_buf_text(&response.body), "{\"message\":\"gone\"}");
    tap_response_fini(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_named_whatever_their_shape),
        cmocka_unit_test(members_go_where_the_model_binds_them),
        cmocka_unit_test(sparse_lists_and_maps_hold_nulls),
        cmocka_unit_test(api_gateway_is_asked_for_plain_json),
        cmocka_unit_test(a_part_of_the_address_must_be_there),
        cmocka_unit_test(no_header_can_be_smuggled_in),
        cmocka_unit_test(an_answer_is_body_headers_and_status),
        cmocka_unit_test(the_operation_is_found_by_method_and_path),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(answers_look_as_aws_writes_them),
    };
    int failed = cmocka_run_group_tests_name("rest-json", tests, NULL, NULL);
    failed += protocol_cases("rest-json", &tap_protocol_rest_json);
    tap_model_unload_all();
    return failed;
}
