/*
 * Every operation of every service that is known: each builds a request from the least input its
 * model allows, and from one that fills everything to a depth of two. Nothing may fail but what is
 * named as unsupported, and that is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/protocol.h"
#include "spec/core/generate.h"

struct tally {
    size_t services, operations, built, streams;
};

/* True when it was built, false when it is a stream of events. */
static bool build(const struct tap_protocol *protocol, const struct tap_model *model,
                  const json_t *operation, int depth)
{
    const char *service = tap_model_service(model);
    const char *name = json_string_value(json_object_get(operation, "name"));
    json_t *input = generate_for(model, operation, "input", depth);
    struct tap_request request;
    struct tap_error err;
    tap_request_init(&request);
    if (tap_validate_input(model, operation, input, &err))
        fail_msg("%s %s: %s", service, name, err.message);
    tap_err code = protocol->build_request(&request, model, operation, input, &err);
    if (code && code != TAP_E_UNSUPPORTED)
        fail_msg("%s %s: %s", service, name, err.message);
    if (code && !(strstr(err.message, name) && strstr(err.message, "stream of events")))
        fail_msg("%s %s: %s", service, name, err.message);
    assert_true(code || (request.method && request.target && request.target[0] == '/'));
    tap_request_fini(&request);
    json_decref(input);
    return code == TAP_OK;
}

static void build_service(struct tally *tally, const char *service)
{
    const struct tap_model *model = NULL;
    const struct tap_protocol *protocol = NULL;
    struct tap_error err;
    size_t n;
    if (tap_model_load(&model, service, &err) || tap_protocol_of(&protocol, model, &err))
        fail_msg("%s: %s", service, err.message);
    const char *const *names = tap_model_operations(model, &n);
    for (size_t i = 0; i < n; i++) {
        const json_t *operation = NULL;
        assert_int_equal(tap_model_operation(&operation, model, names[i], &err), TAP_OK);
        bool built = build(protocol, model, operation, REQUIRED_ONLY);
        assert_int_equal(build(protocol, model, operation, 2), built);
        tally->built += built;
        tally->streams += !built;
        if (!built)
            print_message("a stream of events: %s %s\n", service, names[i]);
    }
    tally->services++;
    tally->operations += n;
}

static void every_operation_builds_a_request(void **state)
{
    (void)state;
    struct tally tally = {0};
    size_t n;
    const char **services = tap_model_services(&n);
    for (size_t i = 0; i < n; i++) {
        build_service(&tally, services[i]);
        tap_model_unload_all(); /* all at once would take much memory */
    }
    tap_free(services);
    print_message("%zu services, %zu operations: %zu built, %zu streams of events\n",
                  tally.services, tally.operations, tally.built, tally.streams);
    assert_int_equal(tally.built + tally.streams, tally.operations);
    assert_true(tally.services > 400 && tally.operations > 18000);
    assert_true(tally.streams < 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_operation_builds_a_request)};
    return cmocka_run_group_tests_name("all services", tests, NULL, NULL);
}
