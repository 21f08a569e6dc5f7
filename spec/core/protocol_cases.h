/*
 * Runs the AWS protocol tests ($TAP_CONFORMANCE/protocols) of one protocol, each case as a test of
 * its own, named by its id. Include after cmocka.h.
 */
#ifndef TAP_SPEC_PROTOCOL_CASES_H
#define TAP_SPEC_PROTOCOL_CASES_H

#include <math.h>
#include <string.h>

#include "core/cbor.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/protocol.h"
#include "core/text.h"
#include "core/xml.h"
#include "spec/core/conformance.h"

struct protocol_case {
    const struct tap_protocol *protocol;
    const json_t *suite, *data;
};

static inline const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* ---- comparing ---- */

/* 1.0 and 1 are the same number to a service and to a script. */
static inline json_t *with_plain_numbers(const json_t *value)
{
    double real = json_real_value(value);
    if (json_is_real(value) && real == floor(real) && fabs(real) < 0x1p53)
        return json_integer((json_int_t)real);
    if (!json_is_array(value) && !json_is_object(value))
        return json_deep_copy(value);
    json_t *out = json_is_array(value) ? json_array() : json_object();
    for (size_t i = 0; i < json_array_size(value); i++)
        json_array_append_new(out, with_plain_numbers(json_array_get(value, i)));
    for (void *at = json_object_iter((json_t *)value); at;
         at = json_object_iter_next((json_t *)value, at))
        json_object_set_new(out, json_object_iter_key(at),
                            with_plain_numbers(json_object_iter_value(at)));
    return out;
}

static inline void check_same_value(const json_t *got, const json_t *wanted)
{
    json_t *a = with_plain_numbers(got), *b = with_plain_numbers(wanted);
    if (!json_equal(a, b))
        fail_msg("got    %s\nwanted %s", tap_json_print(a), tap_json_print(b));
    json_decref(a);
    json_decref(b);
}

static inline int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "a&b&c" in one order, for parameters. The caller frees it. */
static inline char *sorted_parameters(const char *text)
{
    struct tap_buf out;
    char *parts[200];
    size_t n = 0;
    while (*text) {
        size_t len = strcspn(text, "&");
        assert_true(n < 200);
        parts[n++] = tap_strndup(text, len);
        text += len + (text[len] == '&');
    }
    qsort(parts, n, sizeof *parts, by_text);
    tap_buf_init(&out, 100000);
    for (size_t i = 0; i < n; i++) {
        tap_buf_printf(&out, "%s\n", parts[i]);
        tap_free(parts[i]);
    }
    return tap_buf_take(&out, NULL);
}

static inline void check_same_parameters(const char *got, const char *wanted)
{
    char *a = sorted_parameters(got), *b = sorted_parameters(wanted);
    assert_string_equal(a, b);
    tap_free(a);
    tap_free(b);
}

/* XML with attributes and elements in one order and no blanks between them. The caller frees it. */
static inline char *canonical_xml(const struct tap_xml *xml)
{
    struct tap_buf out;
    char *parts[200];
    size_t n = 0;
    tap_buf_init(&out, 1000000);
    tap_buf_printf(&out, "<%s", xml->name);
    for (size_t i = 0; i < xml->n_attributes; i++)
        parts[n++] = tap_sprintf(" %s=%s", xml->attributes[i].name, xml->attributes[i].value);
    parts[n++] = tap_strdup(">");
    for (size_t i = 0; i < xml->n_children && n < 200; i++)
        parts[n++] = canonical_xml(xml->children[i]);
    if (!xml->n_children)
        parts[n++] = tap_strdup(xml->text);
    qsort(parts, n, sizeof *parts, by_text);
    for (size_t i = 0; i < n; i++) {
        tap_buf_puts(&out, parts[i]);
        tap_free(parts[i]);
    }
    tap_buf_printf(&out, "</%s>", xml->name);
    return tap_buf_take(&out, NULL);
}

static inline void check_same_xml(const char *got, size_t len, const char *wanted)
{
    struct tap_xml *a = NULL, *b = NULL;
    if (tap_xml_parse(&a, got, len, NULL) || tap_xml_parse(&b, wanted, strlen(wanted), NULL))
        fail_msg("got    %s\nwanted %s", got, wanted);
    char *x = canonical_xml(a), *y = canonical_xml(b);
    assert_string_equal(x, y);
    tap_free(x);
    tap_free(y);
    tap_xml_free(a);
    tap_xml_free(b);
}

/* A CBOR body of the data is in base64. */
static inline void put_base64(struct tap_buf *out, const char *text)
{
    size_t n = strlen(text);
    char *padded = tap_sprintf("%s%.*s", text, (int)((4 - n % 4) % 4), "===");
    assert_true(tap_base64_decode(out, padded, strlen(padded)));
    tap_free(padded);
}

static inline void check_same_cbor(const char *got, size_t len, const char *wanted)
{
    struct tap_buf bytes;
    json_t *a = NULL, *b = NULL;
    tap_buf_init(&bytes, 100000);
    put_base64(&bytes, wanted);
    assert_int_equal(len == 0, bytes.len == 0);
    if (len) {
        assert_int_equal(tap_cbor_parse(&a, got, len, NULL), TAP_OK);
        assert_int_equal(tap_cbor_parse(&b, tap_buf_text(&bytes), bytes.len, NULL), TAP_OK);
        check_same_value(a, b);
    }
    json_decref(a);
    json_decref(b);
    tap_buf_fini(&bytes);
}

static inline void check_same_json(const char *got, size_t len, const char *wanted)
{
    json_t *a = NULL, *b = NULL;
    struct tap_error err;
    if (tap_json_parse(&a, got, len, NULL, &err) ||
        tap_json_parse(&b, wanted, strlen(wanted), NULL, &err))
        fail_msg("%s\ngot    %s\nwanted %s", err.message, got, wanted);
    check_same_value(a, b);
    json_decref(a);
    json_decref(b);
}

static inline void check_same_body(const struct tap_request *request, const char *wanted)
{
    static const char token[] = "00000000-0000-4000-8000-000000000000";
    const char *type = tap_headers_get(&request->headers, "Content-Type");
    const char *got = tap_buf_text(&request->body);
    size_t len = request->body.len;
    type = type ? type : "";
    if (strstr(wanted, token)) /* random: any UUID will do */
        assert_int_equal(len, strlen(wanted));
    else if (!*wanted || !len)
        assert_string_equal(got, wanted);
    else if (strstr(type, "json"))
        check_same_json(got, len, wanted);
    else if (strstr(type, "xml"))
        check_same_xml(got, len, wanted);
    else if (strstr(type, "cbor"))
        check_same_cbor(got, len, wanted);
    else if (strstr(type, "urlencoded"))
        check_same_parameters(got, wanted);
    else
        assert_string_equal(got, wanted);
}

/* ---- values ---- */

/* The data writes blobs as their bytes; the value tree holds base64. */
static inline json_t *with_base64(const struct tap_model *model, const json_t *ref,
                                  const json_t *value)
{
    const json_t *shape = tap_model_shape(model, text_of(ref, "shape"));
    const char *type = text_of(shape, "type");
    const json_t *members = json_object_get(shape, "members");
    if (json_is_string(value) && strcmp(type, "blob") == 0) {
        struct tap_buf text;
        tap_buf_init(&text, 1000000);
        tap_base64_encode(&text, json_string_value(value), json_string_length(value));
        json_t *out = json_string(tap_buf_text(&text));
        tap_buf_fini(&text);
        return out;
    }
    if (json_is_true(json_object_get(shape, "document")) ||
        (!json_is_array(value) && !json_is_object(value)))
        return json_deep_copy(value);
    json_t *out = json_is_array(value) ? json_array() : json_object();
    for (size_t i = 0; i < json_array_size(value); i++)
        json_array_append_new(
            out, with_base64(model, json_object_get(shape, "member"), json_array_get(value, i)));
    for (void *at = json_object_iter((json_t *)value); at;
         at = json_object_iter_next((json_t *)value, at)) {
        const char *key = json_object_iter_key(at);
        const json_t *next =
            members ? json_object_get(members, key) : json_object_get(shape, "value");
        json_object_set_new(out, key, with_base64(model, next, json_object_iter_value(at)));
    }
    return out;
}

static inline struct tap_model *case_model(const struct protocol_case *one,
                                           const json_t **operation)
{
    struct tap_model *model = NULL;
    struct tap_error err;
    json_t *given = json_object_get(one->data, "given");
    json_t *json = json_pack(
        "{s:O, s:O, s:{s:O}}", "metadata", json_object_get(one->suite, "metadata"), "shapes",
        json_object_get(one->suite, "shapes"), "operations", text_of(given, "name"), given);
    if (tap_model_from_json(&model, "test", json, &err) ||
        tap_model_operation(operation, model, text_of(given, "name"), &err))
        fail_msg("%s", err.message);
    json_decref(json);
    return model;
}

/* ---- requests ---- */

/* The endpoint is the client's: its path stands before the target, its host after the prefix. */
static inline void check_place(const struct protocol_case *one, const struct tap_request *request,
                               const json_t *operation, const json_t *input)
{
    const json_t *wanted = json_object_get(one->data, "serialized");
    const char *endpoint = text_of(one->suite, "clientEndpoint");
    const char *host = endpoint ? strstr(endpoint, "//") + 2 : "";
    const char *path = strchr(host, '/') ? strchr(host, '/') : "", *uri = text_of(wanted, "uri");
    size_t n = strcspn(request->target, "?"), wanted_n = strcspn(uri, "?");
    struct tap_buf place;
    struct tap_error err;
    tap_buf_init(&place, 1000);
    tap_buf_printf(&place, "%s%.*s", path, (int)n, request->target);
    char *wanted_path = tap_strndup(uri, wanted_n);
    assert_string_equal(tap_buf_text(&place), wanted_path);
    tap_free(wanted_path);
    if (!strstr(uri, "00000000-0000-4000-8000-000000000000"))
        check_same_parameters(request->target + n, uri + wanted_n);
    tap_buf_reset(&place);
    assert_int_equal(tap_host_prefix(&place, operation, input, &err), TAP_OK);
    tap_buf_puts(&place, host);
    if (text_of(wanted, "host"))
        assert_string_equal(tap_buf_text(&place), text_of(wanted, "host"));
    tap_buf_fini(&place);
}

static inline void check_headers(const struct tap_headers *headers, const json_t *wanted)
{
    const char *name;
    json_t *value;
    size_t i;
    json_object_foreach(json_object_get(wanted, "headers"), name, value)
    {
        const char *header = tap_headers_get(headers, name);
        if (!header)
            fail_msg("there is no header %s", name);
        if (strcmp(name, "Content-Type") == 0 && strcmp(json_string_value(value), header) != 0)
            assert_memory_equal(header, json_string_value(value), json_string_length(value));
        else
            assert_string_equal(header, json_string_value(value));
    }
    json_array_foreach(json_object_get(wanted, "forbidHeaders"), i,
                       value) if (tap_headers_get(headers, json_string_value(value)))
        fail_msg("there is a header %s", json_string_value(value));
    json_array_foreach(json_object_get(wanted, "requireHeaders"), i,
                       value) if (strcmp(json_string_value(value), "Content-Length") !=
                                      0 && /* the transport's */
                                  !tap_headers_get(headers, json_string_value(value)))
        fail_msg("there is no header %s", json_string_value(value));
}

static inline void request_case(void **state)
{
    const struct protocol_case *one = *state;
    const json_t *operation = NULL;
    struct tap_model *model = case_model(one, &operation);
    const json_t *ref = json_object_get(operation, "input");
    const json_t *wanted = json_object_get(one->data, "serialized");
    const json_t *params = json_object_get(one->data, "params");
    json_t *given = ref ? with_base64(model, ref, params) : json_object();
    json_t *input = tap_input_with_tokens(model, operation, given);
    struct tap_request request;
    struct tap_error err;
    tap_request_init(&request);
    if (tap_validate_input(model, operation, input, &err) ||
        one->protocol->build_request(&request, model, operation, input, &err))
        fail_msg("%s", err.message);
    assert_string_equal(request.method, text_of(wanted, "method"));
    check_place(one, &request, operation, input);
    if (text_of(wanted, "body"))
        check_same_body(&request, text_of(wanted, "body"));
    check_headers(&request.headers, wanted);
    tap_request_fini(&request);
    json_decref(given);
    json_decref(input);
    tap_model_free(model);
}

/* ---- responses ---- */

static inline void fill_case_response(struct tap_response *response,
                                      const struct protocol_case *one)
{
    const json_t *given = json_object_get(one->data, "response");
    const char *body = text_of(given, "body"), *name;
    json_t *value;
    tap_response_init(response);
    response->status = (int)json_integer_value(json_object_get(given, "status_code"));
    json_object_foreach(json_object_get(given, "headers"), name, value)
        tap_headers_add(&response->headers, name, json_string_value(value));
    if (body && one->protocol == &tap_protocol_rpc_v2_cbor)
        put_base64(&response->body, body);
    else if (body)
        tap_buf_puts(&response->body, body);
}

static inline void check_case_error(const struct protocol_case *one, const struct tap_model *model,
                                    const struct tap_response *response)
{
    struct tap_error err;
    one->protocol->parse_error(&err, model, response);
    assert_int_equal(err.code, TAP_E_SERVICE);
    assert_int_equal(err.http_status, response->status);
    assert_string_equal(err.name, text_of(one->data, "errorCode"));
    if (strstr(tap_buf_text(&response->body), "foo-id"))
        assert_string_equal(err.request_id, "foo-id");
    if (text_of(one->data, "errorMessage"))
        assert_string_equal(err.message, text_of(one->data, "errorMessage"));
}

static inline void response_case(void **state)
{
    const struct protocol_case *one = *state;
    const json_t *operation = NULL;
    struct tap_model *model = case_model(one, &operation);
    const json_t *ref = json_object_get(operation, "output");
    struct tap_response response;
    struct tap_error err;
    fill_case_response(&response, one);
    if (json_object_get(one->data, "errorCode")) {
        check_case_error(one, model, &response);
    } else {
        json_t *output = NULL;
        if (one->protocol->parse_response(&output, model, operation, &response, &err))
            fail_msg("%s", err.message);
        json_t *wanted =
            ref ? with_base64(model, ref, json_object_get(one->data, "result")) : json_object();
        check_same_value(output, wanted);
        json_decref(output);
        json_decref(wanted);
    }
    tap_response_fini(&response);
    tap_model_free(model);
}

/* ---- running ---- */

static inline int run_protocol_cases(const char *direction, const char *name,
                                     CMUnitTestFunction run, const struct tap_protocol *protocol)
{
    char *file = tap_sprintf("protocols/%s/%s.json", direction, name);
    char *path = conformance_path(file), *group = tap_sprintf("%s %s", name, direction);
    json_t *suites = json_load_file(path, 0, NULL);
    struct test_list list = {0};
    struct protocol_case *cases = tap_calloc(1000, sizeof *cases);
    size_t n = 0, i, j;
    json_t *suite, *one;
    if (!suites)
        test_list_add(&list, tap_strdup("conformance_data"), conformance_is_absent, NULL);
    json_array_foreach(suites, i, suite) json_array_foreach(json_object_get(suite, "cases"), j, one)
    {
        const char *id = text_of(one, "id");
        assert_true(n < 1000);
        cases[n] = (struct protocol_case){protocol, suite, one};
        test_list_add(&list, tap_strdup(id), run, &cases[n++]);
    }
    int failed = list.n ? test_list_run(&list, group) : 0;
    tap_free(cases);
    tap_free(file);
    tap_free(path);
    tap_free(group);
    json_decref(suites);
    return failed;
}

/* Runs the cases of input/NAME.json and output/NAME.json; the number of failures. */
static inline int protocol_cases(const char *name, const struct tap_protocol *protocol)
{
    return run_protocol_cases("input", name, request_case, protocol) +
           run_protocol_cases("output", name, response_case, protocol);
}

#endif
