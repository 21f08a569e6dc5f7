/*
 * The ec2 protocol by the AWS protocol tests, and EC2's own requests, answers and errors.
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
     "<?xml version=\"1.0\"?><Response><Errors><Error><Code>InvalidVpcID.NotFound</Code>"
     "<Message>no vpc</Message></Error></Errors><RequestID>id-1</RequestID></Response>",
     "InvalidVpcID.NotFound", "no vpc"},
    {503, NULL,
     "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>",
     "RequestLimitExceeded", "gave no reason (HTTP status 503)"},
    {502, NULL, "<html>bad gateway", "HTTP502", "begins: <html>bad gateway"},
    {500, NULL, "", "HTTP500", "and nothing else (internal server error)"},
};

static void errors_are_named_whatever_their_shape(void **state)
{
    (void)state;
    check_errors("ec2", errors, sizeof errors / sizeof *errors);
}

static void lists_are_flat_and_names_begin_with_a_capital(void **state)
{
    (void)state;
    static const char input[] =
        "{\"VpcIds\": [\"vpc-1\", \"vpc-2\"], \"DryRun\": false,"
        " \"Filters\": [{\"Name\": \"tag:a\", \"Values\": [\"b c\", \"d\"]}]}";
    struct tap_request request;
    send_request(&request, "ec2", "DescribeVpcs", input);
    check_same_parameters(tap_buf_text(&request.body),
                          "Action=DescribeVpcs&Version=2016-11-15&VpcId.1=vpc-1&VpcId.2=vpc-2&"
                          "DryRun=false&Filter.1.Name=tag%3Aa&Filter.1.Value.1=b%20c&"
                          "Filter.1.Value.2=d");
    check_served("ec2", &request, "DescribeVpcs", input);
    tap_request_fini(&request);
}

static void an_answer_has_no_result_element(void **state)
{
    (void)state;
    check_answer("ec2", "DescribeVpcs", NULL,
                 "<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
                 "<requestId>r</requestId><vpcSet><item><vpcId>vpc-1</vpcId><isDefault>true"
                 "</isDefault><tagSet/></item></vpcSet></DescribeVpcsResponse>",
                 "{\"Vpcs\": [{\"IsDefault\": true, \"Tags\": [], \"VpcId\": \"vpc-1\"}]}");
    check_bad_answer("ec2", "DescribeVpcs", NULL, "<DescribeVpcsResponse><vpcSet>", TAP_E_PROTOCOL,
                     "not the XML that ec2 writes");
}

static void answers_and_errors_look_as_ec2_writes_them(void **state)
{
    (void)state;
    struct spoken ec2 = speak("ec2", "CreateVpc");
    struct tap_response response;
    struct tap_error err;
    json_t *output = value_of("{\"Vpc\": {\"VpcId\": \"vpc-1\", \"Tags\": [{\"Key\": \"k\"}]}}");
    tap_response_init(&response);
    ec2.protocol->write_response(&response, ec2.model, ec2.operation, output, "id");
    assert_string_equal(tap_buf_text(&response.body),
                        "<CreateVpcResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15\">"
                        "<requestId>id</requestId><vpc><tagSet><item><key>k</key></item></tagSet>"
                        "<vpcId>vpc-1</vpcId></vpc></CreateVpcResponse>");
    tap_fail(&err, TAP_E_SERVICE, "InvalidParameterValue", "a & b");
    ec2.protocol->write_error(&response, ec2.model, &err, "id");
    assert_int_equal(response.status, 400);
    assert_string_equal(tap_buf_text(&response.body),
                        "<Response><Errors><Error><Code>InvalidParameterValue</Code><Message>a "
                        "&amp; b</Message></Error></Errors><RequestID>id</RequestID></Response>");
    tap_response_fini(&response);
    json_decref(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_named_whatever_their_shape),
        cmocka_unit_test(lists_are_flat_and_names_begin_with_a_capital),
        cmocka_unit_test(an_answer_has_no_result_element),
        cmocka_unit_test(answers_and_errors_look_as_ec2_writes_them),
    };
    int failed = cmocka_run_group_tests_name("ec2", tests, NULL, NULL);
    failed += protocol_cases("ec2", &tap_protocol_ec2);
    tap_model_unload_all();
    return failed;
}
