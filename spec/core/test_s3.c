/*
 * S3 as people use it, through the model-driven client, against a small S3 in the same loop that
 * verifies every signature.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "s3_server.h"

#include "core/bucket.h"
#include "core/text.h"

/* ---- calls ---- */

/* A call that must succeed; its output, which the caller owns. `input` is taken. */
static json_t *call(struct s3 *s3, struct tap_client *client, const char *operation, json_t *input)
{
    struct tap_op *op;
    struct tap_error err;
    if (tap_client_call(&op, client, operation, input, &err))
        fail_msg("%s: %s", operation, err.message);
    json_decref(input);
    s3_finish(s3, op);
    if (tap_op_error(op))
        fail_msg("%s: %s", operation, tap_op_error(op)->message);
    json_t *output = json_incref(tap_call_output(op));
    tap_op_free(op);
    return output;
}

static void call_only(struct s3 *s3, struct tap_client *client, const char *operation,
                      json_t *input)
{
    json_decref(call(s3, client, operation, input));
}

/* A call that must fail, in the service. */
static struct tap_error refused(struct s3 *s3, struct tap_client *client, const char *operation,
                                json_t *input)
{
    struct tap_op *op;
    struct tap_error err;
    if (tap_client_call(&op, client, operation, input, &err))
        fail_msg("%s: %s", operation, err.message);
    json_decref(input);
    s3_finish(s3, op);
    assert_non_null(tap_op_error(op));
    err = *tap_op_error(op);
    assert_int_equal(err.code, TAP_E_SERVICE);
    tap_op_free(op);
    return err;
}

static json_t *object(const char *bucket, const char *key)
{
    return json_pack("{s:s, s:s}", "Bucket", bucket, "Key", key);
}

static json_t *object_with(const char *key, const void *body, size_t n)
{
    struct tap_buf text;
    tap_buf_init(&text, TAP_MAX_BODY);
    tap_base64_encode(&text, body, n);
    json_t *input = json_pack("{s:s, s:s, s:s}", "Bucket", "my-bucket", "Key", key, "Body",
                              tap_buf_text(&text));
    tap_buf_fini(&text);
    return input;
}

static void assert_body(const json_t *output, const void *bytes, size_t n)
{
    struct tap_buf body;
    const char *text = json_string_value(json_object_get(output, "Body"));
    tap_buf_init(&body, TAP_MAX_BODY);
    assert_non_null(text);
    assert_true(tap_base64_decode(&body, text, strlen(text)));
    assert_int_equal(body.len, n);
    assert_true(n == 0 || memcmp(body.data, bytes, n) == 0);
    tap_buf_fini(&body);
}

static void round_trip(struct s3 *s3, struct tap_client *client, const char *key, const void *body,
                       size_t n)
{
    call_only(s3, client, "PutObject", object_with(key, body, n));
    json_t *output = call(s3, client, "GetObject", object("my-bucket", key));
    assert_body(output, body, n);
    json_decref(output);
}

/* ---- objects ---- */

static void buckets_and_objects_live_and_end(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    call_only(s3, client, "create_bucket", json_pack("{s:s}", "Bucket", "other"));
    assert_string_equal(s3->last.method, "PUT");
    assert_string_equal(s3->last.target, "/other");
    json_t *output = call(s3, client, "list_buckets", NULL);
    assert_int_equal(json_array_size(json_object_get(output, "Buckets")), 2);
    json_decref(output);
    call_only(s3, client, "head_bucket", json_pack("{s:s}", "Bucket", "other"));

    call_only(s3, client, "put_object", object("other", "k"));
    struct tap_error err =
        refused(s3, client, "delete_bucket", json_pack("{s:s}", "Bucket", "other"));
    assert_string_equal(err.name, "BucketNotEmpty");
    assert_int_equal(err.http_status, 409);
    call_only(s3, client, "delete_object", object("other", "k"));
    call_only(s3, client, "delete_bucket", json_pack("{s:s}", "Bucket", "other"));
    err = refused(s3, client, "head_bucket", json_pack("{s:s}", "Bucket", "other"));
    assert_int_equal(err.http_status, 404);
    tap_client_free(client);
}

static void bytes_come_back_as_they_were(void **state)
{
    enum { LARGE = 3 * 1024 * 1024 };
    struct s3 *s3 = *state;
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    unsigned char every[256], *large = tap_alloc(LARGE);
    for (size_t i = 0; i < sizeof every; i++)
        every[i] = (unsigned char)i;
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (unsigned char)(i * i >> 3);
    round_trip(s3, client, "every", every, sizeof every);
    round_trip(s3, client, "large", large, LARGE);
    round_trip(s3, client, "empty", "", 0);
    assert_non_null(tap_headers_get(&s3->last.headers, "x-amz-content-sha256"));
    tap_free(large);
    tap_client_free(client);
}

/* A body that is left out is one without bytes. */
static void an_object_without_a_body_is_empty(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    call_only(s3, client, "put_object", object("my-bucket", "nothing"));
    json_t *output = call(s3, client, "get_object", object("my-bucket", "nothing"));
    assert_body(output, "", 0);
    json_decref(output);
    tap_client_free(client);
}

static const char *const keys[] = {
    "plain.txt",     "with a blank",
    "a/b//c",        "/leading",
    "trailing/",     "..",
    "a/../b",        "./x",
    "1+1=2",         "100%",
    "%2F",           "q?x=1&y#z",
    "*~'()!;:@$,[]", "\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80",
    "a\\b",          "<&>\"",
};

static void keys_of_any_characters_are_found_again(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *path = s3_client(s3, "127.0.0.1", NULL);
    struct tap_client *host =
        s3_client(s3, "localhost", json_pack("{s:b}", "ForcePathStyle", false));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        round_trip(s3, path, keys[i], keys[i], strlen(keys[i]));
        json_t *output = call(s3, host, "GetObject", object("my-bucket", keys[i]));
        assert_body(output, keys[i], strlen(keys[i]));
        json_decref(output);
    }
    json_t *kept = json_object_get(s3->buckets, "my-bucket");
    assert_int_equal(json_object_size(kept), sizeof keys / sizeof *keys);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!json_object_get(kept, keys[i]))
            fail_msg("the key '%s' was written as another one", keys[i]);
    round_trip(s3, path, "a b/../\xC3\xBC+", "x", 1);
    assert_string_equal(s3->last.target, "/my-bucket/a%20b/../%C3%BC%2B");
    tap_client_free(host);
    tap_client_free(path);
}

static void an_object_keeps_its_type_and_metadata(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    json_t *input = object_with("page", "<p>", 3);
    json_object_set_new(input, "ContentType", json_string("text/html"));
    json_object_set_new(input, "Metadata", json_pack("{s:s, s:s}", "owner", "me", "a-b", "c  d"));
    call_only(s3, client, "put_object", input);
    assert_string_equal(tap_headers_get(&s3->last.headers, "x-amz-meta-owner"), "me");
    json_t *output = call(s3, client, "head_object", object("my-bucket", "page"));
    assert_string_equal(s3_text(output, "ContentType"), "text/html");
    assert_string_equal(s3_text(json_object_get(output, "Metadata"), "owner"), "me");
    assert_string_equal(s3_text(json_object_get(output, "Metadata"), "a-b"), "c  d");
    assert_string_equal(s3_text(output, "ETag"), "\"etag-1\"");
    json_decref(output);
    tap_client_free(client);
}

static void a_listing_goes_on_where_it_ended(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    static const char *const wanted[] = {"a/1", "a/2 &", "a/3+", "a/4", "a/5"};
    for (size_t i = 0; i < 5; i++)
        call_only(s3, client, "put_object", object("my-bucket", wanted[i]));
    call_only(s3, client, "put_object", object("my-bucket", "b"));
    json_t *input =
        json_pack("{s:s, s:s, s:i}", "Bucket", "my-bucket", "Prefix", "a/", "MaxKeys", 2);
    size_t found = 0, pages = 0;
    for (bool more = true; more; pages++) {
        json_t *output = call(s3, client, "list_objects_v2", json_deep_copy(input)), *item;
        size_t i;
        json_array_foreach(json_object_get(output, "Contents"), i, item)
            assert_string_equal(s3_text(item, "Key"), wanted[found++]);
        more = json_is_true(json_object_get(output, "IsTruncated"));
        json_object_set(input, "ContinuationToken",
                        json_object_get(output, "NextContinuationToken"));
        json_decref(output);
    }
    assert_int_equal(found, 5);
    assert_int_equal(pages, 3);
    json_decref(input);
    tap_client_free(client);
}

/* ---- refusals ---- */

static void what_is_not_there_is_said_so_with_and_without_a_body(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    struct tap_error err = refused(s3, client, "get_object", object("my-bucket", "missing"));
    assert_string_equal(err.name, "NoSuchKey");
    assert_int_equal(err.http_status, 404);
    assert_string_equal(err.operation, "GetObject");
    assert_string_equal(err.request_id, "r-2");
    err = refused(s3, client, "head_object", object("my-bucket", "missing"));
    assert_string_equal(err.name, "HTTP404");
    assert_non_null(strstr(err.message, "not found"));
    assert_string_equal(err.request_id, "r-2");
    err = refused(s3, client, "get_object", object("no-bucket", "missing"));
    assert_string_equal(err.name, "NoSuchBucket");
    tap_client_free(client);
}

static void a_condition_that_does_not_hold_is_an_error(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    call_only(s3, client, "put_object", object("my-bucket", "k"));
    json_t *input = object("my-bucket", "k");
    json_object_set_new(input, "IfMatch", json_string("\"old\""));
    struct tap_error err = refused(s3, client, "put_object", input);
    assert_string_equal(err.name, "PreconditionFailed");
    assert_int_equal(err.http_status, 412);
    assert_false(err.retryable);
    input = object("my-bucket", "k");
    json_object_set_new(input, "IfMatch", json_string("\"etag-1\""));
    call_only(s3, client, "put_object", input);
    tap_client_free(client);
}

/* ---- where buckets are ---- */

static void a_bucket_stands_before_the_host_or_in_the_path(void **state)
{
    struct s3 *s3 = *state;
    char host[64];
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    call_only(s3, client, "put_object", object("my-bucket", "k"));
    assert_string_equal(s3->last.target, "/my-bucket/k");
    tap_client_free(client);

    client = s3_client(s3, "localhost", json_pack("{s:b}", "ForcePathStyle", false));
    call_only(s3, client, "get_object", object("my-bucket", "k"));
    assert_string_equal(s3->last.target, "/k");
    snprintf(host, sizeof host, "my-bucket.localhost:%d", tap_server_port(s3->server));
    assert_string_equal(tap_headers_get(&s3->last.headers, "Host"), host);
    tap_client_free(client);
}

static void at_aws_the_rules_place_the_bucket(void **state)
{
    static const struct {
        const char *bucket;
        bool force_path;
        const char *host, *target;
    } cases[] = {
        {"my-bucket", false, "my-bucket.s3.eu-west-1.amazonaws.com", "/k"},
        {"my-bucket", true, "s3.eu-west-1.amazonaws.com", "/my-bucket/k"},
        {"dots.in.it", false, "s3.eu-west-1.amazonaws.com", "/dots.in.it/k"},
    };
    struct s3 *s3 = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *context = json_pack("{s:b}", "ForcePathStyle", cases[i].force_path);
        struct tap_client_options options = {.context = context};
        struct tap_client *client;
        struct tap_op *op = NULL;
        struct tap_error err;
        json_t *input = object(cases[i].bucket, "k");
        if (tap_client_new(&client, s3->loop, "s3", &options, &err) ||
            tap_client_prepare(&op, client, "GetObject", input, &err))
            fail_msg("%s", err.message);
        assert_ptr_equal(tap_loop_next(s3->loop, 1000), op);
        assert_string_equal(tap_call_request(op)->host, cases[i].host);
        assert_string_equal(tap_call_request(op)->target, cases[i].target);
        tap_op_free(op);
        tap_client_free(client);
        json_decref(input);
        json_decref(context);
    }
}

static void a_bucket_in_another_region_is_asked_for_there(void **state)
{
    struct s3 *s3 = *state;
    char *log_text;
    size_t log_len;
    FILE *stream = open_memstream(&log_text, &log_len);
    struct tap_log_options options = {.stream = stream, .level = TAP_LOG_INFO};
    assert_int_equal(tap_log_open(&s3->log, &options, NULL), TAP_OK);
    json_object_set_new(s3->regions, "my-bucket", json_string("us-west-2"));
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    round_trip(s3, client, "k", "bytes", 5);
    assert_int_equal(s3->requests, 3); /* one was referred, the second call knew */
    tap_client_free(client);
    tap_log_close(s3->log);
    s3->log = NULL;
    fclose(stream);
    const char *line = strstr(log_text, "the bucket is in another region");
    assert_non_null(line);
    assert_non_null(strstr(log_text, "\"region\":\"us-west-2\""));
    assert_null(strstr(line + 1, "the bucket is in another region"));
    assert_null(strstr(log_text, "my-bucket"));
    free(log_text);

    client = s3_client(s3, "127.0.0.1", NULL); /* without a body to read the reason from */
    call_only(s3, client, "head_object", object("my-bucket", "k"));
    assert_int_equal(s3->requests, 5);
    assert_non_null(strstr(tap_headers_get(&s3->last.headers, "Authorization"), "/us-west-2/s3/"));
    tap_client_free(client);
}

/* What follows after a referral, at addresses that only AWS answers. */
static void a_host_at_aws_follows_the_bucket(void **state)
{
    struct s3 *s3 = *state;
    struct tap_client *client;
    struct tap_endpoint endpoint;
    struct tap_request request;
    struct tap_op *op;
    const json_t *operation;
    json_t *input = object("my-bucket", "k");
    assert_int_equal(tap_client_new(&client, s3->loop, "s3", NULL, NULL), TAP_OK);
    assert_int_equal(tap_model_operation(&operation, s3->model, "GetObject", NULL), TAP_OK);
    assert_int_equal(tap_bucket_endpoint(&endpoint, client, operation, input, NULL), TAP_OK);
    tap_request_init(&request);
    json_t *place = tap_bucket_place(client, operation, input);
    assert_true(tap_bucket_follow(client, place, "us-west-2", operation, &endpoint, &request));
    assert_string_equal(request.host, "my-bucket.s3.us-west-2.amazonaws.com");
    assert_string_equal(endpoint.signing_region, "us-west-2");

    assert_int_equal(tap_client_prepare(&op, client, "GetObject", input, NULL), TAP_OK);
    assert_ptr_equal(tap_loop_next(s3->loop, 1000), op);
    assert_string_equal(tap_call_request(op)->host, "my-bucket.s3.us-west-2.amazonaws.com");
    tap_op_free(op);
    json_decref(place);
    json_decref(input);
    tap_request_fini(&request);
    tap_endpoint_fini(&endpoint);
    tap_client_free(client);
}

static void a_bucket_that_is_nowhere_ends_with_one_error(void **state)
{
    struct s3 *s3 = *state;
    json_object_set_new(s3->regions, "my-bucket", json_string(S3_LOST));
    struct tap_client *client = s3_client(s3, "127.0.0.1", NULL);
    struct tap_error err = refused(s3, client, "get_object", object("my-bucket", "k"));
    assert_string_equal(err.name, "AuthorizationHeaderMalformed");
    assert_non_null(strstr(err.message, "us-east-2"));
    assert_non_null(strstr(err.message, "us-west-2"));
    assert_int_equal(s3->requests, 2);

    json_object_set_new(s3->regions, "my-bucket", json_string("evil.example/"));
    err = refused(s3, client, "get_object", object("my-bucket", "k"));
    assert_int_equal(s3->requests, 3);
    tap_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(buckets_and_objects_live_and_end, s3_setup, s3_teardown),
        cmocka_unit_test_setup_teardown(bytes_come_back_as_they_were, s3_setup, s3_teardown),
        cmocka_unit_test_setup_teardown(an_object_without_a_body_is_empty, s3_setup, s3_teardown),
        cmocka_unit_test_setup_teardown(keys_of_any_characters_are_found_again, s3_setup,
                                        s3_teardown),
        cmocka_unit_test_setup_teardown(an_object_keeps_its_type_and_metadata, s3_setup,
                                        s3_teardown),
        cmocka_unit_test_setup_teardown(a_listing_goes_on_where_it_ended, s3_setup, s3_teardown),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_said_so_with_and_without_a_body,
                                        s3_setup, s3_teardown),
        cmocka_unit_test_setup_teardown(a_condition_that_does_not_hold_is_an_error, s3_setup,
                                        s3_teardown),
        cmocka_unit_test_setup_teardown(a_bucket_stands_before_the_host_or_in_the_path, s3_setup,
                                        s3_teardown),
        cmocka_unit_test_setup_teardown(at_aws_the_rules_place_the_bucket, s3_setup, s3_teardown),
        cmocka_unit_test_setup_teardown(a_bucket_in_another_region_is_asked_for_there, s3_setup,
                                        s3_teardown),
        cmocka_unit_test_setup_teardown(a_host_at_aws_follows_the_bucket, s3_setup, s3_teardown),
        cmocka_unit_test_setup_teardown(a_bucket_that_is_nowhere_ends_with_one_error, s3_setup,
                                        s3_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
