/*
 * The service's side of signing. Requests that botocore and curl signed are accepted as they were
 * sent; whatever is changed on the way is noticed; and what is refused is refused in AWS's words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/mem.h"
#include "core/sigv4.h"

#define CURL_SIGNATURE "b85f338d4a3861a6a00c7616e822d6d84ac473ca0c2fb00406545993501045de"
#define REFUSED                                                                                    \
    "The request signature we calculated does not match the signature you provided. Check your "   \
    "AWS Secret Access Key and signing method. Consult the service documentation for details."

enum { MAX_HEADERS = 6 };

static const int64_t new_year = 1767225600; /* 2026-01-01T00:00:00Z */
static const char example_secret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/* ---- what foreign clients sent ---- */

static const struct foreign {
    const char *what, *method, *target;
    struct {
        const char *name, *value;
    } headers[MAX_HEADERS];
    const char *body, *secret, *access_key, *service;
    int64_t now;
} foreign[] = {
    {.what = "botocore, sts, with a session token",
     .method = "POST",
     .target = "/",
     .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                 {"User-Agent", "x"},
                 {"X-Amz-Date", "20260101T000000Z"},
                 {"X-Amz-Security-Token", "tok/en+=="},
                 {"Authorization",
                  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/sts/aws4_request, "
                  "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
                  "Signature=35c9013686a45267801910d9b3cbf407cd4642ee0591226303f1a9c2bf8cf0cf"},
                 {"Host", "sts.amazonaws.com"}},
     .body = "Action=GetCallerIdentity",
     .secret = example_secret,
     .access_key = "AKIDEXAMPLE",
     .service = "sts",
     .now = new_year},
    {.what = "botocore, lambda, with an ARN in the path",
     .method = "GET",
     .target = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Ax/policy"
               "?Qualifier=%24LATEST&A=1",
     .headers = {{"X-Amz-Date", "20260101T000000Z"},
                 {"Authorization",
                  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/lambda/aws4_request, "
                  "SignedHeaders=host;x-amz-date, "
                  "Signature=b90c55e7d938444ae3cfcb76d0ee6767b68a3c0d65a8e182f45f78a498533aed"},
                 {"Host", "lambda.us-east-1.amazonaws.com"}},
     .body = "",
     .secret = example_secret,
     .access_key = "AKIDEXAMPLE",
     .service = "lambda",
     .now = new_year},
    {.what = "botocore, s3, with an odd path",
     .method = "GET",
     .target = "/a%20b//c/../d%2Be?list-type=2&prefix=a%2Fb&empty=",
     .headers = {{"X-Amz-Date", "20260101T000000Z"},
                 {"X-Amz-Content-SHA256",
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                 {"Authorization",
                  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/s3/aws4_request, "
                  "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
                  "Signature=642dfbcec9969666065bb19d4439866c18ebec9e15bf97df2ac5c39baa1be30d"},
                 {"Host", "b.s3.amazonaws.com"}},
     .body = "",
     .secret = example_secret,
     .access_key = "AKIDEXAMPLE",
     .service = "s3",
     .now = new_year},
    {.what = "botocore, s3, presigned",
     .method = "GET",
     .target =
         "/a%20b?versionId=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F"
         "20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=600"
         "&X-Amz-SignedHeaders=host&X-Amz-Security-Token=tok%2Fen%2B%3D%3D&X-Amz-Signature="
         "48c94b6f62fbaaa1956ce2738ba3eac43b52779ea0f069d39b45054be332e01f",
     .headers = {{"Host", "b.s3.amazonaws.com"}},
     .body = "",
     .secret = example_secret,
     .access_key = "AKIDEXAMPLE",
     .service = "s3",
     .now = new_year + 599},
    {.what = "curl --aws-sigv4, with headers that it did not sign",
     .method = "POST",
     .target = "/",
     .headers = {{"Host", "127.0.0.1:34191"},
                 {"Authorization",
                  "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/cloudformation/"
                  "aws4_request, SignedHeaders=host;x-amz-date, Signature=" CURL_SIGNATURE},
                 {"X-Amz-Date", "20261123T164614Z"},
                 {"Accept", "*/*"},
                 {"Content-Type", "application/x-www-form-urlencoded"}},
     .body = "Action=DescribeStacks&Version=2010-05-15",
     .secret = "test",
     .access_key = "test",
     .service = "cloudformation",
     .now = 1795452374},
    {.what = "the same without blanks after the commas",
     .method = "POST",
     .target = "/",
     .headers = {{"host", " 127.0.0.1:34191 "},
                 {"authorization",
                  "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/cloudformation/"
                  "aws4_request,SignedHeaders=host;x-amz-date,Signature=" CURL_SIGNATURE},
                 {"x-amz-date", "20261123T164614Z"}},
     .body = "Action=DescribeStacks&Version=2010-05-15",
     .secret = "test",
     .access_key = "test",
     .service = "cloudformation",
     .now = 1795452374},
};

static void requests_of_foreign_clients_are_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        const struct foreign *sent = &foreign[i];
        struct tap_request request;
        tap_request_init(&request);
        tap_set(&request.method, sent->method);
        tap_set(&request.target, sent->target);
        for (size_t j = 0; j < MAX_HEADERS && sent->headers[j].name; j++)
            tap_headers_add(&request.headers, sent->headers[j].name, sent->headers[j].value);
        tap_buf_puts(&request.body, sent->body);

        struct tap_sigv4_claim claim;
        struct tap_error err = {0};
        tap_err rc = tap_sigv4_claim(&claim, &request, &err);
        if (!rc) {
            assert_string_equal(claim.access_key, sent->access_key);
            assert_string_equal(claim.service, sent->service);
            rc = tap_sigv4_verify(&request, &claim, sent->secret, sent->now, &err);
        }
        if (rc)
            fail_msg("%s: %s", sent->what, err.message);
        assert_int_equal(tap_sigv4_verify(&request, &claim, "another", sent->now, &err),
                         TAP_E_SERVICE);
        assert_string_equal(err.message, REFUSED);
        assert_int_equal(err.http_status, 403);
        tap_free(claim.arena);
        tap_request_fini(&request);
    }
}

/* ---- requests of our own, to be spoilt ---- */

static char key_id[] = "AKIDEXAMPLE", secret[] = "secret";
static const struct tap_credentials keys = {.access_key = key_id, .secret_key = secret};

static void sign(struct tap_request *request, enum tap_sign_form form, const char *service)
{
    bool s3 = strcmp(service, "s3") == 0;
    struct tap_signing signing = {
        .credentials = &keys,
        .region = "us-east-1",
        .service = service,
        .time = new_year,
        .form = form,
        .expires = 600,
        .double_encode_path = !s3,
        .normalize_path = !s3,
        .sign_body_header = s3,
        .unsigned_payload = s3 && form == TAP_SIGN_QUERY,
    };
    tap_request_init(request);
    tap_set(&request->method, "POST");
    tap_set(&request->host, "example.amazonaws.com");
    tap_set(&request->target, "/path/to?b=2&a=1");
    tap_headers_add(&request->headers, "Content-Type", "text/plain");
    tap_buf_puts(&request->body, "body");
    assert_int_equal(tap_sigv4_sign(request, &signing, NULL), TAP_OK);
}

static tap_err verify(const struct tap_request *request, int64_t now, struct tap_error *err)
{
    struct tap_sigv4_claim claim;
    tap_error_clear(err);
    tap_err rc = tap_sigv4_claim(&claim, request, err);
    if (!rc)
        rc = tap_sigv4_verify(request, &claim, secret, now, err);
    tap_free(claim.arena);
    return rc;
}

static void assert_refused(const struct tap_request *request, int64_t now, int status,
                           const char *name, const char *message)
{
    struct tap_error err;
    assert_int_equal(verify(request, now, &err), TAP_E_SERVICE);
    assert_string_equal(err.name, name);
    assert_string_equal(err.message, message);
    assert_int_equal(err.http_status, status);
}

/* Replaces `old` in a header or, when name is NULL, in the target. */
static void replace(struct tap_request *request, const char *name, const char *old, const char *new)
{
    const char *text = name ? tap_headers_get(&request->headers, name) : request->target;
    const char *at = strstr(text, old);
    assert_non_null(at);
    char *changed = tap_sprintf("%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    if (name)
        tap_headers_set(&request->headers, name, changed);
    else
        tap_set(&request->target, changed);
    tap_free(changed);
}

static void change_body(struct tap_request *request)
{
    tap_buf_puts(&request->body, "!");
}

static void change_header(struct tap_request *request)
{
    tap_headers_set(&request->headers, "Content-Type", "text/html");
}

static void remove_header(struct tap_request *request)
{
    tap_headers_remove(&request->headers, "Content-Type");
}

static void double_header(struct tap_request *request)
{
    tap_headers_add(&request->headers, "Content-Type", "text/plain");
}

static void change_host(struct tap_request *request)
{
    tap_headers_set(&request->headers, "Host", "other.amazonaws.com");
}

static void change_method(struct tap_request *request)
{
    tap_set(&request->method, "PUT");
}

static void change_path(struct tap_request *request)
{
    replace(request, NULL, "/path/to", "/path/from");
}

static void change_query(struct tap_request *request)
{
    replace(request, NULL, "a=1", "a=3");
}

static void add_query(struct tap_request *request)
{
    replace(request, NULL, "b=2", "b=2&c=3");
}

static void (*const tamperings[])(struct tap_request *) = {
    change_body,   change_header, remove_header, double_header, change_host,
    change_method, change_path,   change_query,  add_query,
};

static void what_was_changed_on_the_way_is_noticed(void **state)
{
    (void)state;
    static const enum tap_sign_form forms[] = {TAP_SIGN_HEADERS, TAP_SIGN_QUERY};
    struct tap_error err;
    for (size_t form = 0; form < 2; form++)
        for (size_t i = 0; i < sizeof tamperings / sizeof *tamperings; i++) {
            struct tap_request request;
            sign(&request, forms[form], "sts");
            assert_int_equal(verify(&request, new_year, &err), TAP_OK);
            tamperings[i](&request);
            assert_refused(&request, new_year, 403, "SignatureDoesNotMatch", REFUSED);
            tap_request_fini(&request);
        }
}

static void a_changed_date_is_noticed(void **state)
{
    (void)state;
    struct tap_request request;
    sign(&request, TAP_SIGN_HEADERS, "sts");
    tap_headers_set(&request.headers, "X-Amz-Date", "20260101T000100Z");
    assert_refused(&request, new_year, 403, "SignatureDoesNotMatch", REFUSED);
    tap_headers_set(&request.headers, "X-Amz-Date", "20260102T000000Z");
    assert_refused(&request, new_year, 403, "SignatureDoesNotMatch",
                   "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                   "from HTTP: '20260101' != '20260102', from '20260102T000000Z'.");
    tap_request_fini(&request);

    sign(&request, TAP_SIGN_QUERY, "sts");
    replace(&request, NULL, "X-Amz-Date=20260101T000000Z", "X-Amz-Date=20260101T000100Z");
    assert_refused(&request, new_year, 403, "SignatureDoesNotMatch", REFUSED);
    tap_request_fini(&request);

    sign(&request, TAP_SIGN_QUERY, "sts");
    replace(&request, NULL, "X-Amz-Expires=600", "X-Amz-Expires=6000");
    assert_refused(&request, new_year, 403, "SignatureDoesNotMatch", REFUSED);
    tap_request_fini(&request);
}

static void the_order_of_headers_and_parameters_does_not_matter(void **state)
{
    (void)state;
    struct tap_request request;
    struct tap_error err;
    sign(&request, TAP_SIGN_HEADERS, "sts");
    struct tap_headers *headers = &request.headers;
    for (size_t i = 0; i < headers->n / 2; i++) {
        struct tap_header other = headers->items[i];
        headers->items[i] = headers->items[headers->n - 1 - i];
        headers->items[headers->n - 1 - i] = other;
    }
    replace(&request, NULL, "b=2&a=1", "a=1&b=2");
    tap_headers_add(headers, "Via", "a proxy");
    assert_int_equal(verify(&request, new_year, &err), TAP_OK);
    tap_request_fini(&request);
}

static void a_date_header_stands_in_for_x_amz_date(void **state)
{
    (void)state;
    struct tap_request request;
    struct tap_error err;
    request = (struct tap_request){0};
    tap_request_init(&request);
    tap_set(&request.method, "GET");
    tap_set(&request.target, "/");
    tap_headers_add(&request.headers, "Host", "example.amazonaws.com");
    tap_headers_add(&request.headers, "Date", "Thu, 01 Jan 2026 00:00:00 GMT");
    struct tap_signing signing = {.credentials = &keys,
                                  .region = "us-east-1",
                                  .service = "sts",
                                  .time = new_year,
                                  .double_encode_path = true,
                                  .normalize_path = true,
                                  .signed_headers = "date;host"};
    struct tap_buf canonical, to_sign;
    char signature[65];
    tap_buf_init(&canonical, 4096);
    tap_buf_init(&to_sign, 4096);
    tap_sigv4_canonical_request(&canonical, &request, &signing);
    tap_sigv4_string_to_sign(&to_sign, tap_buf_text(&canonical), &signing);
    tap_sigv4_signature(signature, tap_buf_text(&to_sign), &signing);
    char *authorization =
        tap_sprintf("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/sts/aws4_request, "
                    "SignedHeaders=date;host, Signature=%s",
                    signature);
    tap_headers_add(&request.headers, "Authorization", authorization);
    assert_int_equal(verify(&request, new_year, &err), TAP_OK);
    tap_free(authorization);
    tap_buf_fini(&canonical);
    tap_buf_fini(&to_sign);
    tap_request_fini(&request);
}

static void host_must_be_signed(void **state)
{
    (void)state;
    struct tap_request request;
    sign(&request, TAP_SIGN_HEADERS, "sts");
    replace(&request, "Authorization", "content-type;host;x-amz-date", "content-type;x-amz-date");
    assert_refused(&request, new_year, 403, "SignatureDoesNotMatch",
                   "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
    tap_request_fini(&request);
}

static void clocks_may_differ_by_five_minutes(void **state)
{
    (void)state;
    struct tap_request request;
    struct tap_error err;
    sign(&request, TAP_SIGN_HEADERS, "sts");
    assert_int_equal(verify(&request, new_year + 300, &err), TAP_OK);
    assert_int_equal(verify(&request, new_year - 300, &err), TAP_OK);
    assert_refused(&request, new_year + 1200, 403, "SignatureDoesNotMatch",
                   "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z "
                   "(20260101T002000Z - 5 min.)");
    assert_refused(&request, new_year - 301, 403, "SignatureDoesNotMatch",
                   "Signature not yet current: 20260101T000000Z is still later than "
                   "20251231T235959Z (20251231T235459Z + 5 min.)");
    tap_request_fini(&request);
}

static void a_presigned_request_is_valid_until_it_expires(void **state)
{
    (void)state;
    struct tap_request request;
    struct tap_error err;
    sign(&request, TAP_SIGN_QUERY, "sts");
    assert_int_equal(verify(&request, new_year + 600, &err), TAP_OK);
    assert_refused(&request, new_year + 601, 403, "SignatureDoesNotMatch",
                   "Signature expired: 20260101T000000Z is now earlier than 20260101T000001Z "
                   "(20260101T001001Z - 10 min.)");
    tap_request_fini(&request);

    sign(&request, TAP_SIGN_QUERY, "s3");
    assert_int_equal(verify(&request, new_year + 600, &err), TAP_OK);
    assert_refused(&request, new_year + 601, 403, "AccessDenied", "Request has expired");
    tap_request_fini(&request);
}

static void a_body_hash_must_be_the_hash_of_the_body(void **state)
{
    (void)state;
    struct tap_request request;
    struct tap_error err;
    sign(&request, TAP_SIGN_HEADERS, "s3");
    assert_int_equal(verify(&request, new_year, &err), TAP_OK);
    change_body(&request);
    assert_refused(&request, new_year, 400, "XAmzContentSHA256Mismatch",
                   "The provided 'x-amz-content-sha256' header does not match what was computed.");
    tap_headers_set(&request.headers, "x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    assert_refused(&request, new_year, 403, "SignatureDoesNotMatch", REFUSED);
    tap_request_fini(&request);
}

/* ---- claims that cannot be read ---- */

static void a_request_without_a_signature_is_told_so(void **state)
{
    (void)state;
    static const char *const none[] = {NULL, "", "Basic dGVzdDp0ZXN0", "Bearer abc"};
    struct tap_request request;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        sign(&request, TAP_SIGN_HEADERS, "sts");
        tap_headers_remove(&request.headers, "Authorization");
        if (none[i])
            tap_headers_add(&request.headers, "Authorization", none[i]);
        assert_refused(&request, new_year, 403, "MissingAuthenticationToken",
                       "Request is missing Authentication Token");
        tap_request_fini(&request);
    }
}

static void an_incomplete_header_is_told_what_it_lacks_and_not_repeated(void **state)
{
    (void)state;
    struct tap_request request;
    struct tap_error err;
    sign(&request, TAP_SIGN_HEADERS, "sts");
    tap_headers_remove(&request.headers, "X-Amz-Date");
    tap_headers_set(&request.headers, "Authorization", "AWS4-HMAC-SHA256 Signature=hush");
    assert_int_equal(verify(&request, new_year, &err), TAP_E_SERVICE);
    assert_string_equal(err.name, "IncompleteSignature");
    assert_int_equal(err.http_status, 400);
    assert_ptr_equal(strstr(err.message,
                            "Authorization header requires 'Credential' parameter. "
                            "Authorization header requires 'SignedHeaders' parameter. "
                            "Authorization header requires existence of either a 'X-Amz-Date' or "
                            "a 'Date' header. (Hashed with SHA-256 and encoded with Base64) "
                            "Authorization="),
                     err.message);
    assert_null(strstr(err.message, "hush"));
    tap_request_fini(&request);
}

static void an_incomplete_query_is_told_what_it_lacks(void **state)
{
    (void)state;
    struct tap_request request;
    sign(&request, TAP_SIGN_QUERY, "sts");
    tap_set(&request.target, "/?X-Amz-Signature=a&X-Amz-Date=20260101T000000Z");
    assert_refused(&request, new_year, 400, "IncompleteSignature",
                   "AWS query-string parameters must include 'X-Amz-Algorithm'. "
                   "AWS query-string parameters must include 'X-Amz-Credential'. "
                   "AWS query-string parameters must include 'X-Amz-SignedHeaders'. "
                   "Re-examine the query-string parameters.");
    tap_request_fini(&request);
}

static void a_broken_claim_is_told_why(void **state)
{
    (void)state;
    static const struct {
        const char *header, *old, *new;
        int status;
        const char *name, *message;
    } cases[] = {
        {"Authorization", "AWS4-HMAC-SHA256", "AWS4-HMAC-MD5", 400, "IncompleteSignature",
         "Unsupported AWS 'algorithm': 'AWS4-HMAC-MD5'."},
        {"Authorization", "/us-east-1/sts/aws4_request", "", 400, "IncompleteSignature",
         "Credential must have exactly 5 slash-delimited elements, e.g. "
         "keyid/date/region/service/term, got 'AKIDEXAMPLE/20260101'"},
        {"Authorization", "aws4_request", "a/b/c", 400, "IncompleteSignature",
         "Credential must have exactly 5 slash-delimited elements, e.g. "
         "keyid/date/region/service/term, got 'AKIDEXAMPLE/20260101/us-east-1/sts/a/b/c'"},
        {"Authorization", "aws4_request", "aws4", 403, "SignatureDoesNotMatch",
         "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4'."},
        {"X-Amz-Date", "20260101T000000Z", "2026-01-01T00:00:00Z", 400, "IncompleteSignature",
         "Date must be in ISO-8601 'basic format'. Got '2026-01-01T00:00:00Z'. See "
         "http://en.wikipedia.org/wiki/ISO_8601."},
        {NULL, "X-Amz-Expires=600", "X-Amz-Expires=soon", 400, "IncompleteSignature",
         "X-Amz-Expires should be a number"},
        {NULL, "X-Amz-Expires=600", "X-Amz-Expires=99999999999999999999", 400,
         "IncompleteSignature", "X-Amz-Expires must be between 1 and 604800 seconds"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tap_request request;
        sign(&request, cases[i].header ? TAP_SIGN_HEADERS : TAP_SIGN_QUERY, "sts");
        replace(&request, cases[i].header, cases[i].old, cases[i].new);
        assert_refused(&request, new_year, cases[i].status, cases[i].name, cases[i].message);
        tap_request_fini(&request);
    }
}

static void odd_bytes_in_a_claim_are_refused_and_do_no_harm(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 ,,, ,",
        "AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature=",
        "AWS4-HMAC-SHA256 Credential=////,SignedHeaders=;;;,Signature=\xff",
        "AWS4-HMAC-SHA256 Credential=a/20260101/r/s/aws4_request,SignedHeaders=host,Signature=0",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct tap_request request;
        struct tap_error err;
        sign(&request, TAP_SIGN_HEADERS, "sts");
        tap_headers_set(&request.headers, "Authorization", odd[i]);
        assert_int_equal(verify(&request, new_year, &err), TAP_E_SERVICE);
        tap_request_fini(&request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_foreign_clients_are_accepted),
        cmocka_unit_test(what_was_changed_on_the_way_is_noticed),
        cmocka_unit_test(a_changed_date_is_noticed),
        cmocka_unit_test(the_order_of_headers_and_parameters_does_not_matter),
        cmocka_unit_test(a_date_header_stands_in_for_x_amz_date),
        cmocka_unit_test(host_must_be_signed),
        cmocka_unit_test(clocks_may_differ_by_five_minutes),
        cmocka_unit_test(a_presigned_request_is_valid_until_it_expires),
        cmocka_unit_test(a_body_hash_must_be_the_hash_of_the_body),
        cmocka_unit_test(a_request_without_a_signature_is_told_so),
        cmocka_unit_test(an_incomplete_header_is_told_what_it_lacks_and_not_repeated),
        cmocka_unit_test(an_incomplete_query_is_told_what_it_lacks),
        cmocka_unit_test(a_broken_claim_is_told_why),
        cmocka_unit_test(odd_bytes_in_a_claim_are_refused_and_do_no_harm),
    };
    return cmocka_run_group_tests_name("sigv4_verify", tests, NULL, NULL);
}
