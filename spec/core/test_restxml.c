/*
 * The rest-xml protocol by the AWS protocol tests, and S3 as it really is: keys, checksums, errors
 * without an element around them, errors in answers that began well.
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
    {404, NULL,
     "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>no key</Message>"
     "<RequestId>id-1</RequestId></Error>",
     "NoSuchKey", "no key"},
    {400, NULL,
     "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>Bad</Code><Message>m</Message>"
     "</Error><RequestId>id-1</RequestId></ErrorResponse>",
     "Bad", "m"},
    {404, NULL, "", "HTTP404", "HTTP status 404 and nothing else (not found)"},
    {301, NULL, "", "HTTP301", "(moved permanently)"},
    {503, NULL, "<Error><Code>Slow", "HTTP503", "begins: <Error><Code>Slow"},
    {500, NULL, "<html><p>oops</p></html>", "HTTP500", "begins: <html><p>oops"},
};

static void errors_are_named_whatever_their_shape(void **state)
{
    (void)state;
    check_errors("s3", errors, sizeof errors / sizeof *errors);
}

static const struct {
    const char *operation, *input, *target;
} targets[] = {
    {"GetObject", "{\"Bucket\": \"b\", \"Key\": \"k\"}", "/b/k"},
    {"GetObject", "{\"Bucket\": \"b\", \"Key\": \"/a//b c+d=~\303\251\"}",
     "/b//a//b%20c%2Bd%3D~%C3%A9"},
    {"GetObject", "{\"Bucket\": \"b\", \"Key\": \"a/../b?c#d\"}", "/b/a/../b%3Fc%23d"},
    {"GetObjectAcl", "{\"Bucket\": \"b\", \"Key\": \"k\", \"VersionId\": \"1\"}",
     "/b/k?acl&versionId=1"},
    {"ListObjectsV2", "{\"Bucket\": \"b\", \"Prefix\": \"a/\", \"MaxKeys\": 3}",
     "/b?list-type=2&max-keys=3&prefix=a%2F"},
    {"ListBuckets", "{}", "/"},
};

static void keys_keep_their_slashes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct tap_request request;
        send_request(&request, "s3", targets[i].operation, targets[i].input);
        assert_string_equal(request.target, targets[i].target);
        assert_int_equal(request.body.len, 0);
        check_served("s3", &request, targets[i].operation, targets[i].input);
        tap_request_fini(&request);
    }
}

static const struct {
    const char *input, *target;
} zones[] = {
    {"{\"Id\": \"/hostedzone/Z1\"}", "/2013-04-01/hostedzone/Z1"},
    {"{\"Id\": \"Z1\"}", "/2013-04-01/hostedzone/Z1"},
    {"{\"Id\": \"/change/C1\"}", "/2013-04-01/hostedzone/%2Fchange%2FC1"},
    {"{\"Id\": \"/hostedzone\"}", "/2013-04-01/hostedzone/%2Fhostedzone"},
};

static void an_id_may_repeat_the_path_it_stands_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        struct tap_request request;
        send_request(&request, "route53", "GetHostedZone", zones[i].input);
        assert_string_equal(request.target, zones[i].target);
        tap_request_fini(&request);
    }
}

static void an_empty_key_is_refused(void **state)
{
    (void)state;
    check_refused("s3", "GetObject", "{\"Bucket\": \"b\", \"Key\": \"\"}", TAP_E_USAGE,
                  "Key: must not be empty");
    check_refused("s3", "ListObjectsV2", "{\"Bucket\": \"\"}", TAP_E_USAGE,
                  "Bucket: must not be empty");
}

/* Of the nine bytes "123456789"; the CRCs are those of the catalogue of CRC algorithms. */
static const struct {
    const char *algorithm, *header, *sum;
} checksums[] = {
    {"CRC32", "x-amz-checksum-crc32", "y/Q5Jg=="},
    {"CRC32C", "x-amz-checksum-crc32c", "4waSgw=="},
    {"CRC64NVME", "x-amz-checksum-crc64nvme", "rosUhgp5mIg="},
    {"SHA1", "x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="},
    {"SHA256", "x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="},
};

static void the_checksum_is_the_one_that_was_chosen(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof checksums / sizeof *checksums; i++) {
        struct tap_request request;
        char *input = tap_sprintf("{\"Bucket\": \"b\", \"Key\": \"k\", \"Body\": \"MTIzNDU2Nzg5\","
                                  " \"ChecksumAlgorithm\": \"%s\"}",
                                  checksums[i].algorithm);
        send_request(&request, "s3", "PutObject", input);
        assert_string_equal(tap_buf_text(&request.body), "123456789");
        check_header(&request.headers, checksums[i].header, checksums[i].sum);
        check_header(&request.headers, "x-amz-sdk-checksum-algorithm", checksums[i].algorithm);
        tap_free(input);
        tap_request_fini(&request);
    }
    check_refused("s3", "PutObject",
                  "{\"Bucket\": \"b\", \"Key\": \"k\", \"ChecksumAlgorithm\": \"XXHASH3\"}",
                  TAP_E_UNSUPPORTED, "ChecksumAlgorithm: the checksum XXHASH3 is not supported");
}

static void where_none_was_chosen_but_one_is_demanded_it_is_crc32_or_the_callers_own(void **state)
{
    (void)state;
    struct tap_request request;
    send_request(&request, "s3", "DeleteObjects",
                 "{\"Bucket\": \"b\", \"Delete\": {\"Objects\": [{\"Key\": \"k\"}]}}");
    assert_non_null(tap_headers_get(&request.headers, "x-amz-checksum-crc32"));
    check_header(&request.headers, "x-amz-sdk-checksum-algorithm", "CRC32");
    tap_request_fini(&request);
    send_request(&request, "s3", "PutObject", /* what is not demanded is the client's to decide */
                 "{\"Bucket\": \"b\", \"Key\": \"k\", \"Body\": \"MTIzNDU2Nzg5\"}");
    assert_null(tap_headers_get(&request.headers, "x-amz-checksum-crc32"));
    tap_request_fini(&request);
    send_request(&request, "s3", "PutObject",
                 "{\"Bucket\": \"b\", \"Key\": \"k\", \"ChecksumSHA256\": \"mine\"}");
    assert_null(tap_headers_get(&request.headers, "x-amz-checksum-crc32"));
    check_header(&request.headers, "x-amz-checksum-sha256", "mine");
    tap_request_fini(&request);
    send_request(&request, "s3", "GetObject", "{\"Bucket\": \"b\", \"Key\": \"k\"}");
    assert_null(tap_headers_get(&request.headers, "x-amz-checksum-crc32"));
    tap_request_fini(&request);
}

static void documents_have_their_element_and_namespace(void **state)
{
    (void)state;
    struct tap_request request;
    send_request(&request, "s3", "PutBucketLifecycleConfiguration",
                 "{\"Bucket\": \"b\", \"LifecycleConfiguration\": {\"Rules\": [{\"ID\": \"a<b\","
                 " \"Status\": \"Enabled\"}]}}");
    assert_string_equal(request.target, "/b?lifecycle");
    check_header(&request.headers, "Content-Type", "application/xml");
    assert_string_equal(tap_buf_text(&request.body),
                        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                        "<Rule><ID>a&lt;b</ID><Status>Enabled</Status></Rule>"
                        "</LifecycleConfiguration>");
    tap_request_fini(&request);
    send_request(&request, "s3", "CreateBucket", "{\"Bucket\": \"b\"}");
    assert_int_equal(request.body.len, 0);
    assert_null(tap_headers_get(&request.headers, "Content-Type"));
    tap_request_fini(&request);
}

static void metadata_are_headers_with_a_prefix(void **state)
{
    (void)state;
    struct tap_request request;
    send_request(&request, "s3", "PutObject",
                 "{\"Bucket\": \"b\", \"Key\": \"k\", \"Metadata\": {\"who\": \"me\"}}");
    check_header(&request.headers, "x-amz-meta-who", "me");
    tap_request_fini(&request);
    check_answer("s3", "GetObject", "X-Amz-Meta-Who: me", "bytes",
                 "{\"Body\": \"Ynl0ZXM=\", \"Metadata\": {\"Who\": \"me\"}}");
}

static void an_object_without_bytes_has_a_body(void **state)
{
    (void)state;
    check_answer("s3", "GetObject", "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT", "",
                 "{\"Body\": \"\", \"LastModified\": 1767225600, \"Metadata\": {}}");
    check_answer("s3", "HeadObject", "Expires: soon", "", "{\"Metadata\": {}}");
    check_answer("s3", "HeadObject", "ETag: \"abc\"", "",
                 "{\"ETag\": \"\\\"abc\\\"\", \"Metadata\": {}}");
}

static void the_location_of_a_bucket_is_the_document_itself(void **state)
{
    (void)state;
    check_answer("s3", "GetBucketLocation", NULL,
                 "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">eu-west-1"
                 "</LocationConstraint>",
                 "{\"LocationConstraint\": \"eu-west-1\"}");
    check_answer("s3", "GetBucketLocation", NULL, "<LocationConstraint/>", "{}");
    struct spoken s3 = speak("s3", "GetBucketLocation");
    struct tap_response response;
    json_t *output = value_of("{\"LocationConstraint\": \"eu-west-1\"}");
    tap_response_init(&response);
    s3.protocol->write_response(&response, s3.model, s3.operation, output, "id");
    assert_string_equal(tap_buf_text(&response.body),
                        "<LocationConstraint>eu-west-1</LocationConstraint>");
    tap_response_fini(&response);
    json_decref(output);
}

static void an_error_may_follow_a_good_status(void **state)
{
    (void)state;
    check_bad_answer("s3", "CompleteMultipartUpload", NULL,
                     "  <Error><Code>InternalError</Code><Message>try again</Message></Error>",
                     TAP_E_SERVICE, "try again");
    check_bad_answer("s3", "ListObjectsV2", NULL, "<ListBucketResult><Name>b", TAP_E_PROTOCOL,
                     "not the XML that s3 writes");
    check_bad_answer("s3", "ListObjectsV2", NULL,
                     "<ListBucketResult><MaxKeys>many</MaxKeys></ListBucketResult>", TAP_E_PROTOCOL,
                     "the answer's MaxKeys is \"many\"");
    check_bad_answer("s3", "HeadObject", "Content-Length: many", "", TAP_E_PROTOCOL,
                     "the header Content-Length is \"many\"");
}

static const struct {
    const char *method, *target, *header, *operation;
} routes[] = {
    {"PUT", "/b/k", NULL, "PutObject"},
    {"PUT", "/b/k", "x-amz-copy-source: other/k", "CopyObject"},
    {"PUT", "/b/k?partNumber=1&uploadId=u", NULL, "UploadPart"},
    {"PUT", "/b/k?uploadId=u&partNumber=1", "x-amz-copy-source: other/k", "UploadPartCopy"},
    {"GET", "/b/k?uploadId=u", NULL, "ListParts"},
    {"GET", "/b/a/b/c", NULL, "GetObject"},
    {"GET", "/b/a/b/", NULL, "GetObject"},
    {"GET", "/b", NULL, "ListObjects"},
    {"GET", "/b/", NULL, "ListObjects"},
    {"GET", "/b/?list-type=2&prefix=", NULL, "ListObjectsV2"},
    {"GET", "/b?lifecycle", NULL, "GetBucketLifecycleConfiguration"},
    {"GET", "/b?lifecycle=", NULL, "GetBucketLifecycleConfiguration"},
    {"GET", "/b?analytics&id=1", NULL, "GetBucketAnalyticsConfiguration"},
    {"GET", "/b?analytics", NULL, "ListBucketAnalyticsConfigurations"},
    {"GET", "/?max-buckets=3", NULL, "ListBuckets"},
    {"HEAD", "/b/k", NULL, "HeadObject"},
    {"HEAD", "/b", NULL, "HeadBucket"},
    {"POST", "/b/k?uploads", NULL, "CreateMultipartUpload"},
    {"POST", "/b/k?uploadId=u", NULL, "CompleteMultipartUpload"},
    {"DELETE", "/b/k?x-id=DeleteObject", NULL, "DeleteObject"},
};

static void operations_at_one_path_are_told_apart(void **state)
{
    (void)state;
    struct spoken s3 = speak("s3", NULL);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        struct tap_request request;
        const json_t *found = NULL;
        json_t *input = NULL;
        struct tap_error err;
        receive(&request, routes[i].method, routes[i].target, routes[i].header, "");
        if (s3.protocol->read_request(&found, &input, s3.model, &request, &err))
            fail_msg("%s: %s", routes[i].target, err.message);
        if (strcmp(json_string_value(json_object_get(found, "name")), routes[i].operation) != 0)
            fail_msg("%s %s: %s", routes[i].method, routes[i].target,
                     json_string_value(json_object_get(found, "name")));
        json_decref(input);
        tap_request_fini(&request);
    }
}

static void bad_requests_are_refused(void **state)
{
    (void)state;
    struct tap_request request;
    receive(&request, "PUT", "/b?tagging", NULL, "<Tagging><TagSet>");
    check_not_served("s3", &request, 400, "MalformedXML");
    tap_request_fini(&request);
    receive(&request, "TRACE", "/b", NULL, "");
    check_not_served("s3", &request, 404, "UnknownOperationException");
    tap_request_fini(&request);
}

static void errors_are_written_as_the_service_does(void **state)
{
    (void)state;
    static const struct {
        const char *service, *header, *body;
    } wanted[] = {
        {"s3", "x-amz-request-id",
         "<Error><Code>NoSuchKey</Code><Message>&lt;k&gt;</Message><RequestId>id</RequestId>"
         "</Error>"},
        {"route53", "x-amzn-RequestId",
         "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchKey</Code><Message>&lt;k&gt;"
         "</Message></Error><RequestId>id</RequestId></ErrorResponse>"},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct spoken spoken = speak(wanted[i].service, NULL);
        struct tap_response response;
        struct tap_error err;
        tap_response_init(&response);
        tap_fail(&err, TAP_E_SERVICE, "NoSuchKey", "<k>");
        err.http_status = 404;
        spoken.protocol->write_error(&response, spoken.model, &err, "id");
        assert_int_equal(response.status, 404);
        check_header(&response.headers, wanted[i].header, "id");
        assert_string_equal(tap_buf_text(&response.body), wanted[i].body);
        tap_response_fini(&response);
    }
}

static void a_stream_of_events_is_refused_by_name(void **state)
{
    (void)state;
    check_refused("s3", "SelectObjectContent", "{\"Bucket\": \"b\", \"Key\": \"k\"}",
                  TAP_E_UNSUPPORTED, "SelectObjectContent of s3 is a stream of events");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_named_whatever_their_shape),
        cmocka_unit_test(keys_keep_their_slashes),
        cmocka_unit_test(an_id_may_repeat_the_path_it_stands_in),
        cmocka_unit_test(an_empty_key_is_refused),
        cmocka_unit_test(the_checksum_is_the_one_that_was_chosen),
        cmocka_unit_test(where_none_was_chosen_but_one_is_demanded_it_is_crc32_or_the_callers_own),
        cmocka_unit_test(documents_have_their_element_and_namespace),
        cmocka_unit_test(metadata_are_headers_with_a_prefix),
        cmocka_unit_test(an_object_without_bytes_has_a_body),
        cmocka_unit_test(the_location_of_a_bucket_is_the_document_itself),
        cmocka_unit_test(an_error_may_follow_a_good_status),
        cmocka_unit_test(operations_at_one_path_are_told_apart),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(errors_are_written_as_the_service_does),
        cmocka_unit_test(a_stream_of_events_is_refused_by_name),
    };
    int failed = cmocka_run_group_tests_name("rest-xml", tests, NULL, NULL);
    failed += protocol_cases("rest-xml", &tap_protocol_rest_xml);
    tap_model_unload_all();
    return failed;
}
