/*
 * The error struct: always printable, never stale, the same code back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/error.h"
#include "core/text.h"

static void a_text_is_cut_where_a_character_ends(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        const char *cut;
    } cases[] = {
        /* a, e acute (2 bytes), euro (3), emoji (4): each size holds that many bytes and a NUL */
        {1, ""},
        {2, "a"},
        {3, "a"},
        {4, "a\xC3\xA9"},
        {6, "a\xC3\xA9"},
        {7, "a\xC3\xA9\xE2\x82\xAC"},
        {10, "a\xC3\xA9\xE2\x82\xAC"},
        {11, "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {12, "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char field[16];
        memset(field, '#', sizeof field);
        tap_error_copy(field, cases[i].size, "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
        assert_string_equal(field, cases[i].cut);
        assert_int_equal(field[cases[i].size], '#');
    }
}

static void no_text_is_an_empty_field(void **state)
{
    (void)state;
    char field[4] = "abc";
    tap_error_copy(field, sizeof field, NULL);
    assert_string_equal(field, "");
}

static void failing_returns_the_code_and_forgets_the_error_before(void **state)
{
    (void)state;
    struct tap_error err;
    memset(&err, 0x55, sizeof err);
    assert_int_equal(tap_fail(&err, TAP_E_LIMIT, "TooLarge", "%d is more than %s", 7, "six"),
                     TAP_E_LIMIT);
    assert_int_equal(err.code, TAP_E_LIMIT);
    assert_string_equal(err.name, "TooLarge");
    assert_string_equal(err.message, "7 is more than six");
    assert_string_equal(err.service, "");
    assert_string_equal(err.request_id, "");
    assert_int_equal(err.http_status, 0);
    assert_false(err.retryable);
    assert_int_equal(err.line, 0);
}

static void a_parse_error_has_its_place(void **state)
{
    (void)state;
    struct tap_error err;
    assert_int_equal(tap_fail_at(&err, "t.yml", 3, 14, "BadIndent", "not %s", "here"), TAP_E_PARSE);
    assert_string_equal(err.file, "t.yml");
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 14);
    assert_string_equal(err.message, "not here");
    assert_int_equal(tap_fail_at(&err, NULL, 1, 1, "BadIndent", "x"), TAP_E_PARSE);
    assert_string_equal(err.file, "");
}

static void a_caller_that_does_not_care_may_pass_none(void **state)
{
    (void)state;
    assert_int_equal(tap_fail(NULL, TAP_E_IO, "X", "y"), TAP_E_IO);
    assert_int_equal(tap_fail_at(NULL, "f", 1, 1, "X", "y"), TAP_E_PARSE);
    tap_error_clear(NULL);
}

static void a_huge_message_is_cut_and_stays_text(void **state)
{
    (void)state;
    struct tap_error err;
    char huge[3 * 4096 + 1];
    for (size_t i = 0; i < sizeof huge - 1; i += 3)
        memcpy(huge + i, "\xE2\x82\xAC", 3);
    huge[sizeof huge - 1] = '\0';
    for (int shift = 0; shift < 3; shift++) { /* so that the cut falls on each byte */
        tap_fail(&err, TAP_E_SERVICE, huge, "%.*s%s", shift, "ab", huge);
        assert_true(strlen(err.message) > sizeof err.message - 4);
        assert_true(tap_utf8_valid(err.message, strlen(err.message)));
        assert_true(tap_utf8_valid(err.name, strlen(err.name)));
    }
}

static void an_error_may_quote_the_error_that_it_replaces(void **state)
{
    (void)state;
    struct tap_error inner, err;
    tap_fail(&inner, TAP_E_NETWORK, "Refused", "connection refused");
    tap_fail(&err, TAP_E_NETWORK, inner.name, "sts: %s", inner.message);
    assert_string_equal(err.message, "sts: connection refused");
    assert_string_equal(err.name, "Refused");
}

static void every_code_has_a_class(void **state)
{
    (void)state;
    assert_string_equal(tap_error_class(TAP_OK), "none");
    assert_string_equal(tap_error_class(TAP_E_USAGE), "usage");
    assert_string_equal(tap_error_class(TAP_E_FAILED), "failed");
    for (tap_err code = TAP_OK; code >= TAP_E_FAILED; code--)
        assert_string_not_equal(tap_error_class(code), "unknown");
    assert_string_equal(tap_error_class(TAP_E_FAILED - 1), "unknown");
    assert_string_equal(tap_error_class(1), "unknown");
}

static void what_is_no_text_is_cut_all_the_same(void **state)
{
    (void)state;
    char field[8];
    tap_error_copy(field, sizeof field, "A\x89\x89\x89\x89\x89\x89\x89\x89\x89");
    assert_int_equal(strlen(field), 7);
    tap_error_copy(field, sizeof field, "\x89\x89\x89\x89\x89\x89\x89\x89\x89");
    assert_int_equal(strlen(field), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_cut_where_a_character_ends),
        cmocka_unit_test(what_is_no_text_is_cut_all_the_same),
        cmocka_unit_test(no_text_is_an_empty_field),
        cmocka_unit_test(failing_returns_the_code_and_forgets_the_error_before),
        cmocka_unit_test(a_parse_error_has_its_place),
        cmocka_unit_test(a_caller_that_does_not_care_may_pass_none),
        cmocka_unit_test(a_huge_message_is_cut_and_stays_text),
        cmocka_unit_test(an_error_may_quote_the_error_that_it_replaces),
        cmocka_unit_test(every_code_has_a_class),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
