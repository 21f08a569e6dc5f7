/*
 * The query protocol by the AWS protocol tests ($TAP_CONFORMANCE/protocols, each case a test of its
 * own), and what they do not cover: broken answers, and the sandbox's half.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/core/protocol_cases.h"

static const struct tap_protocol *query = &tap_protocol_query;

static json_t *parse(const char *text)
{
    struct tap_error err;
    json_t *value = NULL;
    if (tap_json_parse(&value, text, strlen(text), NULL, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.message);
    return value;
}

static void check_equal(const json_t *got, const json_t *wanted)
{
    if (json_equal(got, wanted))
        return;
    char *a = tap_json_print(got), *b = tap_json_print(wanted);
    fail_msg("got    %s\nwanted %s", a, b);
}

static void fill_response(struct tap_response *response, int status, const char *body)
{
    tap_response_init(response);
    response->status = status;
    tap_buf_puts(&response->body, body);
}

#define HTTP "\"http\": {\"method\": \"POST\", \"requestUri\": \"/\"}"

static const char service[] =
    "{\"metadata\": {\"protocol\": \"query\", \"apiVersion\": \"2010-05-15\","
    "  \"xmlNamespace\": \"http://x.example/doc/\"},"
    " \"operations\": {"
    "  \"Make\": {\"name\": \"Make\", " HTTP ", \"input\": {\"shape\": \"Thing\"},"
    "    \"output\": {\"shape\": \"Thing\", \"resultWrapper\": \"MakeResult\"}},"
    "  \"Drop\": {\"name\": \"Drop\", " HTTP ", \"input\": {\"shape\": \"Thing\"}},"
    "  \"Empty\": {\"name\": \"Empty\", " HTTP ", \"output\": {\"shape\": \"Nothing\","
    "    \"resultWrapper\": \"EmptyResult\"}}},"
    " \"shapes\": {"
    "  \"Thing\": {\"type\": \"structure\", \"required\": [\"Name\"], \"members\": {"
    "    \"Name\": {\"shape\": \"Text\"}, \"On\": {\"shape\": \"Bool\"},"
    "    \"Size\": {\"shape\": \"Int\"}, \"Rate\": {\"shape\": \"Float\"},"
    "    \"At\": {\"shape\": \"Time\"}, \"Data\": {\"shape\": \"Blob\"},"
    "    \"Tags\": {\"shape\": \"Tags\"}, \"Flat\": {\"shape\": \"FlatList\"},"
    "    \"Map\": {\"shape\": \"Map\"}, \"FlatMap\": {\"shape\": \"Map\", \"flattened\": true},"
    "    \"Kind\": {\"shape\": \"Text\", \"xmlAttribute\": true, \"locationName\": \"kind\"},"
    "    \"Inner\": {\"shape\": \"Thing2\"}}},"
    "  \"Thing2\": {\"type\": \"structure\", \"members\": {\"Lists\": {\"shape\": \"Lists\"}}},"
    "  \"Nothing\": {\"type\": \"structure\", \"members\": {}},"
    "  \"Tags\": {\"type\": \"list\", \"member\": {\"shape\": \"Tag\"}},"
    "  \"Tag\": {\"type\": \"structure\", \"members\": {\"Key\": {\"shape\": \"Text\"},"
    "    \"Value\": {\"shape\": \"Text\"}}},"
    "  \"FlatList\": {\"type\": \"list\", \"flattened\": true,"
    "    \"member\": {\"shape\": \"Int\", \"locationName\": \"FlatItem\"}},"
    "  \"Lists\": {\"type\": \"list\", \"member\": {\"shape\": \"Ints\"}},"
    "  \"Ints\": {\"type\": \"list\", \"member\": {\"shape\": \"Int\"}},"
    "  \"Map\": {\"type\": \"map\", \"key\": {\"shape\": \"Text\"}, \"value\": {\"shape\": "
    "\"Text\"}},"
    "  \"Text\": {\"type\": \"string\"}, \"Bool\": {\"type\": \"boolean\"},"
    "  \"Int\": {\"type\": \"integer\"}, \"Float\": {\"type\": \"double\"},"
    "  \"Time\": {\"type\": \"timestamp\"}, \"Blob\": {\"type\": \"blob\"}}}";

/* Uses every kind of member, and text that XML and forms must escape. */
static const char thing[] =
    "{\"Name\": \" <a&b> \\\"\xC3\xA9\\\" =+% \\n\", \"On\": false, \"Size\": -7, \"Rate\": 0.5,"
    " \"At\": 1767225600.125, \"Data\": \"AP8=\", \"Tags\": [{\"Key\": \"k\", \"Value\": \"\"}, "
    "{}],"
    " \"Flat\": [1, 2], \"Map\": {\"a.b\": \"1\", \"c\": \"2\"}, \"FlatMap\": {\"x\": \"y\"},"
    " \"Inner\": {\"Lists\": [[1, 2], [], [3]]}}";

static struct tap_model *model;

static int load_model(void **state)
{
    (void)state;
    struct tap_error err;
    json_t *json = parse(service);
    tap_err code = tap_model_from_json(&model, "things", json, &err);
    json_decref(json);
    if (code)
        print_error("%s\n", err.message);
    return code;
}

static int drop_model(void **state)
{
    (void)state;
    tap_model_free(model);
    return 0;
}

static const json_t *operation(const char *name)
{
    const json_t *found = NULL;
    assert_int_equal(tap_model_operation(&found, model, name, NULL), TAP_OK);
    return found;
}

static void what_the_server_writes_the_client_reads_back(void **state)
{
    (void)state;
    static const char *const outputs[] = {
        thing,
        "{}",
        "{\"Tags\": [], \"Map\": {}, \"Inner\": {}, \"Name\": \"\"}",
        "{\"Kind\": \"a \\\"quoted\\\" <kind>\", \"Name\": \"line\\r\\nline\"}",
    };
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        json_t *output = parse(outputs[i]), *again = NULL;
        struct tap_response response;
        struct tap_error err;
        tap_response_init(&response);
        query->write_response(&response, model, operation("Make"), output, "id-1");
        if (query->parse_response(&again, model, operation("Make"), &response, &err))
            fail_msg("%s\n%s", err.message, tap_buf_text(&response.body));
        check_equal(again, output);
        assert_string_equal(tap_response_request_id(&response), "id-1");
        json_decref(output);
        json_decref(again);
        tap_response_fini(&response);
    }
}

static void what_the_client_sends_the_server_reads_back(void **state)
{
    (void)state;
    const json_t *found = NULL;
    json_t *input = parse(thing), *again = NULL;
    struct tap_request request;
    struct tap_error err;
    /* an element that says nothing cannot be written in a form */
    json_array_remove(json_object_get(input, "Tags"), 1);
    tap_request_init(&request);
    assert_int_equal(query->build_request(&request, model, operation("Make"), input, &err), TAP_OK);
    if (query->read_request(&found, &again, model, &request, &err))
        fail_msg("%s", err.message);
    assert_ptr_equal(found, operation("Make"));
    check_equal(again, input);
    json_decref(input);
    json_decref(again);
    tap_request_fini(&request);
}

static void check_written(const char *name, const char *output, const char *wanted)
{
    struct tap_response response;
    json_t *value = parse(output);
    tap_response_init(&response);
    query->write_response(&response, model, operation(name), value, "id-1");
    assert_int_equal(response.status, 200);
    assert_string_equal(tap_headers_get(&response.headers, "content-type"), "text/xml");
    assert_string_equal(tap_buf_text(&response.body), wanted);
    json_decref(value);
    tap_response_fini(&response);
}

static void answers_look_as_aws_writes_them(void **state)
{
    (void)state;
    check_written("Make", "{\"Tags\": [{\"Key\": \"k\"}], \"On\": true, \"At\": 1767225600}",
                  "<MakeResponse xmlns=\"http://x.example/doc/\"><MakeResult><On>true</On>"
                  "<At>2026-01-01T00:00:00Z</At><Tags><member><Key>k</Key></member></Tags>"
                  "</MakeResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata>"
                  "</MakeResponse>");
    check_written("Drop", "{}",
                  "<DropResponse xmlns=\"http://x.example/doc/\"><ResponseMetadata>"
                  "<RequestId>id-1</RequestId></ResponseMetadata></DropResponse>");
    check_written("Empty", "{}",
                  "<EmptyResponse xmlns=\"http://x.example/doc/\"><EmptyResult></EmptyResult>"
                  "<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata>"
                  "</EmptyResponse>");
}

static void errors_look_as_aws_writes_them_and_read_back(void **state)
{
    (void)state;
    struct tap_response response;
    struct tap_error err, again;
    tap_fail(&err, TAP_E_SERVICE, "ValidationError", "Stack <%s> & more", "x");
    tap_response_init(&response);
    query->write_error(&response, model, &err, "id-1");
    assert_int_equal(response.status, 400);
    assert_string_equal(tap_buf_text(&response.body),
                        "<ErrorResponse xmlns=\"http://x.example/doc/\"><Error><Type>Sender</Type>"
                        "<Code>ValidationError</Code><Message>Stack &lt;x&gt; &amp; more</Message>"
                        "</Error><RequestId>id-1</RequestId></ErrorResponse>");
    query->parse_error(&again, model, &response);
    assert_string_equal(again.name, err.name);
    assert_string_equal(again.message, err.message);
    assert_string_equal(again.request_id, "id-1");
    assert_string_equal(again.service, "things");
    err.http_status = 503;
    query->write_error(&response, model, &err, "id-1");
    assert_int_equal(response.status, 503);
    assert_non_null(strstr(tap_buf_text(&response.body), "<Type>Receiver</Type>"));
    tap_response_fini(&response);
}

static const struct {
    int status;
    const char *body, *name, *says;
} unreadable[] = {
    {503, "", "HTTP503", "HTTP status 503 and nothing else"},
    {502, "  \n ", "HTTP502", "HTTP status 502 and nothing else"},
    {503, "<html><body>\n<h1>503  Service\nUnavailable</h1>", "HTTP503",
     "begins: <html><body> <h1>503 Service Unavailable</h1>"},
    {400, "<ErrorResponse><Error><Code>Thro", "HTTP400",
     "begins: <ErrorResponse><Error><Code>Thro"},
    {403, "{\"message\": \"Forbidden\"}", "HTTP403", "begins: {\"message\": \"Forbidden\"}"},
    {500, "<Other/>", "HTTP500", "begins: <Other/>"},
    {400, "<ErrorResponse><Error><Code>X</Code></Error></ErrorResponse>", "X", "gave no reason"},
    {400,
     "<Response><Errors><Error><Code>X</Code><Message>m</Message></Error></Errors>"
     "<RequestID>id</RequestID></Response>",
     "X", "m"},
};

static void an_error_that_cannot_be_read_still_says_something(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++) {
        struct tap_response response;
        struct tap_error err;
        fill_response(&response, unreadable[i].status, unreadable[i].body);
        tap_headers_add(&response.headers, "x-amz-request-id", "id");
        query->parse_error(&err, model, &response);
        assert_string_equal(err.name, unreadable[i].name);
        assert_string_equal(err.request_id, "id");
        assert_int_equal(err.http_status, unreadable[i].status);
        if (!strstr(err.message, unreadable[i].says))
            fail_msg("%s: %s", unreadable[i].body, err.message);
        tap_response_fini(&response);
    }
}

static void check_refused_answer(const char *body, const char *says)
{
    struct tap_response response;
    struct tap_error err;
    json_t *output = NULL;
    fill_response(&response, 200, body);
    assert_int_equal(query->parse_response(&output, model, operation("Make"), &response, &err),
                     TAP_E_PROTOCOL);
    assert_null(output);
    if (!strstr(err.message, says))
        fail_msg("%s", err.message);
    tap_response_fini(&response);
}

static void an_answer_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    check_refused_answer("<html><p>Please log in", "not the XML that things writes");
    check_refused_answer("<MakeResponse><MakeResult><On>maybe</On></MakeResult></MakeResponse>",
                         "the answer's On is \"maybe\", where the service's model has a boolean");
    check_refused_answer("<R><MakeResult><Size>12x</Size></MakeResult></R>", "an integer");
    check_refused_answer("<R><MakeResult><At>yesterday</At></MakeResult></R>", "a timestamp");
    check_refused_answer("<R><MakeResult><Data>**</Data></MakeResult></R>", "base64");
    check_refused_answer("<!DOCTYPE x [<!ENTITY e \"x\">]><R>&e;</R>", "document type");
}

static void unknown_and_empty_elements_are_skipped(void **state)
{
    (void)state;
    struct tap_response response;
    json_t *output = NULL, *wanted = parse("{\"Name\": \"\", \"Flat\": [1]}");
    fill_response(&response, 200,
                  "<MakeResponse><MakeResult><New><a/></New><At/><Size> </Size><Name/>"
                  "<FlatItem>1</FlatItem></MakeResult></MakeResponse>");
    assert_int_equal(query->parse_response(&output, model, operation("Make"), &response, NULL),
                     TAP_OK);
    check_equal(output, wanted);
    json_decref(output);
    json_decref(wanted);
    tap_response_fini(&response);
}

static tap_err serve(const char *method, const char *target, const char *body, json_t **input,
                     struct tap_error *err)
{
    const json_t *found = NULL;
    struct tap_request request;
    tap_request_init(&request);
    tap_set(&request.method, method);
    tap_set(&request.target, target);
    tap_buf_puts(&request.body, body);
    tap_err code = query->read_request(&found, input, model, &request, err);
    tap_request_fini(&request);
    return code;
}

static void a_request_may_come_in_the_query_string(void **state)
{
    (void)state;
    json_t *input = NULL, *wanted = parse("{\"Name\": \"a b\", \"Flat\": [5, 6]}");
    struct tap_error err;
    assert_int_equal(serve("GET",
                           "/?Action=Make&Version=2010-05-15&Name=a+b&FlatItem.10=6&"
                           "FlatItem.2=5&Other.member.1=x",
                           "", &input, &err),
                     TAP_OK);
    check_equal(input, wanted);
    json_decref(input);
    json_decref(wanted);
}

static void an_empty_parameter_is_an_empty_list(void **state)
{
    (void)state;
    json_t *input = NULL, *wanted = parse("{\"Tags\": []}");
    assert_int_equal(serve("POST", "/", "Action=Drop&Version=2010-05-15&Tags=&Size=", &input, NULL),
                     TAP_OK);
    check_equal(input, wanted);
    json_decref(input);
    json_decref(wanted);
}

static const struct {
    const char *body, *name, *message;
} bad_requests[] = {
    {"", "MissingAction", "The request must contain the parameter Action"},
    {"Action=Foo&Version=2010-05-15", "InvalidAction",
     "Could not find operation Foo for version 2010-05-15"},
    {"Action=make&Version=2010-05-15", "InvalidAction",
     "Could not find operation make for version 2010-05-15"},
    {"Action=Make&Version=2009-01-01", "InvalidAction",
     "Could not find operation Make for version 2009-01-01"},
    {"Action=Make", "InvalidAction",
     "Could not find operation Make for version NO_VERSION_SPECIFIED"},
    {"Action=Make&Version=2010-05-15&Size=big", "MalformedInput",
     "Invalid value for Size: it must be an integer"},
    {"Action=Make&Version=2010-05-15&Name=%zz", "MalformedQueryString",
     "The query string contains a syntax error"},
    {"Action=Make&Version=2010-05-15&Name=%ff", "MalformedQueryString",
     "The query string contains a syntax error"},
};

static void bad_requests_get_the_answers_of_aws(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_requests / sizeof *bad_requests; i++) {
        struct tap_error err;
        json_t *input = NULL;
        assert_int_equal(serve("POST", "/", bad_requests[i].body, &input, &err), TAP_E_SERVICE);
        assert_null(input);
        assert_int_equal(err.http_status, 400);
        assert_string_equal(err.name, bad_requests[i].name);
        assert_string_equal(err.message, bad_requests[i].message);
    }
}

static void names_with_too_many_parts_are_refused(void **state)
{
    (void)state;
    struct tap_error err;
    json_t *input = NULL;
    char *deep = tap_alloc(2001);
    for (size_t i = 0; i < 2000; i++)
        deep[i] = i % 2 ? '.' : 'a';
    assert_int_equal(serve("POST", "/", deep, &input, &err), TAP_E_SERVICE);
    tap_free(deep);
}

static void the_protocol_is_the_one_that_botocore_would_choose(void **state)
{
    (void)state;
    static const struct {
        const char *metadata;
        const struct tap_protocol *wanted;
    } offers[] = {
        {"{\"protocol\": \"query\"}", &tap_protocol_query},
        {"{\"protocol\": \"ec2\"}", &tap_protocol_ec2},
        {"{\"protocol\": \"rest-xml\", \"protocols\": []}", &tap_protocol_rest_xml},
        {"{\"protocol\": \"query\", \"protocols\": [\"query\", \"json\"]}", &tap_protocol_json},
        {"{\"protocol\": \"json\", \"protocols\": [\"json\", \"smithy-rpc-v2-cbor\"]}",
         &tap_protocol_rpc_v2_cbor},
        {"{\"protocol\": \"json\", \"protocols\": [\"rest-xml\", \"rest-json\"]}",
         &tap_protocol_rest_json},
        {"{\"protocol\": \"carrier-pigeon\"}", NULL},
    };
    for (size_t i = 0; i < sizeof offers / sizeof *offers; i++) {
        struct tap_error err;
        const struct tap_protocol *protocol = NULL;
        struct tap_model *other = NULL;
        json_t *json = json_object();
        json_object_set_new(json, "metadata", parse(offers[i].metadata));
        json_object_set_new(json, "shapes", json_object());
        if (tap_model_from_json(&other, "pigeon", json, &err))
            fail_msg("%s", err.message);
        tap_err code = tap_protocol_of(&protocol, other, &err);
        assert_int_equal(code, offers[i].wanted ? TAP_OK : TAP_E_UNSUPPORTED);
        assert_ptr_equal(protocol, offers[i].wanted);
        if (code)
            assert_non_null(strstr(err.message, "no protocol that is known"));
        tap_model_free(other);
        json_decref(json);
    }
}

static void a_host_label_must_fit_a_host_name(void **state)
{
    (void)state;
    json_t *call = parse("{\"endpoint\": {\"hostPrefix\": \"{Id}.x-\"}}");
    static const char *const inputs[] = {"{\"Id\": \"a.b\"}", "{\"Id\": \"\"}", "{}",
                                         "{\"Id\": \"evil.example/\"}"};
    struct tap_error err;
    struct tap_buf out;
    tap_buf_init(&out, 100);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        json_t *input = parse(inputs[i]);
        assert_int_equal(tap_host_prefix(&out, call, input, &err), TAP_E_USAGE);
        assert_non_null(strstr(err.message, "Id: "));
        json_decref(input);
    }
    tap_buf_fini(&out);
    json_decref(call);
}

static const struct CMUnitTest own_tests[] = {
    cmocka_unit_test(what_the_server_writes_the_client_reads_back),
    cmocka_unit_test(what_the_client_sends_the_server_reads_back),
    cmocka_unit_test(answers_look_as_aws_writes_them),
    cmocka_unit_test(errors_look_as_aws_writes_them_and_read_back),
    cmocka_unit_test(an_error_that_cannot_be_read_still_says_something),
    cmocka_unit_test(an_answer_that_does_not_fit_is_an_error),
    cmocka_unit_test(unknown_and_empty_elements_are_skipped),
    cmocka_unit_test(a_request_may_come_in_the_query_string),
    cmocka_unit_test(an_empty_parameter_is_an_empty_list),
    cmocka_unit_test(bad_requests_get_the_answers_of_aws),
    cmocka_unit_test(names_with_too_many_parts_are_refused),
    cmocka_unit_test(the_protocol_is_the_one_that_botocore_would_choose),
    cmocka_unit_test(a_host_label_must_fit_a_host_name),
};

int main(void)
{
    int failed = cmocka_run_group_tests_name("query", own_tests, load_model, drop_model);
    return failed + protocol_cases("query", query);
}
