/*
 * Waiters by the models of real services: what ends a wait, how often is asked, and what a wait
 * that ends badly says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/waiter.h"

#define AGAIN TAP_WAITER_AGAIN
#define SUCCESS TAP_WAITER_SUCCESS
#define FAILURE TAP_WAITER_FAILURE

enum { HOUR_MS = 3600 * 1000 };

/* JSON in single quotes, which C need not escape. A new reference. */
static json_t *value(const char *text)
{
    char *json = tap_strdup(text);
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_t *out;
    struct tap_error err;
    if (tap_json_parse(&out, json, strlen(json), NULL, &err))
        fail_msg("%s: %s", text, err.message);
    tap_free(json);
    return out;
}

static struct tap_waiter *waiter_of(const char *service, const char *name, int64_t timeout_ms)
{
    const struct tap_model *model;
    struct tap_waiter *waiter = NULL;
    struct tap_error err;
    if (tap_model_load(&model, service, &err) ||
        tap_waiter_new(&waiter, model, name, 0, timeout_ms, &err))
        fail_msg("%s", err.message);
    return waiter;
}

/* Feeds an output in single quotes or, when `error` is given, the service's answer with it. */
static struct tap_waiter_answer feed(struct tap_waiter *waiter, const char *output,
                                     const char *error, int status, int64_t now_ms,
                                     struct tap_error *err)
{
    struct tap_error failed;
    json_t *parsed = output ? value(output) : NULL;
    if (!output) {
        tap_fail(&failed, TAP_E_SERVICE, error, "it says %s", error);
        failed.http_status = status;
        failed.retryable = status >= 500;
    }
    struct tap_waiter_answer answer =
        tap_waiter_feed(waiter, parsed, output ? NULL : &failed, now_ms, err);
    json_decref(parsed);
    return answer;
}

/* ---- one answer, and what it means ---- */

struct judgement {
    const char *name, *service, *waiter;
    const char *output; /* NULL: an error */
    const char *error;
    int status;
    enum tap_waiter_state state;
    const char *says; /* a part of the message, on failure */
};

#define STACK(status) "{'Stacks': [{'StackStatus': '" status "'}]}"

static const struct judgement judgements[] = {
    {"pathAll: every element", "cloudformation", "StackCreateComplete", STACK("CREATE_COMPLETE"),
     NULL, 0, SUCCESS, NULL},
    {"pathAll: one element is not enough", "cloudformation", "stack_create_complete",
     "{'Stacks': [{'StackStatus': 'CREATE_COMPLETE'}, {'StackStatus': 'CREATE_IN_PROGRESS'}]}",
     NULL, 0, AGAIN, NULL},
    {"pathAll: an empty list says nothing", "cloudformation", "StackCreateComplete",
     "{'Stacks': []}", NULL, 0, AGAIN, NULL},
    {"pathAll: nor does one that is missing", "cloudformation", "StackCreateComplete", "{}", NULL,
     0, AGAIN, NULL},
    {"a state on the way goes on", "cloudformation", "StackCreateComplete",
     STACK("CREATE_IN_PROGRESS"), NULL, 0, AGAIN, NULL},
    {"pathAny: a state that cannot succeed ends it, and is named", "cloudformation",
     "stack-create-complete", STACK("ROLLBACK_COMPLETE"), NULL, 0, FAILURE,
     "Stacks[].StackStatus is [\"ROLLBACK_COMPLETE\"]"},
    {"error: a code can be failure", "cloudformation", "StackCreateComplete", NULL,
     "ValidationError", 400, FAILURE, "DescribeStacks answers ValidationError: it says"},
    {"error: a code can be success", "cloudformation", "StackDeleteComplete", NULL,
     "ValidationError", 400, SUCCESS, NULL},
    {"error: a code can mean to go on", "cloudformation", "StackExists", NULL, "ValidationError",
     400, AGAIN, NULL},
    {"an error that is not expected ends it as it is", "cloudformation", "StackExists", NULL,
     "AccessDenied", 403, FAILURE, "it says AccessDenied"},
    {"a service in trouble is asked again", "cloudformation", "StackExists", NULL,
     "InternalFailure", 500, AGAIN, NULL},
    {"status: an output is a 200", "cloudformation", "StackExists", STACK("CREATE_COMPLETE"), NULL,
     0, SUCCESS, NULL},
    {"status: also of an error", "s3", "bucket_exists", NULL, "Forbidden", 403, SUCCESS, NULL},
    {"status: that is expected on the way", "s3", "bucket_exists", NULL, "NotFound", 404, AGAIN,
     NULL},
    {"path: a value", "dynamodb", "TableExists", "{'Table': {'TableStatus': 'ACTIVE'}}", NULL, 0,
     SUCCESS, NULL},
    {"path: another value", "dynamodb", "TableExists", "{'Table': {'TableStatus': 'CREATING'}}",
     NULL, 0, AGAIN, NULL},
    {"path: a condition", "ecs", "ServicesStable",
     "{'services': [{'deployments': [1], 'runningCount': 2, 'desiredCount': 2}], 'failures': []}",
     NULL, 0, SUCCESS, NULL},
    {"path: a condition that does not hold", "ecs", "ServicesStable",
     "{'services': [{'deployments': [1, 2], 'runningCount': 2, 'desiredCount': 2}]}", NULL, 0,
     AGAIN, NULL},
    {"an expression that does not fit the output has not matched", "ecs", "ServicesStable", "{}",
     NULL, 0, AGAIN, NULL},
};

static void judges(void **state)
{
    const struct judgement *test = *state;
    struct tap_waiter *waiter = waiter_of(test->service, test->waiter, HOUR_MS);
    struct tap_error err;
    struct tap_waiter_answer answer =
        feed(waiter, test->output, test->error, test->status, 0, &err);
    assert_int_equal(test->state, answer.state);
    if (test->says && !strstr(err.message, test->says))
        fail_msg("it says: %s", err.message);
    if (answer.state == AGAIN)
        assert_true(answer.sleep_ms > 0);
    tap_waiter_free(waiter);
}

/* ---- time ---- */

struct pace {
    const char *name, *service, *waiter;
    int64_t timeout_ms;
    int64_t sleeps[12]; /* until 0: the time is over */
};

static const struct pace paces[] = {
    {"a wait asks often at first, then as the model says",
     "cloudformation",
     "StackCreateComplete",
     120 * 1000,
     {2000, 3000, 4500, 6750, 10125, 15187, 22780, 30000, 25658}},
    {"a short delay makes the first pause short",
     "cloudformation",
     "StackExists",
     13 * 1000,
     {1000, 1500, 2250, 3375, 4875}},
    {"the last question is asked when the time is over, not before",
     "cloudformation",
     "StackCreateComplete",
     1500,
     {1500}},
};

static void keeps_the_pace(void **state)
{
    const struct pace *pace = *state;
    struct tap_waiter *waiter = waiter_of(pace->service, pace->waiter, pace->timeout_ms);
    struct tap_error err;
    int64_t now_ms = 0;
    bool expects_error = strcmp(pace->waiter, "StackExists") == 0;
    for (size_t i = 0;; i++) {
        struct tap_waiter_answer answer =
            feed(waiter, expects_error ? NULL : STACK("CREATE_IN_PROGRESS"), "ValidationError", 400,
                 now_ms, &err);
        assert_int_equal(pace->sleeps[i], answer.sleep_ms);
        if (answer.state == TAP_WAITER_TIMEOUT)
            break;
        assert_int_equal(AGAIN, answer.state);
        now_ms += answer.sleep_ms;
    }
    assert_int_equal(pace->timeout_ms, now_ms);
    assert_int_equal(TAP_E_TIMEOUT, err.code);
    tap_waiter_free(waiter);
}

static void a_timeout_says_how_long_and_what_was_seen(void **state)
{
    (void)state;
    struct tap_waiter *waiter = waiter_of("cloudformation", "StackCreateComplete", 90 * 1000);
    struct tap_error err;
    feed(waiter, STACK("CREATE_IN_PROGRESS"), NULL, 0, 90 * 1000, &err);
    assert_string_equal("WaiterTimeout", err.name);
    assert_string_equal("StackCreateComplete has not come about in 90 s: Stacks[].StackStatus is "
                        "[\"CREATE_IN_PROGRESS\"]",
                        err.message);
    char *seen = tap_json_print(tap_waiter_seen(waiter));
    assert_string_equal("{\"Stacks[].StackStatus\":[\"CREATE_IN_PROGRESS\"]}", seen);
    tap_free(seen);
    tap_waiter_free(waiter);
}

static void without_a_timeout_the_model_says_how_long(void **state)
{
    (void)state;
    struct tap_waiter *waiter = waiter_of("cloudformation", "StackCreateComplete", 0);
    struct tap_error err;
    int64_t whole_ms = 30 * 120 * (int64_t)1000; /* delay and maxAttempts */
    assert_int_equal(AGAIN,
                     feed(waiter, STACK("CREATE_IN_PROGRESS"), NULL, 0, whole_ms - 1, &err).state);
    assert_int_equal(TAP_WAITER_TIMEOUT,
                     feed(waiter, STACK("CREATE_IN_PROGRESS"), NULL, 0, whole_ms, &err).state);
    tap_waiter_free(waiter);
}

static void a_success_at_the_last_moment_counts(void **state)
{
    (void)state;
    struct tap_waiter *waiter = waiter_of("cloudformation", "StackCreateComplete", 1000);
    assert_int_equal(SUCCESS, feed(waiter, STACK("CREATE_COMPLETE"), NULL, 0, HOUR_MS, NULL).state);
    assert_string_equal("DescribeStacks", tap_waiter_operation(waiter));
    assert_string_equal("StackCreateComplete", tap_waiter_name(waiter));
    tap_waiter_free(waiter);
}

static void trouble_on_the_way_to_the_service_ends_it(void **state)
{
    (void)state;
    struct tap_waiter *waiter = waiter_of("cloudformation", "StackDeleteComplete", HOUR_MS);
    struct tap_error refused, err;
    tap_fail(&refused, TAP_E_NETWORK, "ConnectionFailed", "nobody is there");
    refused.retryable = true;
    assert_int_equal(FAILURE, tap_waiter_feed(waiter, NULL, &refused, 0, &err).state);
    assert_int_equal(TAP_E_NETWORK, err.code);
    tap_waiter_free(waiter);
}

static void an_unknown_waiter_names_the_nearest(void **state)
{
    (void)state;
    const struct tap_model *model;
    struct tap_waiter *waiter;
    struct tap_error err;
    assert_int_equal(TAP_OK, tap_model_load(&model, "cloudformation", &err));
    assert_int_equal(TAP_E_USAGE,
                     tap_waiter_new(&waiter, model, "stack_creat_complete", 0, 0, &err));
    assert_non_null(strstr(err.message, "did you mean 'StackCreateComplete'?"));
    assert_null(waiter);
    assert_int_equal(TAP_OK, tap_model_load(&model, "sts", &err));
    assert_int_equal(TAP_E_USAGE, tap_waiter_new(&waiter, model, "x", 0, 0, &err));
}

static void all_waiters_of_all_services_load(void **state)
{
    (void)state;
    size_t n, loaded = 0;
    const char **services = tap_model_services(&n);
    for (size_t i = 0; i < n; i++) {
        const struct tap_model *model;
        struct tap_error err;
        assert_int_equal(TAP_OK, tap_model_load(&model, services[i], &err));
        const char *name;
        json_t *described;
        json_object_foreach((json_t *)tap_model_part(model, "waiters"), name, described)
        {
            struct tap_waiter *waiter;
            if (tap_waiter_new(&waiter, model, name, 0, 0, &err))
                fail_msg("%s %s: %s", services[i], name, err.message);
            loaded++;
            tap_waiter_free(waiter);
        }
    }
    tap_free(services);
    assert_true(loaded > 300);
}

static int unload(void **state)
{
    (void)state;
    tap_model_unload_all();
    return 0;
}

enum {
    JUDGEMENTS = sizeof judgements / sizeof *judgements,
    PACES = sizeof paces / sizeof *paces,
};

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_timeout_says_how_long_and_what_was_seen),
        cmocka_unit_test(without_a_timeout_the_model_says_how_long),
        cmocka_unit_test(a_success_at_the_last_moment_counts),
        cmocka_unit_test(trouble_on_the_way_to_the_service_ends_it),
        cmocka_unit_test(an_unknown_waiter_names_the_nearest),
        cmocka_unit_test(all_waiters_of_all_services_load),
    };
    struct CMUnitTest tests[JUDGEMENTS + PACES];
    for (size_t i = 0; i < JUDGEMENTS; i++)
        tests[i] = (struct CMUnitTest){.name = judgements[i].name,
                                       .test_func = judges,
                                       .initial_state = (void *)&judgements[i]};
    for (size_t i = 0; i < PACES; i++)
        tests[JUDGEMENTS + i] = (struct CMUnitTest){
            .name = paces[i].name, .test_func = keeps_the_pace, .initial_state = (void *)&paces[i]};
    return cmocka_run_group_tests_name("waiter: by the models", tests, NULL, NULL) +
           cmocka_run_group_tests_name("waiter", others, NULL, unload);
}
