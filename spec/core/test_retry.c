/*
 * The retry rules: which failures are tried again, when, how often, and at what cost; how fast the
 * adaptive mode lets a client send; and of which operations the log says that they may act twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/retry.h"
#include "core/retry_model.h"
#include "core/retry_rate.h"

static const int64_t noon = 1767268800000; /* 2026-01-01T12:00:00Z */

static struct tap_error service_error(const char *name, int status)
{
    struct tap_error error;
    tap_fail(&error, TAP_E_SERVICE, name, "no");
    error.http_status = status;
    return error;
}

static enum tap_retry_class class_of(const char *name, int status)
{
    struct tap_error error = service_error(name, status);
    return tap_retry_classify(&(struct tap_retry_failure){.error = &error, .clock_ms = noon});
}

static struct tap_retry_answer fail_once(struct tap_retry *retry, const char *name, int status)
{
    struct tap_error error = service_error(name, status);
    return tap_retry_failed(
        retry, &(struct tap_retry_failure){.error = &error, .clock_ms = noon, .random = 0.5});
}

/* A failure whose response carries one header. */
static struct tap_retry_answer fail_with_header(struct tap_retry *retry, const char *code,
                                                const char *header, const char *value)
{
    struct tap_error error = service_error(code, 403);
    struct tap_response response;
    tap_response_init(&response);
    tap_headers_add(&response.headers, header, value);
    struct tap_retry_answer answer = tap_retry_failed(
        retry, &(struct tap_retry_failure){
                   .error = &error, .response = &response, .clock_ms = noon, .random = 0.5});
    tap_response_fini(&response);
    return answer;
}

static void codes_and_statuses_have_the_classes_of_the_sdks(void **state)
{
    (void)state;
    static const char *const throttled[] = {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    };
    for (size_t i = 0; i < sizeof throttled / sizeof *throttled; i++)
        assert_int_equal(class_of(throttled[i], 400), TAP_RETRY_THROTTLED);
    assert_int_equal(class_of("SlowDown", 503), TAP_RETRY_THROTTLED);
    assert_int_equal(class_of("Unknown", 429), TAP_RETRY_THROTTLED);
    assert_int_equal(class_of("RequestTimeout", 400), TAP_RETRY_TRANSIENT);
    assert_int_equal(class_of("RequestTimeoutException", 400), TAP_RETRY_TRANSIENT);
    static const int transient[] = {500, 502, 503, 504};
    for (size_t i = 0; i < sizeof transient / sizeof *transient; i++)
        assert_int_equal(class_of("InternalFailure", transient[i]), TAP_RETRY_TRANSIENT);
    assert_int_equal(class_of("ExpiredToken", 400), TAP_RETRY_EXPIRED);
    assert_int_equal(class_of("ExpiredTokenException", 400), TAP_RETRY_EXPIRED);
    assert_int_equal(class_of("RequestTimeTooSkewed", 403), TAP_RETRY_CLOCK_SKEW);
}

static void what_a_second_try_cannot_change_is_final(void **state)
{
    (void)state;
    assert_int_equal(class_of("ValidationError", 400), TAP_RETRY_NO);
    assert_int_equal(class_of("AccessDenied", 403), TAP_RETRY_NO);
    assert_int_equal(class_of("NotImplemented", 501), TAP_RETRY_NO);
    assert_int_equal(class_of("LimitExceeded", 400), TAP_RETRY_NO); /* of stacks: not a rate */
    static const tap_err final[] = {TAP_E_USAGE,    TAP_E_PARSE,       TAP_E_LIMIT,   TAP_E_IO,
                                    TAP_E_PROTOCOL, TAP_E_CREDENTIALS, TAP_E_CANCELED};
    for (size_t i = 0; i < sizeof final / sizeof *final; i++) {
        struct tap_error error;
        tap_fail(&error, final[i], "Throttling", "only a service can throttle");
        assert_int_equal(tap_retry_classify(&(struct tap_retry_failure){.error = &error}),
                         TAP_RETRY_NO);
    }
}

static void network_failures_and_timeouts_are_transient(void **state)
{
    (void)state;
    struct tap_error error;
    tap_fail(&error, TAP_E_NETWORK, "NetworkError", "reset");
    assert_int_equal(tap_retry_classify(&(struct tap_retry_failure){.error = &error}),
                     TAP_RETRY_TRANSIENT);
    tap_fail(&error, TAP_E_TIMEOUT, "Timeout", "silence");
    assert_int_equal(tap_retry_classify(&(struct tap_retry_failure){.error = &error}),
                     TAP_RETRY_TRANSIENT);
}

static void a_certificate_that_is_not_trusted_is_final(void **state)
{
    (void)state;
    struct tap_error error;
    tap_fail(&error, TAP_E_NETWORK, "CertificateError", "self-signed");
    assert_int_equal(tap_retry_classify(&(struct tap_retry_failure){.error = &error}),
                     TAP_RETRY_NO);
}

static void the_model_may_call_an_error_retryable(void **state)
{
    (void)state;
    struct tap_error error = service_error("TryMeAgain", 400);
    struct tap_retry_failure failure = {.error = &error, .modelled = TAP_RETRY_THROTTLED};
    assert_int_equal(tap_retry_classify(&failure), TAP_RETRY_THROTTLED);
}

static void three_attempts_with_doubling_jittered_delays(void **state)
{
    (void)state;
    struct tap_retry_bucket bucket;
    struct tap_retry retry;
    tap_retry_bucket_init(&bucket);
    tap_retry_begin(&retry, &bucket, 3);
    struct tap_retry_answer answer = fail_once(&retry, "Throttling", 400);
    assert_true(answer.again);
    assert_int_equal(answer.delay_ms, 500); /* half of one second */
    answer = fail_once(&retry, "Throttling", 400);
    assert_true(answer.again);
    assert_int_equal(answer.delay_ms, 1000); /* half of two */
    assert_int_equal(retry.attempt, 3);
    answer = fail_once(&retry, "Throttling", 400);
    assert_false(answer.again);
    assert_int_equal(answer.why, TAP_RETRY_THROTTLED);
    assert_int_equal(retry.attempt, 3);
}

static void no_delay_is_longer_than_twenty_seconds(void **state)
{
    (void)state;
    struct tap_retry_bucket bucket;
    struct tap_retry retry;
    tap_retry_bucket_init(&bucket);
    tap_retry_begin(&retry, &bucket, 90);
    struct tap_retry_answer answer = {0};
    for (int i = 0; i < 80; i++)
        answer = fail_once(&retry, "Throttling", 400);
    assert_true(answer.again);
    assert_int_equal(answer.delay_ms, 10 * 1000);
}

static void one_attempt_means_no_retry(void **state)
{
    (void)state;
    struct tap_retry_bucket bucket;
    struct tap_retry retry;
    tap_retry_bucket_init(&bucket);
    tap_retry_begin(&retry, &bucket, 1);
    assert_false(fail_once(&retry, "Throttling", 400).again);
    assert_int_equal(bucket.tokens, 500);
}

static void a_retry_costs_tokens_and_success_gives_them_back(void **state)
{
    (void)state;
    struct tap_retry_bucket bucket;
    struct tap_retry retry;
    tap_retry_bucket_init(&bucket);
    tap_retry_begin(&retry, &bucket, 3);
    fail_once(&retry, "Throttling", 400);
    assert_int_equal(bucket.tokens, 495);
    struct tap_error timeout;
    tap_fail(&timeout, TAP_E_TIMEOUT, "Timeout", "silence");
    tap_retry_failed(&retry, &(struct tap_retry_failure){.error = &timeout});
    assert_int_equal(bucket.tokens, 485);
    tap_retry_succeeded(&retry); /* what the last retry took */
    assert_int_equal(bucket.tokens, 495);
    tap_retry_begin(&retry, &bucket, 3);
    tap_retry_succeeded(&retry); /* one for a call that needed none */
    assert_int_equal(bucket.tokens, 496);
    bucket.tokens = 500;
    tap_retry_succeeded(&retry);
    assert_int_equal(bucket.tokens, 500);
}

static void an_empty_bucket_ends_retries(void **state)
{
    (void)state;
    struct tap_retry_bucket bucket = {.tokens = 9};
    struct tap_retry retry;
    tap_retry_begin(&retry, &bucket, 3);
    assert_true(fail_once(&retry, "InternalFailure", 500).again);
    assert_false(fail_once(&retry, "InternalFailure", 500).again);
    assert_int_equal(bucket.tokens, 4);
}

static int64_t delay_after(const char *header, const char *value)
{
    struct tap_retry_bucket bucket;
    struct tap_retry retry;
    tap_retry_bucket_init(&bucket);
    tap_retry_begin(&retry, &bucket, 3);
    struct tap_retry_answer answer = fail_with_header(&retry, "Throttling", header, value);
    assert_true(answer.again);
    return answer.delay_ms;
}

static void retry_after_is_respected_in_every_form(void **state)
{
    (void)state;
    assert_int_equal(delay_after("Retry-After", "7"), 7000);
    assert_int_equal(delay_after("Retry-After", "Thu, 01 Jan 2026 12:00:30 GMT"), 30000);
    assert_int_equal(delay_after("x-amz-retry-after", "1500"), 1500);
}

static void retry_after_never_shortens_nor_exceeds_five_minutes(void **state)
{
    (void)state;
    assert_int_equal(delay_after("Retry-After", "0"), 500);
    assert_int_equal(delay_after("x-amz-retry-after", "100"), 500);
    assert_int_equal(delay_after("Retry-After", "Thu, 01 Jan 2026 11:00:00 GMT"), 500);
    assert_int_equal(delay_after("Retry-After", "86400"), 300000);
    assert_int_equal(delay_after("Retry-After", "1e99"), 300000);
}

static void retry_after_that_makes_no_sense_is_ignored(void **state)
{
    (void)state;
    static const char *const nonsense[] = {"", "soon", "-5", "nan", "5 minutes"};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        assert_int_equal(delay_after("Retry-After", nonsense[i]), 500);
        assert_int_equal(delay_after("x-amz-retry-after", nonsense[i]), 500);
    }
}

static void a_wrong_clock_is_corrected_once_and_at_once(void **state)
{
    (void)state;
    struct tap_retry_bucket bucket;
    struct tap_retry retry;
    tap_retry_bucket_init(&bucket);
    tap_retry_begin(&retry, &bucket, 5);
    struct tap_retry_answer answer =
        fail_with_header(&retry, "RequestTimeTooSkewed", "Date", "Thu, 01 Jan 2026 12:30:00 GMT");
    assert_true(answer.again);
    assert_int_equal(answer.why, TAP_RETRY_CLOCK_SKEW);
    assert_int_equal(answer.skew_ms, 30 * 60 * 1000);
    assert_int_equal(answer.delay_ms, 0);
    answer =
        fail_with_header(&retry, "RequestTimeTooSkewed", "Date", "Thu, 01 Jan 2026 12:30:00 GMT");
    assert_false(answer.again);
}

static void without_a_date_a_wrong_clock_cannot_be_corrected(void **state)
{
    (void)state;
    struct tap_retry_bucket bucket;
    struct tap_retry retry;
    tap_retry_bucket_init(&bucket);
    tap_retry_begin(&retry, &bucket, 3);
    assert_false(fail_once(&retry, "RequestTimeTooSkewed", 403).again);
    assert_false(fail_with_header(&retry, "RequestInTheFuture", "Date", "today").again);
}

static void a_refused_signature_is_the_clock_only_when_the_date_is_far_off(void **state)
{
    (void)state;
    static const char *const ambiguous[] = {"SignatureDoesNotMatch", "InvalidSignatureException",
                                            "AuthFailure"};
    for (size_t i = 0; i < sizeof ambiguous / sizeof *ambiguous; i++) {
        struct tap_retry_bucket bucket;
        struct tap_retry retry;
        tap_retry_bucket_init(&bucket);
        tap_retry_begin(&retry, &bucket, 3);
        assert_false(fail_once(&retry, ambiguous[i], 403).again);
        assert_false(
            fail_with_header(&retry, ambiguous[i], "Date", "Thu, 01 Jan 2026 12:03:59 GMT").again);
        assert_false(
            fail_with_header(&retry, ambiguous[i], "Date", "Thu, 01 Jan 2026 11:56:01 GMT").again);
        struct tap_retry_answer answer =
            fail_with_header(&retry, ambiguous[i], "Date", "Thu, 01 Jan 2026 11:55:00 GMT");
        assert_true(answer.again);
        assert_int_equal(answer.skew_ms, -5 * 60 * 1000);
    }
}

static void expired_credentials_are_worth_one_more_attempt_with_fresh_ones(void **state)
{
    (void)state;
    struct tap_retry_bucket bucket;
    struct tap_retry retry;
    tap_retry_bucket_init(&bucket);
    tap_retry_begin(&retry, &bucket, 5);
    struct tap_retry_answer answer = fail_once(&retry, "ExpiredToken", 400);
    assert_true(answer.again);
    assert_int_equal(answer.why, TAP_RETRY_EXPIRED);
    assert_int_equal(answer.delay_ms, 0);
    assert_false(fail_once(&retry, "ExpiredToken", 400).again);
}

/* ---- chance ---- */

static void a_seed_gives_the_same_jitter_each_time(void **state)
{
    (void)state;
    uint64_t a = 7, b = 7, c = 8, system = 0;
    double sum = 0;
    for (int i = 0; i < 1000; i++) {
        double x = tap_retry_random(&a);
        assert_true(x >= 0 && x < 1);
        assert_true(x == tap_retry_random(&b));
        assert_true(x != tap_retry_random(&c));
        sum += x;
    }
    assert_true(sum > 450 && sum < 550);
    assert_true(tap_retry_random(&system) != tap_retry_random(&system));
    assert_true(system == 0);
}

static void modes_are_named_in_any_case(void **state)
{
    (void)state;
    enum tap_retry_mode mode;
    assert_true(tap_retry_mode_named(&mode, "Adaptive"));
    assert_int_equal(mode, TAP_RETRY_ADAPTIVE);
    assert_true(tap_retry_mode_named(&mode, "standard"));
    assert_int_equal(mode, TAP_RETRY_STANDARD);
    assert_false(tap_retry_mode_named(&mode, "legacy"));
    assert_false(tap_retry_mode_named(&mode, ""));
}

/* ---- the adaptive mode's rate ---- */

#define assert_near(a, b) assert_true((a) - (b) < 1e-5 && (b) - (a) < 1e-5)

/* The vectors that the SDKs share: one answer each 0.2 s, and two of them are throttlings. */
static void the_rate_follows_the_sdks_vectors(void **state)
{
    (void)state;
    static const struct {
        bool throttled;
        int64_t ms;
        double measured, fill;
    } steps[] = {
        {false, 200, 0, 0.5},
        {false, 400, 0, 0.5},
        {false, 600, 4.8, 0.5},
        {false, 800, 4.8, 0.5},
        {false, 1000, 4.16, 0.5},
        {false, 1200, 4.16, 0.6912},
        {false, 1400, 4.16, 1.0976},
        {false, 1600, 5.632, 1.6384},
        {false, 1800, 5.632, 2.3328},
        {true, 2000, 4.3264, 3.02848},
        {false, 2200, 4.3264, 3.486639},
        {false, 2400, 4.3264, 3.821874},
        {false, 2600, 5.66528, 4.053386},
        {false, 2800, 5.66528, 4.200373},
        {false, 3000, 4.333056, 4.282037},
        {true, 3200, 4.333056, 2.997426},
        {false, 3400, 4.333056, 3.452226},
    };
    struct tap_retry_rate rate;
    tap_retry_rate_init(&rate, 0);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        tap_retry_rate_ended(&rate, steps[i].throttled, steps[i].ms);
        assert_near(rate.measured, steps[i].measured);
        assert_near(rate.fill, steps[i].fill);
    }
}

static void nothing_is_held_back_before_the_first_throttling(void **state)
{
    (void)state;
    struct tap_retry_rate rate;
    tap_retry_rate_init(&rate, 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(tap_retry_rate_ask(&rate, i), 0);
        tap_retry_rate_ended(&rate, false, i);
    }
}

static void after_a_throttling_attempts_keep_the_rate_and_no_more(void **state)
{
    (void)state;
    struct tap_retry_rate rate;
    tap_retry_rate_init(&rate, 0);
    tap_retry_rate_ended(&rate, true, 0);
    assert_near(rate.fill, 0.5); /* nothing is known yet: the least */
    int sent = 0;
    int64_t now = 0;
    while (now <= 100 * 1000) {
        int64_t wait = tap_retry_rate_ask(&rate, now);
        sent += wait == 0;
        assert_true(wait >= 0 && wait <= 2000);
        now += wait;
    }
    assert_int_equal(sent, 50);
}

static void after_an_idle_time_no_more_than_a_second_of_tokens_is_there(void **state)
{
    (void)state;
    struct tap_retry_rate rate;
    tap_retry_rate_init(&rate, 0);
    for (int64_t now = 0; now < 10000; now += 100) /* 10 a second */
        tap_retry_rate_ended(&rate, false, now);
    tap_retry_rate_ended(&rate, true, 10000);
    assert_true(rate.fill > 6 && rate.fill < 8);
    int sent = 0;
    while (tap_retry_rate_ask(&rate, 3600 * 1000) == 0)
        sent++;
    assert_true(sent >= 6 && sent <= 8);
}

static void the_rate_comes_back_to_where_the_throttling_was_and_goes_on(void **state)
{
    (void)state;
    struct tap_retry_rate rate;
    tap_retry_rate_init(&rate, 0);
    int64_t now = 0;
    for (; now < 10000; now += 100)
        tap_retry_rate_ended(&rate, false, now);
    tap_retry_rate_ended(&rate, true, now);
    double peak = rate.peak;
    double before = rate.fill;
    for (int64_t end = now + (int64_t)(rate.recovery * 1000); now < end; now += 100)
        tap_retry_rate_ended(&rate, false, now);
    assert_true(rate.fill > before && rate.fill <= peak);
    for (int64_t end = now + 60000; now < end; now += 100)
        tap_retry_rate_ended(&rate, false, now);
    assert_true(rate.fill > peak * 1.5 && rate.fill <= rate.measured * 2);
}

static void a_new_rate_counts_from_then_on(void **state)
{
    (void)state;
    struct tap_retry_rate rate;
    tap_retry_rate_init(&rate, 0);
    rate.limiting = true;
    rate.fill = 0.5;
    rate.peak = rate.measured = 10;
    tap_retry_rate_ended(&rate, false, 1000); /* a second at 0.5; then twice what is sent */
    assert_near(rate.fill, 5.6);
    assert_near(rate.tokens, 0.5);
    assert_int_equal(tap_retry_rate_ask(&rate, 1000), 90); /* half a token, rounded up */
    assert_int_equal(tap_retry_rate_ask(&rate, 1090), 0);
}

/* ---- what may act twice ---- */

static bool may_act_twice(const char *service, const char *name)
{
    const struct tap_model *model;
    const json_t *operation;
    struct tap_error err;
    if (tap_model_load(&model, service, &err) || tap_model_operation(&operation, model, name, &err))
        fail_msg("%s", err.message);
    return tap_retry_may_act_twice(model, operation);
}

static void tokens_traits_and_reading_names_make_an_operation_safe_to_repeat(void **state)
{
    (void)state;
    assert_true(may_act_twice("sqs", "SendMessage"));
    assert_true(may_act_twice("sns", "Publish"));
    assert_false(may_act_twice("sqs", "GetQueueUrl"));
    assert_false(may_act_twice("ec2", "DescribeInstances"));
    assert_false(may_act_twice("ec2", "RunInstances"));            /* ClientToken */
    assert_false(may_act_twice("cloudformation", "ActivateType")); /* idempotent by its model */
    assert_false(may_act_twice("s3", "HeadObject"));
    tap_model_unload_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_and_statuses_have_the_classes_of_the_sdks),
        cmocka_unit_test(what_a_second_try_cannot_change_is_final),
        cmocka_unit_test(network_failures_and_timeouts_are_transient),
        cmocka_unit_test(a_certificate_that_is_not_trusted_is_final),
        cmocka_unit_test(the_model_may_call_an_error_retryable),
        cmocka_unit_test(three_attempts_with_doubling_jittered_delays),
        cmocka_unit_test(no_delay_is_longer_than_twenty_seconds),
        cmocka_unit_test(one_attempt_means_no_retry),
        cmocka_unit_test(a_retry_costs_tokens_and_success_gives_them_back),
        cmocka_unit_test(an_empty_bucket_ends_retries),
        cmocka_unit_test(retry_after_is_respected_in_every_form),
        cmocka_unit_test(retry_after_never_shortens_nor_exceeds_five_minutes),
        cmocka_unit_test(retry_after_that_makes_no_sense_is_ignored),
        cmocka_unit_test(a_wrong_clock_is_corrected_once_and_at_once),
        cmocka_unit_test(without_a_date_a_wrong_clock_cannot_be_corrected),
        cmocka_unit_test(a_refused_signature_is_the_clock_only_when_the_date_is_far_off),
        cmocka_unit_test(expired_credentials_are_worth_one_more_attempt_with_fresh_ones),
        cmocka_unit_test(a_seed_gives_the_same_jitter_each_time),
        cmocka_unit_test(modes_are_named_in_any_case),
        cmocka_unit_test(the_rate_follows_the_sdks_vectors),
        cmocka_unit_test(nothing_is_held_back_before_the_first_throttling),
        cmocka_unit_test(after_a_throttling_attempts_keep_the_rate_and_no_more),
        cmocka_unit_test(after_an_idle_time_no_more_than_a_second_of_tokens_is_there),
        cmocka_unit_test(the_rate_comes_back_to_where_the_throttling_was_and_goes_on),
        cmocka_unit_test(a_new_rate_counts_from_then_on),
        cmocka_unit_test(tokens_traits_and_reading_names_make_an_operation_safe_to_repeat),
    };
    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
