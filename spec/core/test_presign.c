/*
 * Presigned URLs: the same signature as botocore's, taken by a small S3 from a client that knows
 * nothing of signing (curl), refused once something in them has changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "s3_server.h"

#include "core/presign.h"
#include "core/proc.h"
#include "core/secret.h"

/* ---- presigning ---- */

/* The finished operation, with or without error; the caller frees it. `input` is taken. */
static struct tap_op *presign(struct s3 *s3, struct tap_client *client, const char *operation,
                              json_t *input, int64_t expires_s)
{
    struct tap_op *op;
    struct tap_error err;
    if (tap_client_presign(&op, client, operation, input, expires_s, &err))
        fail_msg("%s: %s", operation, err.message);
    json_decref(input);
    assert_ptr_equal(tap_loop_next(s3->loop, 10000), op);
    assert_int_equal(tap_op_kind(op), TAP_OP_CALL);
    return op;
}

/* The URL; the caller frees it. */
static char *url_of(struct s3 *s3, struct tap_client *client, const char *operation, json_t *input)
{
    struct tap_op *op = presign(s3, client, operation, input, 900);
    if (tap_op_error(op))
        fail_msg("%s: %s", operation, tap_op_error(op)->message);
    char *url = tap_strdup(tap_presign_url(op));
    tap_op_free(op);
    return url;
}

static struct tap_client *client_at_aws(const struct s3 *s3, const char *service)
{
    struct tap_client *client;
    struct tap_error err;
    if (tap_client_new(&client, s3->loop, service, NULL, &err))
        fail_msg("%s", err.message);
    return client;
}

static json_t *object(const char *key)
{
    return json_pack("{s:s, s:s}", "Bucket", "my-bucket", "Key", key);
}

/* ---- the URL ---- */

/* Signatures by botocore 1.43.11 (boto3's generate_presigned_url, s3v4, virtual addressing,
 * HttpMethod GET for sts), with these keys at this time. */
static const struct {
    const char *service, *operation, *input;
    int64_t expires_s;
    const char *token, *start, *signature;
} botocore[] = {
    {"s3", "get_object", "{\"Bucket\": \"my-bucket\", \"Key\": \"a b/../\xC3\xBC+.txt\"}", 900,
     NULL, "https://my-bucket.s3.eu-west-1.amazonaws.com/a%20b/../%C3%BC%2B.txt?",
     "e63f5ba56a95542101f202b9f3c4e35e5fc50f987dceace23413a797cbad3c21"},
    {"s3", "put_object",
     "{\"Bucket\": \"my-bucket\", \"Key\": \"k\", \"ContentType\": \"text/plain\","
     " \"Metadata\": {\"owner\": \"me\"}}",
     900, NULL, "https://my-bucket.s3.eu-west-1.amazonaws.com/k?",
     "2ffbb23578a21a49a3f43bfc3edb89c45a144d90a192cd62d2aaaf47118c5555"},
    {"s3", "get_object",
     "{\"Bucket\": \"my-bucket\", \"Key\": \"k\", \"VersionId\": \"v 1\","
     " \"ResponseContentType\": \"text/plain\"}",
     604800, NULL, "https://my-bucket.s3.eu-west-1.amazonaws.com/k?",
     "1ffdacc857c6b0afb30a93b34ae7073af309e7a304f334e21880741807053adc"},
    {"s3", "list_objects_v2",
     "{\"Bucket\": \"my.dotted.bucket\", \"Prefix\": \"a/\", \"EncodingType\": \"url\"}", 1,
     "to/ken+=", "https://s3.eu-west-1.amazonaws.com/my.dotted.bucket?",
     "5d7a05fa50cea59908341280528d9345e98b1b2a7555b50e27704b5a6ae54390"},
    {"sts", "get_caller_identity", "{}", 60, NULL,
     "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&",
     "795eea2fe609240168e39238a82b97b53cc00fbd8073aa05b38dd32251c8a4c1"},
};

static void signatures_are_those_of_botocore(void **state)
{
    struct s3 *s3 = *state;
    for (size_t i = 0; i < sizeof botocore / sizeof *botocore; i++) {
        if (botocore[i].token)
            setenv("AWS_SESSION_TOKEN", botocore[i].token, 1);
        struct tap_client *client = client_at_aws(s3, botocore[i].service);
        struct tap_op *op = presign(s3, client, botocore[i].operation,
                                    json_loads(botocore[i].input, 0, NULL), botocore[i].expires_s);
        if (tap_op_error(op))
            fail_msg("%s", tap_op_error(op)->message);
        const char *url = tap_presign_url(op);
        const char *signature = strstr(url, "&X-Amz-Signature=");
        assert_int_equal(strncmp(url, botocore[i].start, strlen(botocore[i].start)), 0);
        assert_non_null(signature);
        assert_string_equal(signature + strlen("&X-Amz-Signature="), botocore[i].signature);
        tap_op_free(op);
        tap_client_free(client);
        unsetenv("AWS_SESSION_TOKEN");
    }
}

static void the_headers_that_must_be_sent_are_told(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *client = client_at_aws(s3, "s3");
    json_t *input = object("k");
    json_object_set_new(input, "ContentType", json_string("text/plain"));
    struct tap_op *op = presign(s3, client, "PutObject", input, 900);
    assert_string_equal(tap_presign_method(op), "PUT");
    assert_int_equal(tap_presign_headers(op)->n, 1);
    assert_string_equal(tap_headers_get(tap_presign_headers(op), "Content-Type"), "text/plain");
    assert_non_null(strstr(tap_presign_url(op), "X-Amz-SignedHeaders=content-type%3Bhost&"));
    tap_op_free(op);
    op = presign(s3, client, "GetObject", object("k"), 900);
    assert_int_equal(tap_presign_headers(op)->n, 0);
    tap_op_free(op);
    tap_client_free(client);
}

static void assert_shown(const char *text, const char *wanted)
{
    char *shown = tap_redact(text);
    assert_string_equal(shown, wanted);
    tap_free(shown);
}

static void the_signature_is_masked_in_what_people_read(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *client = client_at_aws(s3, "s3");
    char *url = url_of(s3, client, "GetObject", object("k"));
    char *shown = tap_redact(url);
    const char *end = strstr(shown, "X-Amz-Signature=");
    assert_non_null(end);
    assert_string_equal(end, "X-Amz-Signature=****");
    json_t *fields = json_pack("{s:[s]}", "urls", url), *masked = tap_redact_json(fields);
    assert_string_equal(json_string_value(json_array_get(json_object_get(masked, "urls"), 0)),
                        shown);
    json_decref(masked);
    json_decref(fields);
    tap_free(shown);
    tap_free(url);
    tap_client_free(client);
    /* those that services hand out, in other places of a text, and what only looks like one */
    assert_shown("X-Amz-Signature=0123456789abcdef&x=1 abcdef0",
                 "X-Amz-Signature=****&x=1 abcdef0");
    assert_shown("/?next=https%3A%2F%2Fh%2F%3FX-Amz-Signature%3D0123456789ABCDEF%26y",
                 "/?next=https%3A%2F%2Fh%2F%3FX-Amz-Signature%3D****%26y");
    assert_shown("X-Amz-Signature=", "X-Amz-Signature=");
    assert_shown("X-Amz-Signature=none, X-Amz-Sig", "X-Amz-Signature=none, X-Amz-Sig");
}

/* ---- what cannot be presigned ---- */

static void assert_refused(struct s3 *s3, const char *service, const char *operation, json_t *input,
                           int64_t expires_s, tap_err code, const char *part)
{
    struct tap_client *client = client_at_aws(s3, service);
    struct tap_op *op = presign(s3, client, operation, input, expires_s);
    const struct tap_error *error = tap_op_error(op);
    assert_non_null(error);
    assert_int_equal(error->code, code);
    assert_string_equal(error->service, service);
    assert_string_equal(error->operation, operation);
    if (!strstr(error->message, part))
        fail_msg("'%s' does not say '%s'", error->message, part);
    tap_op_free(op);
    tap_client_free(client);
}

static void what_does_not_fit_into_an_address_is_refused(void **state)
{
    struct s3 *s3 = *state;
    json_t *input = object("k");
    json_object_set_new(input, "Body", json_string("eA=="));
    assert_refused(s3, "s3", "PutObject", input, 900, TAP_E_USAGE, "Body: whoever has");
    input = object("k");
    json_object_set_new(input, "ChecksumAlgorithm", json_string("SHA256"));
    assert_refused(s3, "s3", "PutObject", input, 900, TAP_E_USAGE,
                   "ChecksumAlgorithm: there is no");
    input =
        json_pack("{s:s, s:{s:[{s:s}]}}", "Bucket", "my-bucket", "Delete", "Objects", "Key", "k");
    assert_refused(s3, "s3", "DeleteObjects", input, 900, TAP_E_UNSUPPORTED, "has a body");
    assert_refused(s3, "dynamodb", "ListTables", NULL, 900, TAP_E_UNSUPPORTED, "has a body");
    input = json_pack("{s:s, s:s, s:s}", "RoleArn", "arn:aws:iam::123456789012:role/r",
                      "RoleSessionName", "me", "WebIdentityToken", "token");
    assert_refused(s3, "sts", "AssumeRoleWithWebIdentity", input, 900, TAP_E_UNSUPPORTED,
                   "without a signature");
}

static void a_url_is_valid_for_a_second_to_a_week(void **state)
{
    static const int64_t wrong[] = {-1, 0, TAP_SIGV4_MAX_EXPIRES + 1, INT64_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused(*state, "s3", "GetObject", object("k"), wrong[i], TAP_E_USAGE, "604800");
}

static void wrong_input_is_refused_at_once(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *client = client_at_aws(s3, "s3");
    struct tap_op *op;
    struct tap_error err;
    json_t *input = json_pack("{s:s}", "Bucket", "my-bucket");
    assert_int_equal(tap_client_presign(&op, client, "GetObject", input, 900, &err), TAP_E_USAGE);
    assert_non_null(strstr(err.message, "Key"));
    assert_int_equal(tap_client_presign(&op, client, "GetObjekt", input, 900, &err), TAP_E_USAGE);
    assert_non_null(strstr(err.message, "GetObject"));
    json_decref(input);
    tap_client_free(client);
}

/* ---- credentials ---- */

static void credentials_are_fetched_first_where_that_is_needed(void **state)
{
    struct s3 *s3 = *state;
    char path[] = "/tmp/tap-presign-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    dprintf(fd, "[default]\ncredential_process = printf '{\"Version\": 1, \"AccessKeyId\": "
                "\"AKIDPROCESS\", \"SecretAccessKey\": \"of-the-process\"}'\n");
    close(fd);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    setenv("AWS_CONFIG_FILE", path, 1);
    struct tap_client *client = client_at_aws(s3, "s3");
    char *url = url_of(s3, client, "GetObject", object("k"));
    assert_non_null(strstr(url, "X-Amz-Credential=AKIDPROCESS%2F"));
    tap_free(url);
    tap_client_free(client);
    unlink(path);
}

static void without_credentials_there_is_no_url(void **state)
{
    struct s3 *s3 = *state;
    struct tap_error err;
    struct tap_op *op;
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    struct tap_client *client = client_at_aws(s3, "s3");
    json_t *input = object("k");
    assert_int_equal(tap_client_presign(&op, client, "GetObject", input, 900, &err),
                     TAP_E_CREDENTIALS);
    json_decref(input);
    tap_client_free(client);
    unsetenv("AWS_EC2_METADATA_DISABLED");
}

static void presigning_can_be_given_up(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *client = client_at_aws(s3, "s3");
    struct tap_op *op;
    json_t *input = object("k");
    assert_int_equal(tap_client_presign(&op, client, "GetObject", input, 900, NULL), TAP_OK);
    json_decref(input);
    tap_client_free(client);
    tap_op_cancel(op); /* that nothing is left is seen by the teardown */
}

/* ---- in other hands ---- */

/* What curl says of the URL: the body, then the status. The caller frees it. */
static char *curl(struct s3 *s3, const char *url, const char *const *more)
{
    const char *argv[24] = {"curl", "-q",           "-sS", "--noproxy",
                            "*",    "--path-as-is", "-w",  "%{http_code}"};
    size_t n = 8;
    for (; more && *more && n < 20; more++)
        argv[n++] = *more;
    argv[n] = url;
    struct tap_op *op = tap_proc_start(s3->loop, &(struct tap_proc_options){.argv = argv});
    s3_finish(s3, op);
    if (tap_op_error(op))
        fail_msg("%s", tap_op_error(op)->message);
    char *said = tap_strdup(tap_buf_text(&tap_proc_result(op)->out));
    tap_op_free(op);
    return said;
}

static void assert_curl(struct s3 *s3, const char *url, const char *const *more, const char *wanted)
{
    char *said = curl(s3, url, more);
    assert_string_equal(said, wanted);
    tap_free(said);
}

static void assert_curl_refused(struct s3 *s3, const char *url, const char *const *more,
                                const char *why)
{
    char *said = curl(s3, url, more);
    if (!strstr(said, why) || !strstr(said, "</Error>403"))
        fail_msg("not refused for '%s': %s", why, said);
    tap_free(said);
}

static void curl_puts_and_gets_by_url_alone(void **state)
{
    static const char key[] = "a b/../\xC3\xBC+?#.txt";
    static const char *const body[] = {"-X",
                                       "PUT",
                                       "--data-binary",
                                       "some bytes",
                                       "-H",
                                       "Content-Type: text/plain",
                                       "-H",
                                       "x-amz-meta-owner: me",
                                       NULL};
    static const char *const head[] = {"-I", "-o", "/dev/null", NULL};
    struct s3 *s3 = *state;
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    json_t *input = object(key);
    json_object_set_new(input, "ContentType", json_string("text/plain"));
    json_object_set_new(input, "Metadata", json_pack("{s:s}", "owner", "me"));
    char *put = url_of(s3, client, "put_object", input);
    assert_curl(s3, put, body, "200");
    json_t *kept = json_object_get(json_object_get(s3->buckets, "my-bucket"), key);
    assert_string_equal(s3_text(json_object_get(kept, "Metadata"), "owner"), "me");

    char *get = url_of(s3, client, "get_object", object(key));
    assert_curl(s3, get, NULL, "some bytes200");
    assert_null(tap_headers_get(&s3->last.headers, "Authorization"));
    char *headed = url_of(s3, client, "head_object", object(key));
    assert_curl(s3, headed, head, "200");
    tap_free(headed);
    tap_free(get);
    tap_free(put);
    tap_client_free(client);
}

static void a_changed_url_is_refused(void **state)
{
    static const char *const put[] = {"-X", "PUT", "--data-binary", "bad", NULL};
    static const char *const typed[] = {
        "-X", "PUT", "--data-binary", "x", "-H", "Content-Type: text/html", NULL};
    struct s3 *s3 = *state;
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    char *url = url_of(s3, client, "get_object", object("key-1"));
    assert_curl_refused(s3, url, put, "SignatureDoesNotMatch");
    *strstr(url, "key-1") = 'K';
    assert_curl_refused(s3, url, NULL, "SignatureDoesNotMatch");
    *strstr(url, "Key-1") = 'k';
    *strstr(url, "Expires=900") = 'X';
    assert_curl_refused(s3, url, NULL, "SignatureDoesNotMatch");
    tap_free(url);

    json_t *input = object("key-1");
    json_object_set_new(input, "ContentType", json_string("text/plain"));
    url = url_of(s3, client, "put_object", input);
    assert_curl_refused(s3, url, typed, "SignatureDoesNotMatch");
    assert_int_equal(json_object_size(json_object_get(s3->buckets, "my-bucket")), 0);
    tap_free(url);
    tap_client_free(client);
}

static void an_expired_url_is_refused(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    char *url = url_of(s3, client, "get_object", object("k"));
    tap_loop_set_time(s3->loop, (S3_NOW + 899) * INT64_C(1000));
    char *said = curl(s3, url, NULL);
    assert_non_null(strstr(said, "NoSuchKey"));
    tap_free(said);
    tap_loop_set_time(s3->loop, (S3_NOW + 905) * INT64_C(1000));
    assert_curl_refused(s3, url, NULL, "Request has expired");
    tap_free(url);
    tap_client_free(client);
}

static int teardown(void **state)
{
    tap_secrets_clear();
    return s3_teardown(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, s3_setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(signatures_are_those_of_botocore),
        TEST(the_headers_that_must_be_sent_are_told),
        TEST(the_signature_is_masked_in_what_people_read),
        TEST(what_does_not_fit_into_an_address_is_refused),
        TEST(a_url_is_valid_for_a_second_to_a_week),
        TEST(wrong_input_is_refused_at_once),
        TEST(credentials_are_fetched_first_where_that_is_needed),
        TEST(without_credentials_there_is_no_url),
        TEST(presigning_can_be_given_up),
        TEST(curl_puts_and_gets_by_url_alone),
        TEST(a_changed_url_is_refused),
        TEST(an_expired_url_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
