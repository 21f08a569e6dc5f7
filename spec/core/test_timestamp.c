/*
 * Times in the three forms of AWS, there and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <time.h>

#include "core/timestamp.h"

static const struct {
    int64_t seconds;
    const char *basic, *iso, *http;
} times[] = {
    {0, "19700101T000000Z", "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
    {-1, "19691231T235959Z", "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
    {1440938160, "20150830T123600Z", "2015-08-30T12:36:00Z", "Sun, 30 Aug 2015 12:36:00 GMT"},
    {951782400, "20000229T000000Z", "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
    {1709251199, "20240229T235959Z", "2024-02-29T23:59:59Z", "Thu, 29 Feb 2024 23:59:59 GMT"},
    {4107542400, "21000301T000000Z", "2100-03-01T00:00:00Z", "Mon, 01 Mar 2100 00:00:00 GMT"},
    {-62135596800, "00010101T000000Z", "0001-01-01T00:00:00Z", "Mon, 01 Jan 0001 00:00:00 GMT"},
    {253402300799, "99991231T235959Z", "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
};

static void each_form_is_written_and_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[TAP_TIME_SIZE];
        double read = NAN;
        tap_time_basic(text, times[i].seconds);
        assert_string_equal(text, times[i].basic);
        assert_true(tap_time_parse(&read, text));
        assert_true(read == (double)times[i].seconds);

        tap_time_iso(text, (double)times[i].seconds, false);
        assert_string_equal(text, times[i].iso);
        assert_true(tap_time_parse(&read, text));
        assert_true(read == (double)times[i].seconds);

        tap_time_http(text, (double)times[i].seconds);
        assert_string_equal(text, times[i].http);
        assert_true(tap_time_parse(&read, text));
        assert_true(read == (double)times[i].seconds);
    }
}

static void every_day_of_four_centuries_is_the_calendars(void **state)
{
    (void)state;
    for (time_t t = -11644473600; t < 1009843200; t += 86400 + 7) { /* from 1601 to 2002 */
        struct tm tm;
        char expected[TAP_TIME_SIZE], got[TAP_TIME_SIZE];
        gmtime_r(&t, &tm);
        strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        tap_time_http(got, (double)t);
        assert_string_equal(got, expected);
    }
}

static void a_time_that_no_year_of_four_digits_holds_is_the_nearest(void **state)
{
    (void)state;
    char text[TAP_TIME_SIZE];
    tap_time_basic(text, INT64_MAX);
    assert_string_equal(text, "99991231T235959Z");
    tap_time_basic(text, INT64_MIN);
    assert_string_equal(text, "00010101T000000Z");
    tap_time_iso(text, INFINITY, true);
    assert_int_equal(text[0], '9');
    tap_time_iso(text, -INFINITY, false);
    assert_string_equal(text, "0001-01-01T00:00:00Z");
    tap_time_iso(text, NAN, true);
    tap_time_http(text, 1e300);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
}

static void milliseconds_are_exact(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        {1767225600, "2026-01-01T00:00:00.000Z"},
        {1767225600.123, "2026-01-01T00:00:00.123Z"},
        {1767225600.0004, "2026-01-01T00:00:00.000Z"},
        {1767225600.9996, "2026-01-01T00:00:01.000Z"},
        {-0.25, "1969-12-31T23:59:59.750Z"},
    };
    char text[TAP_TIME_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tap_time_iso(text, cases[i].seconds, true);
        assert_string_equal(text, cases[i].text);
    }
    for (int ms = 0; ms < 1000; ms++) {
        char again[TAP_TIME_SIZE];
        double read = NAN;
        tap_time_iso(text, 1767225600 + ms / 1000.0, true);
        assert_true(tap_time_parse(&read, text));
        tap_time_iso(again, read, true);
        assert_string_equal(again, text);
    }
    tap_time_iso(text, 1767225600.999, false);
    assert_string_equal(text, "2026-01-01T00:00:00Z");
}

static void offsets_and_fractions_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } cases[] = {
        {"2026-01-01T02:00:00+02:00", 1767225600},
        {"2025-12-31T20:30:00-0330", 1767225600},
        {"20260101T020000+0200", 1767225600},
        {"2026-01-01T00:00:00.5Z", 1767225600.5},
        {"2026-01-01T00:00:00.123456789Z", 1767225600.123456789},
        {"2026-01-01T02:00:00.25+02:00", 1767225600.25},
        {"Thu, 01 Jan 2026 00:00:00.456 GMT", 1767225600.456},
        {"2016-12-31T23:59:60Z", 1483228800}, /* the leap second */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double read = NAN;
        assert_true(tap_time_parse(&read, cases[i].text));
        assert_true(fabs(read - cases[i].seconds) < 1e-6);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "now",
        "2026",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+02",
        "2026-01-01T00:00:00ZZ",
        "20260101T00:00:00Z",
        "2026-01-01T000000Z",
        "Thu, 32 Jan 2026 00:00:00 GMT",
        "Thu, 01 Foo 2026 00:00:00 GMT",
        "Thu, 01 Jan 2026 00:00:00 CET",
        "Thu 01 Jan 2026 00:00:00 GMT",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        double read = 42;
        if (tap_time_parse(&read, wrong[i]))
            fail_msg("'%s' was read as a time", wrong[i]);
        assert_true(read == 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_written_and_read),
        cmocka_unit_test(every_day_of_four_centuries_is_the_calendars),
        cmocka_unit_test(a_time_that_no_year_of_four_digits_holds_is_the_nearest),
        cmocka_unit_test(milliseconds_are_exact),
        cmocka_unit_test(offsets_and_fractions_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests_name("timestamp", tests, NULL, NULL);
}
