/*
 * AWS's INI files, line by line as botocore reads them: what is taken, what is ignored, and where
 * an error is said to be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/ini.h"
#include "core/mem.h"
#include "core/words.h"

static struct tap_ini *ini;
static struct tap_error err;

static int release(void **state)
{
    (void)state;
    tap_ini_free(ini);
    ini = NULL;
    tap_error_clear(&err);
    return 0;
}

static void parse(const char *text)
{
    release(NULL);
    if (tap_ini_parse(&ini, text, strlen(text), "f", &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.message);
}

static void assert_value(const char *section, const char *key, const char *value)
{
    const struct tap_ini_section *found = tap_ini_section(ini, section);
    assert_non_null(found);
    const char *is = tap_ini_value(found, key);
    if (!is || !value)
        assert_ptr_equal(is, value);
    else
        assert_string_equal(is, value);
}

static void sections_hold_keys_and_values(void **state)
{
    (void)state;
    parse("[default]\nregion = eu-west-1\noutput:json\n\n[ profile web ] and more\nregion=x=y\n");
    assert_int_equal(ini->n, 2);
    assert_value("default", "region", "eu-west-1");
    assert_value("default", "output", "json");
    assert_value("profile web", "region", "x=y");
    assert_value("default", "nothing", NULL);
    assert_null(tap_ini_section(ini, "web"));
    assert_int_equal(ini->sections[1].line, 5);
}

static void names_of_keys_do_not_depend_on_case(void **state)
{
    (void)state;
    parse("[a]\nAWS_Access_Key_ID = AKID\n");
    assert_value("a", "aws_access_key_id", "AKID");
}

static void comments_are_whole_lines(void **state)
{
    (void)state;
    parse("# one\n[a]\n; two\n  # three\nx = 1 # not a comment\ny = ;neither\n");
    assert_value("a", "x", "1 # not a comment");
    assert_value("a", "y", ";neither");
}

static void an_empty_value_counts_as_none(void **state)
{
    (void)state;
    parse("[a]\nx =\ny =   \nz = 1");
    assert_value("a", "x", NULL);
    assert_value("a", "y", NULL);
    assert_value("a", "z", "1");
}

static void deeper_lines_go_on_with_a_value(void **state)
{
    (void)state;
    parse("[a]\nx = one\n  two\n # left out\n\n  three\ny = 2\n");
    assert_value("a", "x", "one\ntwo\n\nthree");
    assert_value("a", "y", "2");
}

static void keys_may_be_indented_alike(void **state)
{
    (void)state;
    parse("[a]\n  x = 1\n  y = 2\n[b]\nx = 3\n");
    assert_value("a", "x", "1");
    assert_value("a", "y", "2");
    assert_value("b", "x", "3");
}

static void deeper_lines_below_an_empty_value_are_nested_settings(void **state)
{
    (void)state;
    parse("[services dev]\ns3 =\n  endpoint_url = http://a\n\n  # c\n    max = 2\n  max = 3\n"
          "sts =\n\tendpoint_url = http://b\n");
    const struct tap_ini_section *services = tap_ini_section(ini, "services dev");
    const struct tap_ini_key *s3 = tap_ini_key(services, "s3");
    assert_string_equal(tap_ini_nested(s3, "endpoint_url"), "http://a");
    assert_string_equal(tap_ini_nested(s3, "max"), "3"); /* the last one holds */
    assert_int_equal(s3->n_nested, 2);
    assert_string_equal(tap_ini_nested(tap_ini_key(services, "sts"), "endpoint_url"), "http://b");
    assert_null(tap_ini_nested(s3, "other"));
    assert_null(tap_ini_nested(NULL, "other"));
}

static void windows_files_and_byte_order_marks_are_read(void **state)
{
    (void)state;
    parse("\xef\xbb\xbf[a]\r\nx = 1\r\ny =\r\n  n = 2\r\n");
    assert_value("a", "x", "1");
    assert_string_equal(tap_ini_nested(tap_ini_key(tap_ini_section(ini, "a"), "y"), "n"), "2");
}

static void an_empty_file_has_no_sections(void **state)
{
    (void)state;
    parse("");
    assert_int_equal(ini->n, 0);
    parse("\n\n# nothing\n");
    assert_int_equal(ini->n, 0);
}

static void broken_files_are_refused_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line, column;
        const char *says;
    } rows[] = {
        {"x = 1\n", 1, 1, "[default] must come before"},
        {"[a]\nx = 1\n  y\nz\n", 4, 1, "neither a [section] nor a 'key = value'"},
        {"[a]\n   word\n", 2, 4, "neither"},
        {"[a\nx = 1\n", 1, 1, "between '[' and ']'"},
        {"[]\n", 1, 1, "between '[' and ']'"},
        {"[a]\n = 1\n", 2, 2, "a key's name"},
        {"[a]\nx=1\n[b]\n[a]\n", 4, 1, "[a] stands here and in line 1"},
        {"[a]\nx = 1\nX = 2\n", 3, 1, "'x' stands here and in line 2"},
        {"[a]\ns3 =\n  word\n", 3, 3, "'name = value' is expected"},
        {"[a]\ns3 =\n  = word\n", 3, 3, "'name = value' is expected"},
        {"[a]\nx = \xc3\xa4\xff\n", 2, 6, "no UTF-8"},
        {"[a]\nx = \xc3", 2, 5, "no UTF-8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(tap_ini_parse(&ini, rows[i].text, strlen(rows[i].text), "f", &err),
                         TAP_E_PARSE);
        assert_null(ini);
        assert_string_equal(err.file, "f");
        if (err.line != rows[i].line || err.column != rows[i].column ||
            !strstr(err.message, rows[i].says))
            fail_msg("row %zu: %u:%u: %s", i, err.line, err.column, err.message);
    }
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    assert_int_equal(tap_ini_parse(&ini, "[a]\nx\0 = 1", 10, NULL, &err), TAP_E_PARSE);
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 2);
}

static void an_error_never_shows_a_value(void **state)
{
    (void)state;
    static const char *const texts[] = {"[a]\nx = SECRET\nx = SECRET\n", "SECRET\n",
                                        "[a]\nSECRET\n", "[a]\nx =\n  SECRET\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_not_equal(tap_ini_parse(&ini, texts[i], strlen(texts[i]), "f", &err), TAP_OK);
        assert_null(strstr(err.message, "SECRET"));
    }
}

/* `head`, then `line` (with one %d) n times. */
static tap_err parse_many(const char *head, const char *line, int n)
{
    struct tap_buf text;
    tap_buf_init(&text, 8 * 1024 * 1024);
    tap_buf_puts(&text, head);
    for (int i = 0; i < n; i++) {
        tap_buf_printf(&text,
                       line[0] == '['   ? "[s%d]\n"
                       : line[0] == ' ' ? "  n%d = 1\n"
                                        : "k%d=1\n",
                       i);
    }
    tap_err code = tap_ini_parse(&ini, tap_buf_text(&text), text.len, "f", &err);
    tap_buf_fini(&text);
    release(NULL);
    return code;
}

static void files_that_are_too_large_are_refused(void **state)
{
    (void)state;
    assert_int_equal(parse_many("", "[", TAP_INI_MAX_SECTIONS), TAP_OK);
    assert_int_equal(parse_many("", "[", TAP_INI_MAX_SECTIONS + 1), TAP_E_LIMIT);
    assert_int_equal(parse_many("[a]\n", "k", TAP_INI_MAX_KEYS), TAP_OK);
    assert_int_equal(parse_many("[a]\n", "k", TAP_INI_MAX_KEYS + 1), TAP_E_LIMIT);
    assert_int_equal(parse_many("[a]\nx =\n", " ", TAP_INI_MAX_KEYS), TAP_OK);
    assert_int_equal(parse_many("[a]\nx =\n", " ", TAP_INI_MAX_KEYS + 1), TAP_E_LIMIT);
    char *large = tap_alloc(TAP_INI_MAX_FILE + 1);
    memset(large, '\n', TAP_INI_MAX_FILE + 1);
    assert_int_equal(tap_ini_parse(&ini, large, TAP_INI_MAX_FILE, "f", &err), TAP_OK);
    release(NULL);
    assert_int_equal(tap_ini_parse(&ini, large, TAP_INI_MAX_FILE + 1, "f", &err), TAP_E_LIMIT);
    tap_free(large);
}

/* ---- words ---- */

static void words_are_split_as_a_shell_splits_them(void **state)
{
    (void)state;
    static const struct {
        const char *line, *words; /* joined by '|'; NULL: refused */
    } rows[] = {
        {"", ""},
        {"  \t ", ""},
        {"a b  c ", "a|b|c"},
        {"profile \"two words\"", "profile|two words"},
        {"a 'b \\ \"c' d", "a|b \\ \"c|d"},
        {"\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d"},
        {"a\\ b c", "a b|c"},
        {"''", ""},
        {"x'y'\"z\"", "xyz"},
        {"'open", NULL},
        {"\"open\\\"", NULL},
        {"end\\", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tap_words words;
        bool is_split = tap_words_split(&words, rows[i].line);
        if (is_split != (rows[i].words != NULL))
            fail_msg("row %zu", i);
        struct tap_buf joined;
        tap_buf_init(&joined, 1000);
        for (size_t w = 0; is_split && w < words.n; w++)
            tap_buf_printf(&joined, "%s%s", w ? "|" : "", words.items[w]);
        if (is_split)
            assert_string_equal(tap_buf_text(&joined), rows[i].words);
        tap_buf_fini(&joined);
        tap_words_fini(&words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sections_hold_keys_and_values, release),
        cmocka_unit_test_teardown(names_of_keys_do_not_depend_on_case, release),
        cmocka_unit_test_teardown(comments_are_whole_lines, release),
        cmocka_unit_test_teardown(an_empty_value_counts_as_none, release),
        cmocka_unit_test_teardown(deeper_lines_go_on_with_a_value, release),
        cmocka_unit_test_teardown(keys_may_be_indented_alike, release),
        cmocka_unit_test_teardown(deeper_lines_below_an_empty_value_are_nested_settings, release),
        cmocka_unit_test_teardown(windows_files_and_byte_order_marks_are_read, release),
        cmocka_unit_test_teardown(an_empty_file_has_no_sections, release),
        cmocka_unit_test_teardown(broken_files_are_refused_with_the_place, release),
        cmocka_unit_test_teardown(a_nul_byte_is_refused, release),
        cmocka_unit_test_teardown(an_error_never_shows_a_value, release),
        cmocka_unit_test_teardown(files_that_are_too_large_are_refused, release),
        cmocka_unit_test_teardown(words_are_split_as_a_shell_splits_them, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
