/*
 * For tests of a protocol by calls of real services: a request built, an answer read, a request
 * served, by the services' own models. Include after cmocka.h.
 */
#ifndef TAP_SPEC_PROTOCOL_CALLS_H
#define TAP_SPEC_PROTOCOL_CALLS_H

#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/protocol.h"

struct spoken {
    const struct tap_model *model;
    const struct tap_protocol *protocol;
    const json_t *operation; /* NULL when none was asked for */
};

static inline struct spoken speak(const char *service, const char *operation)
{
    struct spoken spoken = {0};
    struct tap_error err;
    if (tap_model_load(&spoken.model, service, &err) ||
        tap_protocol_of(&spoken.protocol, spoken.model, &err) ||
        (operation && tap_model_operation(&spoken.operation, spoken.model, operation, &err)))
        fail_msg("%s", err.message);
    return spoken;
}

static inline json_t *value_of(const char *text)
{
    struct tap_error err;
    json_t *value = NULL;
    if (tap_json_parse(&value, text, strlen(text), NULL, &err))
        fail_msg("%s: %s", text, err.message);
    return value;
}

/* Takes both references. */
static inline void check_value(json_t *got, json_t *wanted)
{
    if (!json_equal(got, wanted))
        fail_msg("got    %s\nwanted %s", tap_json_print(got), tap_json_print(wanted));
    json_decref(got);
    json_decref(wanted);
}

static inline tap_err try_send(struct tap_request *out, const char *service, const char *operation,
                               const char *input, struct tap_error *err)
{
    struct spoken spoken = speak(service, operation);
    json_t *value = value_of(input);
    tap_request_init(out);
    tap_err code = spoken.protocol->build_request(out, spoken.model, spoken.operation, value, err);
    json_decref(value);
    return code;
}

/* The caller finishes *out. */
static inline void send_request(struct tap_request *out, const char *service, const char *operation,
                                const char *input)
{
    struct tap_error err;
    if (try_send(out, service, operation, input, &err))
        fail_msg("%s", err.message);
}

/* Building fails, and the message has that text. */
static inline void check_refused(const char *service, const char *operation, const char *input,
                                 tap_err code, const char *says)
{
    struct tap_request request;
    struct tap_error err;
    assert_int_equal(try_send(&request, service, operation, input, &err), code);
    if (!strstr(err.message, says))
        fail_msg("%s", err.message);
    tap_request_fini(&request);
}

/* `header` is "Name: value" or NULL. */
static inline void fill_answer(struct tap_response *out, int status, const char *header,
                               const char *body)
{
    tap_response_init(out);
    out->status = status;
    tap_buf_puts(&out->body, body);
    const char *colon = header ? strstr(header, ": ") : NULL;
    if (colon) {
        char *name = tap_strndup(header, (size_t)(colon - header));
        tap_headers_add(&out->headers, name, colon + 2);
        tap_free(name);
    }
}

/* The output is that JSON. */
static inline void check_answer(const char *service, const char *operation, const char *header,
                                const char *body, const char *wanted)
{
    struct spoken spoken = speak(service, operation);
    struct tap_response response;
    struct tap_error err;
    json_t *output = NULL;
    fill_answer(&response, 200, header, body);
    if (spoken.protocol->parse_response(&output, spoken.model, spoken.operation, &response, &err))
        fail_msg("%s", err.message);
    check_value(output, value_of(wanted));
    tap_response_fini(&response);
}

/* An answer with status 200 that is refused. */
static inline void check_bad_answer(const char *service, const char *operation, const char *header,
                                    const char *body, tap_err code, const char *says)
{
    struct spoken spoken = speak(service, operation);
    struct tap_response response;
    struct tap_error err;
    json_t *output = NULL;
    fill_answer(&response, 200, header, body);
    assert_int_equal(
        spoken.protocol->parse_response(&output, spoken.model, spoken.operation, &response, &err),
        code);
    assert_null(output);
    if (!strstr(err.message, says))
        fail_msg("%s", err.message);
    tap_response_fini(&response);
}

struct error_case {
    int status;
    const char *header, *body, *name, *says;
};

static inline void check_errors(const char *service, const struct error_case *cases, size_t n)
{
    struct spoken spoken = speak(service, NULL);
    for (size_t i = 0; i < n; i++) {
        struct tap_response response;
        struct tap_error err;
        fill_answer(&response, cases[i].status, cases[i].header, cases[i].body);
        tap_headers_add(&response.headers, "x-amzn-RequestId", "id-1");
        spoken.protocol->parse_error(&err, spoken.model, &response);
        assert_int_equal(err.code, TAP_E_SERVICE);
        assert_int_equal(err.http_status, cases[i].status);
        assert_string_equal(err.name, cases[i].name);
        assert_string_equal(err.service, service);
        assert_string_equal(err.request_id, "id-1");
        if (!strstr(err.message, cases[i].says))
            fail_msg("%s: %s", cases[i].body, err.message);
        tap_response_fini(&response);
    }
}

/* A server reads the request as that operation and input. */
static inline void check_served(const char *service, const struct tap_request *request,
                                const char *operation, const char *wanted)
{
    struct spoken spoken = speak(service, NULL);
    const json_t *found = NULL;
    json_t *input = NULL;
    struct tap_error err;
    if (spoken.protocol->read_request(&found, &input, spoken.model, request, &err))
        fail_msg("%s", err.message);
    assert_string_equal(json_string_value(json_object_get(found, "name")), operation);
    check_value(input, value_of(wanted));
}

static inline void check_not_served(const char *service, const struct tap_request *request,
                                    int status, const char *name)
{
    struct spoken spoken = speak(service, NULL);
    const json_t *found = NULL;
    json_t *input = NULL;
    struct tap_error err;
    assert_int_equal(spoken.protocol->read_request(&found, &input, spoken.model, request, &err),
                     TAP_E_SERVICE);
    assert_null(input);
    assert_int_equal(err.http_status, status);
    assert_string_equal(err.name, name);
}

/* A request as a server gets it; `header` is "Name: value" or NULL. */
static inline void receive(struct tap_request *out, const char *method, const char *target,
                           const char *header, const char *body)
{
    struct tap_response headers;
    tap_request_init(out);
    tap_set(&out->method, method);
    tap_set(&out->target, target);
    tap_buf_puts(&out->body, body);
    fill_answer(&headers, 0, header, "");
    for (size_t i = 0; i < headers.headers.n; i++)
        tap_headers_add(&out->headers, headers.headers.items[i].name,
                        headers.headers.items[i].value);
    tap_response_fini(&headers);
}

static inline void check_header(const struct tap_headers *headers, const char *name,
                                const char *wanted)
{
    const char *value = tap_headers_get(headers, name);
    if (!value || strcmp(value, wanted) != 0)
        fail_msg("%s is %s, wanted %s", name, value ? value : "missing", wanted);
}

#endif
