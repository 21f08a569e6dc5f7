/*
 * The two halves of every protocol understand each other: a server reads what a client sends, and a
 * client what a server answers, for all operations of all services, with values that fill their
 * shapes to a depth of two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/json.h"
#include "core/protocol.h"
#include "spec/core/conformance.h"
#include "spec/core/generate.h"

/* What cannot come back as it was. */
static const struct {
    const char *service, *operation, *reason;
} exceptions[] = {
    {"s3", "ListDirectoryBuckets", "asks as ListBuckets does, but at another host"},
    {"s3", "GetBucketNotification", "has two members (Event, Events) in the same element"},
    {"dataexchange", "SendApiAsset", "its map takes all headers of the answer, also the server's"},
};

static bool is_exception(const char *service, const char *operation)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        if (strcmp(exceptions[i].service, service) == 0 &&
            strcmp(exceptions[i].operation, operation) == 0) {
            print_message("%s %s: %s\n", service, operation, exceptions[i].reason);
            return true;
        }
    return false;
}

static bool says_nothing(const json_t *value)
{
    return (json_is_object(value) && !json_object_size(value)) ||
           (json_is_array(value) && !json_array_size(value));
}

/* Without empty lists and objects, which not every format can carry. */
static json_t *pruned(const json_t *value)
{
    json_t *out = json_is_array(value) ? json_array() : json_object();
    if (!json_is_array(value) && !json_is_object(value)) {
        json_decref(out);
        return json_deep_copy(value);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *item = pruned(json_array_get(value, i));
        if (!says_nothing(item))
            json_array_append(out, item);
        json_decref(item);
    }
    for (void *at = json_object_iter((json_t *)value); at;
         at = json_object_iter_next((json_t *)value, at)) {
        json_t *item = pruned(json_object_iter_value(at));
        if (!says_nothing(item))
            json_object_set(out, json_object_iter_key(at), item);
        json_decref(item);
    }
    return out;
}

static void check_same(const char *service, const char *operation, const char *what,
                       const json_t *got, const json_t *wanted)
{
    json_t *a = pruned(got), *b = pruned(wanted);
    if (!json_equal(a, b))
        fail_msg("%s %s %s\ngot    %s\nwanted %s", service, operation, what, tap_json_print(a),
                 tap_json_print(b));
    json_decref(a);
    json_decref(b);
}

/* False: the operation is not supported. */
static bool request_survives(const struct tap_protocol *protocol, const struct tap_model *model,
                             const json_t *operation)
{
    const char *service = tap_model_service(model);
    const char *name = json_string_value(json_object_get(operation, "name"));
    json_t *input = generate_for(model, operation, "input", 2), *again = NULL;
    const json_t *found = NULL;
    struct tap_request request;
    struct tap_error err;
    tap_request_init(&request);
    tap_err code = protocol->build_request(&request, model, operation, input, &err);
    if (!code) {
        if (protocol->read_request(&found, &again, model, &request, &err))
            fail_msg("%s %s: %s\n%s %s", service, name, err.message, request.method,
                     request.target);
        /* what is deprecated has often a successor at the same place, which is preferred */
        if (found != operation && !has_flag(operation, "deprecated"))
            assert_string_equal(json_string_value(json_object_get(found, "name")), name);
        if (found == operation)
            check_same(service, name, "input", again, input);
    }
    json_decref(again);
    json_decref(input);
    tap_request_fini(&request);
    return code != TAP_E_UNSUPPORTED;
}

static void response_survives(const struct tap_protocol *protocol, const struct tap_model *model,
                              const json_t *operation)
{
    const char *service = tap_model_service(model);
    const char *name = json_string_value(json_object_get(operation, "name"));
    json_t *output = generate_for(model, operation, "output", 2), *again = NULL;
    struct tap_response response;
    struct tap_error err;
    tap_response_init(&response);
    protocol->write_response(&response, model, operation, output, "id-1");
    assert_in_range(response.status, 200, 299);
    if (protocol->parse_response(&again, model, operation, &response, &err))
        fail_msg("%s %s: %s\n%s", service, name, err.message, tap_buf_text(&response.body));
    check_same(service, name, "output", again, output);
    assert_string_equal(tap_response_request_id(&response), "id-1");
    json_decref(again);
    json_decref(output);
    tap_response_fini(&response);
}

static void error_survives(const struct tap_protocol *protocol, const struct tap_model *model)
{
    struct tap_response response;
    struct tap_error err, again;
    tap_fail(&err, TAP_E_SERVICE, "SomeError", "<%s> & \"more\"", "x");
    err.http_status = 409;
    tap_response_init(&response);
    protocol->write_error(&response, model, &err, "id-2");
    assert_int_equal(response.status, 409);
    protocol->parse_error(&again, model, &response);
    assert_string_equal(again.name, err.name);
    assert_string_equal(again.message, err.message);
    assert_string_equal(again.request_id, "id-2");
    tap_response_fini(&response);
}

static void what_is_sent_is_read_back(void **state)
{
    const char *service = *state;
    const struct tap_model *model = NULL;
    const struct tap_protocol *protocol = NULL;
    struct tap_error err;
    size_t n;
    if (tap_model_load(&model, service, &err) || tap_protocol_of(&protocol, model, &err))
        fail_msg("%s", err.message);
    const char *const *names = tap_model_operations(model, &n);
    for (size_t i = 0; i < n; i++) {
        const json_t *operation = NULL;
        assert_int_equal(tap_model_operation(&operation, model, names[i], &err), TAP_OK);
        if (!is_exception(service, names[i]) && request_survives(protocol, model, operation))
            response_survives(protocol, model, operation);
    }
    error_survives(protocol, model);
    tap_model_unload_all();
}

int main(void)
{
    size_t n;
    const char **services = tap_model_services(&n);
    struct test_list list = {0};
    for (size_t i = 0; i < n; i++)
        test_list_add(&list, tap_strdup(services[i]), what_is_sent_is_read_back,
                      (void *)services[i]);
    int failed = test_list_run(&list, "round trips of all operations");
    tap_free(services);
    return failed;
}
