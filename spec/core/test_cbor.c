/*
 * CBOR: the examples of RFC 8949, appendix A, in both directions; what is refused; the limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cbor.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"

static size_t from_hex(uint8_t *out, const char *hex)
{
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return n;
}

/* As JSON text, or the error's message after "!". The caller frees it. */
static char *parsed(const char *hex)
{
    uint8_t *bytes = tap_alloc(strlen(hex) / 2);
    struct tap_error err;
    json_t *value = NULL;
    tap_err code = tap_cbor_parse(&value, bytes, from_hex(bytes, hex), &err);
    assert_int_equal(code, err.code);
    char *text = code ? tap_sprintf("!%s", err.message) : tap_json_print(value);
    json_decref(value);
    tap_free(bytes);
    return text;
}

static const struct {
    const char *hex, *json;
} readings[] = {
    {"00", "0"},
    {"17", "23"},
    {"1818", "24"},
    {"1903e8", "1000"},
    {"1a000f4240", "1000000"},
    {"1b000000e8d4a51000", "1000000000000"},
    {"1b7fffffffffffffff", "9223372036854775807"},
    {"1bffffffffffffffff", "1.8446744073709552e19"},
    {"20", "-1"},
    {"3903e7", "-1000"},
    {"3b7fffffffffffffff", "-9223372036854775808"},
    {"f90000", "0.0"},
    {"f98000", "-0.0"},
    {"f93c00", "1.0"},
    {"fb3ff199999999999a", "1.1"},
    {"f97bff", "65504.0"},
    {"fa47c35000", "100000.0"},
    {"fa7f7fffff", "3.4028234663852886e38"},
    {"fb7e37e43c8800759c", "1e300"},
    {"f90001", "5.9604644775390625e-8"},
    {"f90400", "6.103515625e-5"},
    {"f9c400", "-4.0"},
    {"f97c00", "\"Infinity\""},
    {"f97e00", "\"NaN\""},
    {"f9fc00", "\"-Infinity\""},
    {"fa7fc00000", "\"NaN\""},
    {"fb7ff0000000000000", "\"Infinity\""},
    {"f4", "false"},
    {"f5", "true"},
    {"f6", "null"},
    {"f7", "null"},
    {"c11a514b67b0", "1363896240"},
    {"c1fb41d452d9ec200000", "1363896240.5"},
    {"d74401020304", "\"AQIDBA==\""},
    {"d818456449455446", "\"ZElFVEY=\""},
    {"40", "\"\""},
    {"4401020304", "\"AQIDBA==\""},
    {"60", "\"\""},
    {"6449455446", "\"IETF\""},
    {"62225c", "\"\\\"\\\\\""},
    {"62c3bc", "\"\303\274\""},
    {"80", "[]"},
    {"83010203", "[1,2,3]"},
    {"8301820203820405", "[1,[2,3],[4,5]]"},
    {"a0", "{}"},
    {"a26161016162820203", "{\"a\":1,\"b\":[2,3]}"},
    {"826161a161626163", "[\"a\",{\"b\":\"c\"}]"},
    {"5f42010243030405ff", "\"AQIDBAU=\""},
    {"7f657374726561646d696e67ff", "\"streaming\""},
    {"9fff", "[]"},
    {"9f018202039f0405ffff", "[1,[2,3],[4,5]]"},
    {"83019f0203ff820405", "[1,[2,3],[4,5]]"},
    {"bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}"},
    {"bf6346756ef563416d7421ff", "{\"Fun\":true,\"Amt\":-2}"},
    {"a2616101616102", "{\"a\":2}"},
};

static void the_examples_of_the_rfc_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
        char *text = parsed(readings[i].hex);
        if (strcmp(text, readings[i].json) != 0)
            fail_msg("%s: got %s, wanted %s", readings[i].hex, text, readings[i].json);
        tap_free(text);
    }
}

static const struct {
    const char *hex, *says;
} refusals[] = {
    {"", "ends where an item is expected"},
    {"18", "ends inside of an item"},
    {"1b00000000", "ends inside of an item"},
    {"1c", "of an unknown kind"},
    {"1f", "a number without an end"},
    {"df00", "a number without an end"},
    {"42ff", "ends inside of a string"},
    {"5bffffffffffffffff00", "ends inside of a string"},
    {"7f4101ff", "one of another kind"},
    {"7f7f6161ffff", "one of another kind"},
    {"7f6161", "ends where an item is expected"},
    {"61ff", "not UTF-8"},
    {"8201", "ends where an item is expected"},
    {"9bffffffffffffffff", "ends where an item is expected"},
    {"9f01", "ends where an item is expected"},
    {"bf6161ff", "an end of nothing"},
    {"a10102", "a key that is no text"},
    {"ff", "an end of nothing"},
    {"f8ff", "a simple value that is not known"},
    {"e0", "a simple value that is not known"},
    {"0000", "goes on after its end"},
};

static void what_is_broken_is_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        char *text = parsed(refusals[i].hex);
        if (*text != '!' || !strstr(text, refusals[i].says))
            fail_msg("%s: %s", refusals[i].hex, text);
        tap_free(text);
    }
}

static void an_error_tells_the_offset(void **state)
{
    (void)state;
    struct tap_error err;
    json_t *value = NULL;
    assert_int_equal(tap_cbor_parse(&value, "\x82\x01\xff", 3, &err), TAP_E_PARSE);
    assert_int_equal(err.column, 4); /* past the byte that is wrong */
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    static const char openers[] = {(char)0x81, (char)0x9f, (char)0xc1};
    char *bytes = tap_alloc(DEEP);
    for (size_t i = 0; i < sizeof openers; i++) {
        struct tap_error err;
        json_t *value = NULL;
        memset(bytes, openers[i], DEEP);
        assert_int_equal(tap_cbor_parse(&value, bytes, DEEP, &err), TAP_E_LIMIT);
        assert_null(value);
    }
    tap_free(bytes);
}

static void check_written(const struct tap_buf *out, const char *hex)
{
    char got[200];
    assert_true(out->len < sizeof got / 2);
    tap_hex(got, tap_buf_text(out), out->len);
    assert_string_equal(got, hex);
}

static const struct {
    int64_t value;
    const char *hex;
} integers[] = {
    {0, "00"},
    {23, "17"},
    {24, "1818"},
    {255, "18ff"},
    {256, "190100"},
    {65536, "1a00010000"},
    {4294967296, "1b0000000100000000"},
    {INT64_MAX, "1b7fffffffffffffff"},
    {-1, "20"},
    {-25, "3818"},
    {INT64_MIN, "3b7fffffffffffffff"},
};

static void items_are_written_in_their_shortest_form(void **state)
{
    (void)state;
    struct tap_buf out;
    tap_buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        tap_buf_reset(&out);
        tap_cbor_put_integer(&out, integers[i].value);
        check_written(&out, integers[i].hex);
    }
    tap_buf_reset(&out);
    tap_cbor_put_array(&out, 24);
    tap_cbor_put_map(&out, 2);
    tap_cbor_put_text(&out, "IETF", 4);
    tap_cbor_put_bytes(&out, "\1\2", 2);
    tap_cbor_put_boolean(&out, true);
    tap_cbor_put_boolean(&out, false);
    tap_cbor_put_null(&out);
    check_written(&out, "9818a26449455446420102f5f4f6");
    tap_buf_fini(&out);
}

static void floats_and_times_keep_their_width(void **state)
{
    (void)state;
    struct tap_buf out;
    tap_buf_init(&out, 1000);
    tap_cbor_put_float(&out, 1.0F);
    tap_cbor_put_double(&out, 1.1);
    tap_cbor_put_time(&out, 1363896240.5);
    check_written(&out, "fa3f800000fb3ff199999999999ac1fb41d452d9ec200000");
    tap_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_are_read),
        cmocka_unit_test(what_is_broken_is_refused_with_a_reason),
        cmocka_unit_test(an_error_tells_the_offset),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(items_are_written_in_their_shortest_form),
        cmocka_unit_test(floats_and_times_keep_their_width),
    };
    return cmocka_run_group_tests_name("cbor", tests, NULL, NULL);
}
