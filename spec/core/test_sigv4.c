/*
 * Signing against the vectors that AWS publishes for its own signers: every case in the header and
 * in the query form, every stage compared; and what a caller of tap_sigv4_sign can rely on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/sigv4.h"
#include "core/timestamp.h"

enum { MAX_TESTS = 256, MAX_FILE = 1 << 20 };

/* ---- reading the vectors ---- */

struct vector {
    char *folder; /* of the case */
    struct tap_request request;
    struct tap_credentials credentials;
    json_t *context;
    struct tap_signing signing;
};

static char vectors[1024]; /* the folder of all cases */

static char *read_file(const char *folder, const char *form, const char *name)
{
    char *path = tap_sprintf("%s/%s%s", folder, form, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot read %s", path);
    char *text = tap_alloc(MAX_FILE);
    size_t n = fread(text, 1, MAX_FILE - 1, file);
    fclose(file);
    tap_free(path);
    while (n > 0 && text[n - 1] == '\n' && strcmp(name, "request.txt") != 0 &&
           strcmp(name, "signed-request.txt") != 0)
        text[--n] = '\0';
    return text;
}

/* One line without its end; NULL after the last. Moves *at. */
static char *next_line(char **at)
{
    char *line = *at;
    if (!*line)
        return NULL;
    char *end = strchr(line, '\n');
    *at = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

/* "GET /a b HTTP/1.1", "Name:value" (a line that starts with a blank goes on with the value before
 * it), an empty line, the body. */
static void parse_request(struct tap_request *out, char *text)
{
    tap_request_init(out);
    char *line = next_line(&text);
    char *target = strchr(line, ' ') + 1, *version = strrchr(line, ' ');
    target[-1] = *version = '\0';
    tap_set(&out->method, line);
    tap_set(&out->target, target);
    while ((line = next_line(&text)) && *line) {
        if (*line == ' ') {
            struct tap_header *last = &out->headers.items[out->headers.n - 1];
            char *value = tap_sprintf("%s\n%s", last->value, line);
            tap_set(&last->value, value);
            tap_free(value);
            continue;
        }
        char *colon = strchr(line, ':');
        *colon = '\0';
        tap_headers_add(&out->headers, line, colon + 1);
    }
    tap_buf_puts(&out->body, text);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void vector_open(struct vector *vector, const char *name, enum tap_sign_form form)
{
    memset(vector, 0, sizeof *vector);
    vector->folder = tap_sprintf("%s/%s", vectors, name);
    char *text = read_file(vector->folder, "", "context.json");
    vector->context = json_loads(text, 0, NULL);
    assert_non_null(vector->context);
    tap_free(text);
    text = read_file(vector->folder, "", "request.txt");
    parse_request(&vector->request, text);
    tap_free(text);

    const json_t *context = vector->context, *keys = json_object_get(context, "credentials");
    tap_credentials_set(&vector->credentials, text_of(keys, "access_key_id"),
                        text_of(keys, "secret_access_key"), text_of(keys, "token"));
    double time = 0;
    assert_true(tap_time_parse(&time, text_of(context, "timestamp")));
    vector->signing = (struct tap_signing){
        .credentials = &vector->credentials,
        .region = text_of(context, "region"),
        .service = text_of(context, "service"),
        .time = (int64_t)time,
        .form = form,
        .expires = json_integer_value(json_object_get(context, "expiration_in_seconds")),
        .double_encode_path = true,
        .normalize_path = json_is_true(json_object_get(context, "normalize")),
        .sign_body_header = json_is_true(json_object_get(context, "sign_body")),
        .omit_session_token = json_is_true(json_object_get(context, "omit_session_token")),
    };
}

static void vector_close(struct vector *vector)
{
    json_decref(vector->context);
    tap_request_fini(&vector->request);
    tap_credentials_fini(&vector->credentials);
    tap_free(vector->folder);
}

/* ---- comparing the stages ---- */

static void assert_stage(const struct vector *vector, const char *form, const char *name,
                         const char *got)
{
    char *expected = read_file(vector->folder, form, name);
    assert_string_equal(got, expected);
    tap_free(expected);
}

static void assert_signed_request(const struct vector *vector, const char *form)
{
    char *text = read_file(vector->folder, form, "signed-request.txt");
    struct tap_request expected;
    parse_request(&expected, text);
    tap_free(text);
    const struct tap_request *got = &vector->request;
    assert_string_equal(got->method, expected.method);
    assert_string_equal(got->target, expected.target);
    assert_string_equal(tap_buf_text(&got->body), tap_buf_text(&expected.body));
    assert_int_equal(got->headers.n, expected.headers.n);
    for (size_t i = 0; i < expected.headers.n; i++) {
        assert_string_equal(got->headers.items[i].name, expected.headers.items[i].name);
        assert_string_equal(got->headers.items[i].value, expected.headers.items[i].value);
    }
    tap_request_fini(&expected);
}

static void check_vector(const char *name, enum tap_sign_form sign_form)
{
    const char *form = sign_form == TAP_SIGN_HEADERS ? "header-" : "query-";
    struct vector vector;
    vector_open(&vector, name, sign_form);
    struct tap_error err;
    assert_int_equal(tap_sigv4_sign(&vector.request, &vector.signing, &err), TAP_OK);

    struct tap_buf canonical, to_sign;
    char signature[65];
    tap_buf_init(&canonical, MAX_FILE);
    tap_buf_init(&to_sign, MAX_FILE);
    tap_sigv4_canonical_request(&canonical, &vector.request, &vector.signing);
    assert_stage(&vector, form, "canonical-request.txt", tap_buf_text(&canonical));
    tap_sigv4_string_to_sign(&to_sign, tap_buf_text(&canonical), &vector.signing);
    assert_stage(&vector, form, "string-to-sign.txt", tap_buf_text(&to_sign));
    tap_sigv4_signature(signature, tap_buf_text(&to_sign), &vector.signing);
    assert_stage(&vector, form, "signature.txt", signature);
    assert_signed_request(&vector, form);
    tap_buf_fini(&canonical);
    tap_buf_fini(&to_sign);
    vector_close(&vector);
}

static void header_form(void **state)
{
    check_vector(*state, TAP_SIGN_HEADERS);
}

static void query_form(void **state)
{
    check_vector(*state, TAP_SIGN_QUERY);
}

static void vectors_are_absent(void **state)
{
    (void)state;
    print_message("skipped: the signing vectors are not at %s (set TAP_CONFORMANCE)\n", vectors);
    skip();
}

/* ---- what a caller can rely on ---- */

/* Arrays, as the struct's fields are not const: it usually owns them. */
static char key_id[] = "AKIDEXAMPLE", secret[] = "secret", secret_2[] = "secret2";
static char token[] = "token-1", bad_token[] = "hush\r\nX-Evil: 1";
static const struct tap_credentials keys = {.access_key = key_id, .secret_key = secret};

static struct tap_signing signing_of(enum tap_sign_form form)
{
    return (struct tap_signing){
        .credentials = &keys,
        .region = "eu-central-1",
        .service = "cloudformation",
        .time = 1767225600, /* 2026-01-01T00:00:00Z */
        .form = form,
        .expires = 60,
        .double_encode_path = true,
        .normalize_path = true,
    };
}

static void request_open(struct tap_request *request, const char *target, const char *body)
{
    tap_request_init(request);
    tap_set(&request->method, "POST");
    tap_set(&request->host, "127.0.0.1:4566");
    tap_set(&request->target, target);
    tap_buf_puts(&request->body, body);
}

static size_t count(const struct tap_headers *headers, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < headers->n; i++)
        n += strcmp(headers->items[i].name, name) == 0;
    return n;
}

static void host_is_signed_and_sent_even_when_the_request_had_none(void **state)
{
    (void)state;
    struct tap_request request;
    request_open(&request, "/", "");
    struct tap_signing signing = signing_of(TAP_SIGN_HEADERS);
    assert_int_equal(tap_sigv4_sign(&request, &signing, NULL), TAP_OK);
    assert_string_equal(tap_headers_get(&request.headers, "host"), "127.0.0.1:4566");
    assert_non_null(
        strstr(tap_headers_get(&request.headers, "Authorization"), "SignedHeaders=host;"));
    tap_request_fini(&request);
}

static void signing_again_in_the_headers_replaces_the_old_signature(void **state)
{
    (void)state;
    struct tap_credentials temporary = keys;
    temporary.session_token = token;
    struct tap_request request, fresh;
    struct tap_signing signing = signing_of(TAP_SIGN_HEADERS);
    request_open(&request, "/?a=b", "x");
    signing.credentials = &temporary;
    assert_int_equal(tap_sigv4_sign(&request, &signing, NULL), TAP_OK);

    request_open(&fresh, "/?a=b", "x");
    signing.credentials = &keys; /* refreshed; without a token this time */
    signing.time += 3600;
    assert_int_equal(tap_sigv4_sign(&request, &signing, NULL), TAP_OK);
    assert_int_equal(tap_sigv4_sign(&fresh, &signing, NULL), TAP_OK);
    assert_int_equal(count(&request.headers, "Authorization"), 1);
    assert_int_equal(count(&request.headers, "X-Amz-Date"), 1);
    assert_int_equal(count(&request.headers, "X-Amz-Security-Token"), 0);
    assert_string_equal(tap_headers_get(&request.headers, "Authorization"),
                        tap_headers_get(&fresh.headers, "Authorization"));
    tap_request_fini(&request);
    tap_request_fini(&fresh);
}

static void signing_again_in_the_query_replaces_the_old_signature(void **state)
{
    (void)state;
    struct tap_request request, fresh;
    struct tap_signing signing = signing_of(TAP_SIGN_QUERY);
    request_open(&request, "/path?a=b&X-Amz-Thing=1", "");
    request_open(&fresh, "/path?a=b&X-Amz-Thing=1", "");
    assert_int_equal(tap_sigv4_sign(&request, &signing, NULL), TAP_OK);
    signing.time += 3600;
    assert_int_equal(tap_sigv4_sign(&request, &signing, NULL), TAP_OK);
    assert_int_equal(tap_sigv4_sign(&fresh, &signing, NULL), TAP_OK);
    assert_string_equal(request.target, fresh.target);
    tap_request_fini(&request);
    tap_request_fini(&fresh);
}

static void headers_that_travel_badly_are_not_signed(void **state)
{
    (void)state;
    struct tap_request request;
    request_open(&request, "/", "");
    tap_headers_add(&request.headers, "User-Agent", "tapengine");
    tap_headers_add(&request.headers, "X-Amzn-Trace-Id", "Root=1");
    tap_headers_add(&request.headers, "Expect", "100-continue");
    tap_headers_add(&request.headers, "Content-Type", "text/plain");
    struct tap_signing signing = signing_of(TAP_SIGN_HEADERS);
    struct tap_buf names;
    tap_buf_init(&names, 1024);
    assert_int_equal(tap_sigv4_sign(&request, &signing, NULL), TAP_OK);
    tap_sigv4_signed_headers(&names, &request, &signing);
    assert_string_equal(tap_buf_text(&names), "content-type;host;x-amz-date");
    tap_buf_fini(&names);
    tap_request_fini(&request);
}

static char *canonical_path(const char *target, bool s3)
{
    struct tap_request request;
    request_open(&request, target, "");
    struct tap_signing signing = signing_of(TAP_SIGN_HEADERS);
    signing.double_encode_path = signing.normalize_path = !s3;
    struct tap_buf canonical;
    tap_buf_init(&canonical, MAX_FILE);
    tap_sigv4_canonical_request(&canonical, &request, &signing);
    const char *path = tap_buf_text(&canonical) + strlen("POST\n");
    char *copy = tap_strndup(path, strcspn(path, "\n"));
    tap_buf_fini(&canonical);
    tap_request_fini(&request);
    return copy;
}

static void paths_are_normal_and_encoded_twice_but_as_they_are_for_s3(void **state)
{
    (void)state;
    static const struct {
        const char *target, *other, *s3;
    } cases[] = {
        {"", "/", "/"},
        {"?a=b", "/", "/"},
        {"/a%20b", "/a%2520b", "/a%20b"},
        {"/a//b/./c/../d/", "/a/b/d/", "/a//b/./c/../d/"},
        {"/../../a", "/a", "/../../a"},
        {"/a/..", "/", "/a/.."},
        {"/arn:aws:x", "/arn%3Aaws%3Ax", "/arn:aws:x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *other = canonical_path(cases[i].target, false);
        char *s3 = canonical_path(cases[i].target, true);
        assert_string_equal(other, cases[i].other);
        assert_string_equal(s3, cases[i].s3);
        tap_free(other);
        tap_free(s3);
    }
}

static void an_unsigned_payload_says_so_in_its_header(void **state)
{
    (void)state;
    struct tap_request request;
    request_open(&request, "/bucket/key", "body");
    struct tap_signing signing = signing_of(TAP_SIGN_HEADERS);
    signing.sign_body_header = signing.unsigned_payload = true;
    assert_int_equal(tap_sigv4_sign(&request, &signing, NULL), TAP_OK);
    assert_string_equal(tap_headers_get(&request.headers, "x-amz-content-sha256"),
                        "UNSIGNED-PAYLOAD");
    tap_request_fini(&request);
}

static void keys_with_a_line_break_are_refused_without_repeating_them(void **state)
{
    (void)state;
    struct tap_credentials bad = keys;
    bad.session_token = bad_token;
    struct tap_request request;
    request_open(&request, "/", "");
    struct tap_signing signing = signing_of(TAP_SIGN_HEADERS);
    signing.credentials = &bad;
    struct tap_error err;
    assert_int_equal(tap_sigv4_sign(&request, &signing, &err), TAP_E_CREDENTIALS);
    assert_null(strstr(err.message, "hush"));
    assert_null(tap_headers_get(&request.headers, "X-Amz-Security-Token"));
    bad = (struct tap_credentials){.access_key = key_id};
    assert_int_equal(tap_sigv4_sign(&request, &signing, &err), TAP_E_CREDENTIALS);
    assert_string_equal(err.name, "NoCredentials");
    tap_request_fini(&request);
}

static void a_presigned_request_is_valid_for_a_second_to_a_week(void **state)
{
    (void)state;
    static const int64_t wrong[] = {-1, 0, TAP_SIGV4_MAX_EXPIRES + 1};
    struct tap_request request;
    request_open(&request, "/", "");
    struct tap_signing signing = signing_of(TAP_SIGN_QUERY);
    struct tap_error err;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        signing.expires = wrong[i];
        assert_int_equal(tap_sigv4_sign(&request, &signing, &err), TAP_E_USAGE);
    }
    signing.expires = TAP_SIGV4_MAX_EXPIRES;
    assert_int_equal(tap_sigv4_sign(&request, &signing, &err), TAP_OK);
    tap_request_fini(&request);
}

static void a_request_too_large_to_sign_is_an_error(void **state)
{
    (void)state;
    static const enum tap_sign_form forms[] = {TAP_SIGN_HEADERS, TAP_SIGN_QUERY};
    char *target = tap_alloc(TAP_MAX_CANONICAL + 2);
    memset(target, 'a', TAP_MAX_CANONICAL + 1);
    target[0] = '/';
    for (size_t i = 0; i < 2; i++) {
        struct tap_request request;
        request_open(&request, target, "");
        struct tap_signing signing = signing_of(forms[i]);
        struct tap_error err;
        assert_int_equal(tap_sigv4_sign(&request, &signing, &err), TAP_E_LIMIT);
        tap_request_fini(&request);
    }
    tap_free(target);
}

static void many_keys_days_and_regions_do_not_mix_up(void **state)
{
    (void)state;
    static const char *const regions[] = {"eu-central-1", "eu-west-1", "us-east-1"};
    struct tap_signing signing = signing_of(TAP_SIGN_HEADERS);
    char first[60][65], again[65];
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < 60; i++) { /* more than are remembered */
            signing.region = regions[i % 3];
            signing.time = 1767225600 + (int64_t)(i / 3) * 86400;
            tap_sigv4_signature(round ? again : first[i], "text", &signing);
            if (round)
                assert_string_equal(again, first[i]);
        }
    for (size_t i = 1; i < 60; i++)
        assert_string_not_equal(first[i], first[i - 1]);
    struct tap_credentials other = {.access_key = key_id, .secret_key = secret_2};
    signing.credentials = &other;
    tap_sigv4_signature(again, "text", &signing);
    assert_string_not_equal(again, first[59]);
}

/* ---- the list of tests ---- */

static struct CMUnitTest tests[MAX_TESTS] = {
    cmocka_unit_test(host_is_signed_and_sent_even_when_the_request_had_none),
    cmocka_unit_test(signing_again_in_the_headers_replaces_the_old_signature),
    cmocka_unit_test(signing_again_in_the_query_replaces_the_old_signature),
    cmocka_unit_test(headers_that_travel_badly_are_not_signed),
    cmocka_unit_test(paths_are_normal_and_encoded_twice_but_as_they_are_for_s3),
    cmocka_unit_test(an_unsigned_payload_says_so_in_its_header),
    cmocka_unit_test(keys_with_a_line_break_are_refused_without_repeating_them),
    cmocka_unit_test(a_presigned_request_is_valid_for_a_second_to_a_week),
    cmocka_unit_test(a_request_too_large_to_sign_is_an_error),
    cmocka_unit_test(many_keys_days_and_regions_do_not_mix_up),
};

/* A test under a name of its own; both are owned by the list. False when it is full. */
static bool add_test(size_t *n, CMUnitTestFunction run, const char *what, char *vector)
{
    if (*n == MAX_TESTS)
        return false;
    tests[*n] = (struct CMUnitTest){.name = tap_sprintf("%s%s", vector ? vector : "", what),
                                    .test_func = run,
                                    .initial_state = vector};
    (*n)++;
    return true;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(void)
{
    size_t written = 0; /* the tests above */
    while (tests[written].test_func)
        written++;
    size_t n = written;
    const char *root = getenv("TAP_CONFORMANCE");
    snprintf(vectors, sizeof vectors, "%s/sigv4", root ? root : "../shared/conformance");
    struct dirent **cases = NULL;
    int found = scandir(vectors, &cases, visible, alphasort);
    bool room = true;
    if (found < 0)
        room = add_test(&n, vectors_are_absent, "the signing vectors", NULL);
    for (int i = 0; i < found; i++)
        room = room && add_test(&n, header_form, " in the header form", cases[i]->d_name) &&
               add_test(&n, query_form, " in the query form", cases[i]->d_name);

    int failed = room ? _cmocka_run_group_tests("sigv4", tests, n, NULL, NULL) : 1;
    if (!room)
        fprintf(stderr, "%d cases are more than this program has room for\n", found);
    for (size_t i = written; i < n; i++)
        free((char *)tests[i].name);
    for (int i = 0; i < found; i++)
        free(cases[i]);
    free(cases);
    return failed;
}
