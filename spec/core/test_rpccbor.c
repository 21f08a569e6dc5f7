/*
 * The rpc-v2-cbor protocol by the AWS protocol tests, and what they do not cover: the bytes of a
 * request, broken answers, the sandbox's half.
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

static void a_request_is_these_bytes(void **state)
{
    (void)state;
    struct tap_request request;
    char hex[400];
    send_request(&request, "cloudwatch", "GetMetricStatistics",
                 "{\"Namespace\": \"N\", \"MetricName\": \"m\", \"StartTime\": 1767225600.5,"
                 " \"EndTime\": \"2026-01-01T00:00:00Z\", \"Period\": 60}");
    assert_string_equal(request.target,
                        "/service/GraniteServiceVersion20100801/operation/GetMetricStatistics");
    check_header(&request.headers, "smithy-protocol", "rpc-v2-cbor");
    check_header(&request.headers, "x-amzn-query-mode", "true");
    assert_true(request.body.len < sizeof hex / 2);
    tap_hex(hex, tap_buf_text(&request.body), request.body.len);
    assert_string_equal(hex, "a5"
                             "694e616d657370616365614e"
                             "6a4d65747269634e616d65616d"
                             "69537461727454696d65c1fb41da556e40200000"
                             "67456e6454696d65c1fb41da556e40000000"
                             "66506572696f64183c");
    tap_request_fini(&request);
}

/* A texts as CBOR: {"__type": type, "message": message}. */
static void fill_error(struct tap_buf *out, const char *type, const char *message)
{
    tap_buf_init(out, 1000);
    tap_cbor_put_map(out, 2);
    tap_cbor_put_text(out, "__type", 6);
    tap_cbor_put_text(out, type, strlen(type));
    tap_cbor_put_text(out, "message", 7);
    tap_cbor_put_text(out, message, strlen(message));
}

static void errors_are_named_whatever_their_shape(void **state)
{
    (void)state;
    struct tap_buf body;
    fill_error(&body, "com.amazonaws.cloudwatch#ResourceNotFound", "no alarm");
    const struct error_case cases[] = {
        {404, NULL, tap_buf_text(&body), "ResourceNotFound", "no alarm"},
        {400, "x-amzn-query-error: Old;Sender", tap_buf_text(&body), "Old", "no alarm"},
        {502, NULL, "<html>bad gateway", "HTTP502", "begins: <html>bad gateway"},
        {503, NULL, "", "HTTP503", "and nothing else (service unavailable)"},
        {500, NULL, "\xa2\x66__type", "HTTP500", "begins: .f__type"},
    };
    check_errors("cloudwatch", cases, sizeof cases / sizeof *cases);
    tap_buf_fini(&body);
}

static void an_answer_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    check_bad_answer("cloudwatch", "ListMetrics", NULL, "<html>", TAP_E_PROTOCOL,
                     "not the CBOR that cloudwatch writes");
    check_bad_answer("cloudwatch", "ListMetrics", NULL, "\xa1\x67Metrics\x01", TAP_E_PROTOCOL,
                     "the answer's Metrics is 1, where the service's model has a list");
}

static void bad_requests_are_refused(void **state)
{
    (void)state;
    static const char path[] = "/service/GraniteServiceVersion20100801/operation/ListMetrics";
    struct tap_request request;
    receive(&request, "POST", path, NULL, "\xa1\x69Namespace\x61N");
    check_served("cloudwatch", &request, "ListMetrics", "{\"Namespace\": \"N\"}");
    tap_request_fini(&request);
    receive(&request, "POST", path, NULL, "\xa1\x69Namespace\x01");
    check_not_served("cloudwatch", &request, 400, "SerializationException");
    tap_request_fini(&request);
    receive(&request, "POST", path, NULL, "\xa1\x69");
    check_not_served("cloudwatch", &request, 400, "SerializationException");
    tap_request_fini(&request);
    receive(&request, "POST", "/service/Other/operation/ListMetrics", NULL, "");
    check_not_served("cloudwatch", &request, 404, "UnknownOperationException");
    tap_request_fini(&request);
}

static void a_large_body_is_sent_compressed_and_read_again(void **state)
{
    (void)state;
    struct spoken cloudwatch = speak("cloudwatch", "PutMetricData");
    json_t *input = json_pack("{s:s, s:[]}", "Namespace", "N", "MetricData");
    for (int i = 0; i < 1000; i++)
        json_array_append_new(json_object_get(input, "MetricData"),
                              json_pack("{s:s, s:f}", "MetricName", "m", "Value", 0.5));
    const json_t *found = NULL;
    json_t *again = NULL;
    struct tap_request request;
    struct tap_error err;
    tap_request_init(&request);
    assert_int_equal(cloudwatch.protocol->build_request(&request, cloudwatch.model,
                                                        cloudwatch.operation, input, &err),
                     TAP_OK);
    check_header(&request.headers, "Content-Encoding", "gzip");
    assert_true(request.body.len < 2000);
    if (cloudwatch.protocol->read_request(&found, &again, cloudwatch.model, &request, &err))
        fail_msg("%s", err.message);
    check_value(again, input);
    tap_request_fini(&request);
}

static void errors_are_written_as_aws_writes_them(void **state)
{
    (void)state;
    struct spoken cloudwatch = speak("cloudwatch", NULL);
    struct tap_response response;
    struct tap_error err;
    struct tap_buf wanted;
    tap_response_init(&response);
    tap_fail(&err, TAP_E_SERVICE, "InvalidParameterInput", "no");
    cloudwatch.protocol->write_error(&response, cloudwatch.model, &err, "id");
    check_header(&response.headers, "x-amzn-query-error", "InvalidParameterInput;Sender");
    fill_error(&wanted, "DashboardInvalidInputError", "no");
    assert_int_equal(response.body.len, wanted.len);
    assert_memory_equal(tap_buf_text(&response.body), tap_buf_text(&wanted), wanted.len);
    tap_buf_fini(&wanted);
    tap_response_fini(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_these_bytes),
        cmocka_unit_test(errors_are_named_whatever_their_shape),
        cmocka_unit_test(an_answer_that_does_not_fit_is_an_error),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(a_large_body_is_sent_compressed_and_read_again),
        cmocka_unit_test(errors_are_written_as_aws_writes_them),
    };
    int failed = cmocka_run_group_tests_name("rpc-v2-cbor", tests, NULL, NULL);
    failed += protocol_cases("smithy-rpc-v2-cbor", &tap_protocol_rpc_v2_cbor);
    failed += protocol_cases("smithy-rpc-v2-cbor-query-compatible", &tap_protocol_rpc_v2_cbor);
    failed += protocol_cases("smithy-rpc-v2-cbor-non-query-compatible", &tap_protocol_rpc_v2_cbor);
    tap_model_unload_all();
    return failed;
}
