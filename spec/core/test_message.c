/*
 * HTTP messages as data: headers keep their order and spelling and are found in any case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/message.h"

static void assert_header(const struct tap_headers *headers, size_t i, const char *name,
                          const char *value)
{
    assert_true(i < headers->n);
    assert_string_equal(headers->items[i].name, name);
    assert_string_equal(headers->items[i].value, value);
}

static void headers_keep_order_spelling_and_repetition(void **state)
{
    (void)state;
    struct tap_headers headers = {0};
    tap_headers_add(&headers, "X-B", "1");
    tap_headers_add(&headers, "x-a", "2");
    tap_headers_add(&headers, "X-B", "3");
    assert_int_equal(headers.n, 3);
    assert_header(&headers, 0, "X-B", "1");
    assert_header(&headers, 1, "x-a", "2");
    assert_header(&headers, 2, "X-B", "3");
    tap_headers_fini(&headers);
    assert_int_equal(headers.n, 0);
}

static void a_header_is_found_in_any_case_and_the_first_one_counts(void **state)
{
    (void)state;
    struct tap_headers headers = {0};
    assert_null(tap_headers_get(&headers, "Host"));
    tap_headers_add(&headers, "Content-Type", "text/xml");
    tap_headers_add(&headers, "content-type", "text/plain");
    assert_string_equal(tap_headers_get(&headers, "CONTENT-TYPE"), "text/xml");
    assert_null(tap_headers_get(&headers, "Content-Typ"));
    assert_null(tap_headers_get(&headers, "Content-Type2"));
    tap_headers_fini(&headers);
}

static void setting_replaces_all_of_that_name_and_keeps_the_others(void **state)
{
    (void)state;
    struct tap_headers headers = {0};
    tap_headers_add(&headers, "A", "1");
    tap_headers_add(&headers, "B", "2");
    tap_headers_add(&headers, "a", "3");
    tap_headers_add(&headers, "C", "4");
    tap_headers_set(&headers, "A", "5");
    assert_int_equal(headers.n, 3);
    assert_header(&headers, 0, "B", "2");
    assert_header(&headers, 1, "C", "4");
    assert_header(&headers, 2, "A", "5");
    tap_headers_fini(&headers);
}

static void a_header_may_be_set_to_its_own_value(void **state)
{
    (void)state;
    struct tap_headers headers = {0};
    tap_headers_add(&headers, "A", "the value");
    tap_headers_set(&headers, "A", tap_headers_get(&headers, "A"));
    assert_string_equal(tap_headers_get(&headers, "A"), "the value");
    tap_headers_fini(&headers);
}

static void removing_what_is_not_there_does_nothing(void **state)
{
    (void)state;
    struct tap_headers headers = {0};
    tap_headers_remove(&headers, "A");
    tap_headers_add(&headers, "B", "1");
    tap_headers_remove(&headers, "A");
    assert_int_equal(headers.n, 1);
    tap_headers_remove(&headers, "b");
    assert_int_equal(headers.n, 0);
    tap_headers_fini(&headers);
}

static void there_may_be_many_headers(void **state)
{
    (void)state;
    struct tap_headers headers = {0};
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "X-%d", i);
        tap_headers_add(&headers, name, name + 2);
    }
    assert_string_equal(tap_headers_get(&headers, "x-999"), "999");
    tap_headers_fini(&headers);
}

static void a_message_starts_empty_and_may_be_used_again(void **state)
{
    (void)state;
    struct tap_request request;
    tap_request_init(&request);
    for (int round = 0; round < 2; round++) {
        assert_null(request.method);
        assert_null(request.target);
        assert_int_equal(request.headers.n, 0);
        assert_string_equal(tap_buf_text(&request.body), "");
        tap_set(&request.method, "POST");
        tap_set(&request.target, "/");
        tap_headers_add(&request.headers, "Host", "h");
        tap_buf_puts(&request.body, "body");
        tap_request_fini(&request);
    }
    struct tap_response response;
    tap_response_init(&response);
    response.status = 200;
    tap_headers_add(&response.headers, "Date", "d");
    tap_buf_puts(&response.body, "body");
    tap_response_fini(&response);
    assert_int_equal(response.status, 0);
    assert_int_equal(response.headers.n, 0);
}

static void a_field_may_be_set_to_a_part_of_itself_or_to_none(void **state)
{
    (void)state;
    struct tap_request request;
    tap_request_init(&request);
    tap_set(&request.target, "/path?query");
    tap_set(&request.target, request.target + 5);
    assert_string_equal(request.target, "?query");
    tap_set(&request.target, NULL);
    assert_null(request.target);
    tap_request_fini(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_keep_order_spelling_and_repetition),
        cmocka_unit_test(a_header_is_found_in_any_case_and_the_first_one_counts),
        cmocka_unit_test(setting_replaces_all_of_that_name_and_keeps_the_others),
        cmocka_unit_test(a_header_may_be_set_to_its_own_value),
        cmocka_unit_test(removing_what_is_not_there_does_nothing),
        cmocka_unit_test(there_may_be_many_headers),
        cmocka_unit_test(a_message_starts_empty_and_may_be_used_again),
        cmocka_unit_test(a_field_may_be_set_to_a_part_of_itself_or_to_none),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
