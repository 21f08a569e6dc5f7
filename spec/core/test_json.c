/*
 * What JSON input can rely on: values, limits, errors that point at the character that is wrong and
 * say what would be right, and the place of every node.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/mem.h"

static json_t *parse(const char *text)
{
    json_t *value = NULL;
    struct tap_error err;
    if (tap_json_parse(&value, text, strlen(text), NULL, &err))
        fail_msg("%s: %u:%u: %s", text, err.line, err.column, err.message);
    return value;
}

static void any_value_can_be_the_whole_text(void **state)
{
    (void)state;
    static const char *const same[] = {"null", "true", "12", "\"x\"", "[]", "{}", "[1,{\"a\":[]}]"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        json_t *value = parse(same[i]);
        char *text = tap_json_print(value);
        assert_string_equal(text, same[i]);
        tap_free(text);
        json_decref(value);
    }
}

static void printing_keeps_key_order_and_every_digit(void **state)
{
    (void)state;
    static const char *const same[] = {
        "{\"z\":1,\"a\":2,\"m\":{\"y\":1,\"b\":2}}",
        "[0.1,1.0,1767225600.123,-2.5e-7]",
        "[9007199254740993,-9223372036854775808]",
        "0.30000000000000004",
        "\"a\\u0000b\"",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        json_t *value = parse(same[i]);
        char *text = tap_json_print(value);
        json_t *again = parse(text);
        assert_true(json_equal(value, again));
        if (i != 1)
            assert_string_equal(text, same[i]);
        tap_free(text);
        json_decref(again);
        json_decref(value);
    }
}

static void a_byte_order_mark_is_accepted(void **state)
{
    (void)state;
    json_t *value = parse("\xEF\xBB\xBF{\"a\": 1}");
    assert_int_equal(json_integer_value(json_object_get(value, "a")), 1);
    json_decref(value);
}

static void the_last_of_two_equal_keys_wins(void **state)
{
    (void)state;
    json_t *value = parse("{\"a\": 1, \"a\": 2}");
    assert_int_equal(json_integer_value(json_object_get(value, "a")), 2);
    json_decref(value);
}

static const struct {
    const char *text;
    unsigned line, column;
    const char *says;
} broken[] = {
    {"", 1, 1, "empty"},
    {"  \n ", 2, 2, "empty"},
    {"{\"a\": 1,}", 1, 8, "comma has nothing after it"},
    {"[1,\n 2,\n]", 2, 3, "comma has nothing after it"},
    {"{\"a\": 1 \"b\": 2}", 1, 9, "is a comma missing before it"},
    {"{\"a\": 1\n \"b\": 2}", 2, 2, "found \"b\" where ',' or '}' belongs"},
    {"{\"a\" 1}", 1, 6, "found 1 where ':' belongs"},
    {"{\"a\": }", 1, 7, "found } where a value belongs"},
    {"{a: 1}", 1, 2, "found a: a key is a string in double quotes"},
    {"{1: 1}", 1, 2, "found 1: a key is a string in double quotes"},
    {"{\"a\": 'x'}", 1, 7, "strings are written in double quotes"},
    {"{\"a\": True}", 1, 7, "found True: write true"},
    {"{\"a\": None}", 1, 7, "write null"},
    {"{\"a\": x}", 1, 7, "a string is written in double quotes"},
    {"[01]", 1, 2, "not a number as JSON writes numbers"},
    {"[+1]", 1, 2, "not a number"},
    {"[1.]", 1, 2, "not a number"},
    {"[NaN]", 1, 2, "JSON cannot carry it"},
    {"[123456789012345678901234567890]", 1, 2, "too large; write it as a string"},
    {"[1e999]", 1, 2, "too large"},
    {"{\n  // note\n  \"a\": 1}", 2, 3, "JSON has no comments"},
    {"{\"a\": 1 /* x */}", 1, 9, "JSON has no comments"},
    {"{\"a\": \"x}\n", 1, 7, "no closing quote"},
    {"{\"a\": \"x\n y\"}", 1, 7, "no closing quote"},
    {"{\"a\": \"\\d\"}", 1, 8, "this escape is not known"},
    {"{\"a\": \"\xC3\xA9\xC3\xA9\\d\"}", 1, 10, "this escape is not known"},
    {"{\"\xC3\xA9\": \"\xE2\x82\xAC\", x}", 1, 12, "found x: a key is a string"},
    {"[\"\\u12\"]", 1, 3, "four hexadecimal digits"},
    {"[\"\\ud800\"]", 1, 3, "surrogate pair"},
    {"[\"\\udc00\"]", 1, 3, "surrogate pair"},
    {"{\"\\u0000\": 1}", 1, 3, "cannot hold the character"},
    {"[\"a\tb\"]", 1, 4, "a tab inside a string is written \\t"},
    {"[\"a\x01\"]", 1, 4, "control character"},
    {"[\"a\xFF\"]", 1, 4, "not UTF-8"},
    {"[\xFF]", 1, 2, "a byte that is not UTF-8"},
    {"{\"a\": [1, 2", 1, 12, "the list opened at line 1, column 7 is not closed: ']' is missing"},
    {"{\n\"a\": 1\n", 3, 1, "the object opened at line 1, column 1 is not closed: '}' is missing"},
    {"{\"a\": [1, 2}", 1, 12, "found } where ',' or ']' belongs"},
    {"{} {}", 1, 4, "found { after the end"},
    {"[1]]", 1, 4, "found ] after the end"},
    {"]", 1, 1, "found ] where a value belongs"},
    {"[,1]", 1, 2, "found , where a value belongs"},
    {"{\"a\":1,,}", 1, 8, "found , where a key belongs"},
};

static void an_error_points_at_the_character_and_says_what_is_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        json_t *value = NULL;
        struct tap_error err;
        const char *text = broken[i].text;
        assert_int_equal(tap_json_parse(&value, text, strlen(text), "a.json", &err), TAP_E_PARSE);
        assert_null(value);
        if (err.line != broken[i].line || err.column != broken[i].column ||
            !strstr(err.message, broken[i].says))
            fail_msg("%s: %u:%u: %s", text, err.line, err.column, err.message);
        assert_string_equal(err.file, "a.json");
        assert_string_equal(err.name, "InvalidJSON");
    }
}

static void a_nul_byte_between_tokens_is_an_error(void **state)
{
    (void)state;
    json_t *value = NULL;
    struct tap_error err;
    assert_int_equal(tap_json_parse(&value, "[1\0]", 4, NULL, &err), TAP_E_PARSE);
    assert_non_null(strstr(err.message, "where"));
}

static char *nested(size_t depth)
{
    char *text = tap_alloc(2 * depth + 1);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    return text;
}

static void nesting_is_limited(void **state)
{
    (void)state;
    char *fits = nested(TAP_MAX_DEPTH), *deep = nested(TAP_MAX_DEPTH + 1), *bomb = nested(1000000);
    json_t *value = parse(fits);
    struct tap_error err;
    json_decref(value);
    assert_int_equal(tap_json_parse(&value, deep, strlen(deep), "x", &err), TAP_E_LIMIT);
    assert_int_equal(err.code, TAP_E_LIMIT);
    assert_string_equal(err.name, "TooDeep");
    assert_int_equal(err.line, 1);
    assert_int_equal(err.column, TAP_MAX_DEPTH + 1);
    assert_int_equal(tap_json_parse(&value, bomb, strlen(bomb), "x", &err), TAP_E_LIMIT);
    tap_free(fits);
    tap_free(deep);
    tap_free(bomb);
}

static void brackets_inside_strings_do_not_count_as_nesting(void **state)
{
    (void)state;
    char *text = nested(2 * TAP_MAX_DEPTH);
    text[0] = '"';
    text[strlen(text) - 1] = '"';
    json_decref(parse(text));
    tap_free(text);
}

static void a_text_that_is_too_long_is_refused_unread(void **state)
{
    (void)state;
    json_t *value = NULL;
    struct tap_error err;
    assert_int_equal(tap_json_parse(&value, "", (size_t)TAP_MAX_DOCUMENT + 1, "x", &err),
                     TAP_E_LIMIT);
    assert_string_equal(err.name, "TooLarge");
}

static void check_mark(const struct tap_doc *doc, const char *path, bool found, unsigned key_line,
                       unsigned key_column, unsigned line, unsigned column)
{
    json_t *steps = parse(path);
    struct tap_mark key, value;
    assert_int_equal(tap_doc_mark(doc, steps, &key, &value), found);
    if (key.line != key_line || key.column != key_column || value.line != line ||
        value.column != column)
        fail_msg("%s: key %u:%u value %u:%u", path, key.line, key.column, value.line, value.column);
    json_decref(steps);
}

static struct tap_doc *document(const char *text)
{
    struct tap_doc *doc = NULL;
    struct tap_error err;
    if (tap_json_document(&doc, text, strlen(text), "t.json", &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.message);
    return doc;
}

static void every_node_of_a_document_knows_its_place(void **state)
{
    (void)state;
    struct tap_doc *doc = document("{\n"
                                   "  \"Resources\": {\n"
                                   "    \"T\\u00e4b\": { \"Type\": \"X\" },\n"
                                   "    \"\xC3\xA9\xC3\xA9\": [ 1, {\"a\": null} ]\n"
                                   "  }\n"
                                   "}\n");
    check_mark(doc, "[]", true, 1, 1, 1, 1);
    check_mark(doc, "[\"Resources\"]", true, 2, 3, 2, 16);
    check_mark(doc,
               "[\"Resources\", \"T\xC3\xA4"
               "b\", \"Type\"]",
               true, 3, 19, 3, 27);
    check_mark(doc, "[\"Resources\", \"\xC3\xA9\xC3\xA9\"]", true, 4, 5, 4, 11);
    check_mark(doc, "[\"Resources\", \"\xC3\xA9\xC3\xA9\", 0]", true, 4, 13, 4, 13);
    check_mark(doc, "[\"Resources\", \"\xC3\xA9\xC3\xA9\", 1, \"a\"]", true, 4, 17, 4, 22);
    check_mark(doc, "[\"Resources\", \"\xC3\xA9\xC3\xA9\", 2]", false, 4, 5, 4, 11);
    check_mark(doc, "[\"Resources\", \"No\", \"Type\"]", false, 2, 3, 2, 16);
    check_mark(doc, "[\"Resources\", 0]", false, 2, 3, 2, 16);
    tap_doc_free(doc);
}

static void duplicate_keys_are_recorded_with_both_lines(void **state)
{
    (void)state;
    struct tap_doc *doc = document("{\"R\": [0, {\n \"a\": 1,\n \"b\": 2,\n \"a\": {\"x\": 3}}]}");
    json_t *expected =
        parse("[{\"path\":[\"R\",1,\"a\"],\"line\":4,\"column\":2,\"first_line\":2}]");
    assert_true(json_equal(tap_doc_duplicates(doc), expected));
    check_mark(doc, "[\"R\", 1, \"a\", \"x\"]", true, 4, 8, 4, 13);
    json_decref(expected);
    tap_doc_free(doc);
}

static void a_flood_of_duplicates_is_cut_short(void **state)
{
    (void)state;
    struct tap_buf text;
    tap_buf_init(&text, 1000000);
    tap_buf_puts(&text, "{\"a\": 0");
    for (int i = 0; i < 3000; i++)
        tap_buf_puts(&text, ", \"a\": 1");
    tap_buf_puts(&text, "}");
    struct tap_doc *doc = document(tap_buf_text(&text));
    assert_int_equal(json_array_size(tap_doc_duplicates(doc)), 1000);
    tap_doc_free(doc);
    tap_buf_fini(&text);
}

static void large_objects_find_their_keys(void **state)
{
    (void)state;
    char text[4096] = "{", *at = text + 1;
    for (int i = 0; i < 100; i++)
        at += snprintf(at, 40, "\"k%d\":%d%s", i, i, i < 99 ? ",\n" : "}");
    struct tap_doc *doc = document(text);
    check_mark(doc, "[\"k0\"]", true, 1, 2, 1, 7);
    check_mark(doc, "[\"k77\"]", true, 78, 1, 78, 7);
    assert_int_equal(json_array_size(tap_doc_duplicates(doc)), 0);
    tap_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_value_can_be_the_whole_text),
        cmocka_unit_test(printing_keeps_key_order_and_every_digit),
        cmocka_unit_test(a_byte_order_mark_is_accepted),
        cmocka_unit_test(the_last_of_two_equal_keys_wins),
        cmocka_unit_test(an_error_points_at_the_character_and_says_what_is_right),
        cmocka_unit_test(a_nul_byte_between_tokens_is_an_error),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(brackets_inside_strings_do_not_count_as_nesting),
        cmocka_unit_test(a_text_that_is_too_long_is_refused_unread),
        cmocka_unit_test(every_node_of_a_document_knows_its_place),
        cmocka_unit_test(duplicate_keys_are_recorded_with_both_lines),
        cmocka_unit_test(a_flood_of_duplicates_is_cut_short),
        cmocka_unit_test(large_objects_find_their_keys),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
