/*
 * JMESPath against its compliance suite, every case a test of its own; and what a caller can rely
 * on beyond it: errors with a place, the AWS CLI's extensions, limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>
#include <string.h>

#include "conformance.h"
#include "core/buf.h"
#include "core/jmespath.h"
#include "core/json.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- the compliance suite ---- */

struct compliance_case {
    json_t *given, *expected; /* of the file's tree */
};

/* Equality that does not use what is tested. */
static bool same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    if (json_typeof(a) != json_typeof(b) || json_array_size(a) != json_array_size(b) ||
        json_object_size(a) != json_object_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!same(json_array_get(a, i), json_array_get(b, i)))
            return false;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)a, key, value)
    {
        if (!json_object_get(b, key) || !same(value, json_object_get(b, key)))
            return false;
    }
    return json_is_array(a) || json_is_object(a) || json_equal(a, b);
}

static tap_err run(json_t **out, const char *expression, const json_t *given, struct tap_error *err)
{
    struct tap_jmespath *query;
    *out = NULL;
    tap_err code = tap_jmespath_compile(&query, expression, err);
    if (!code)
        code = tap_jmespath_search(out, query, given, err);
    tap_jmespath_free(query);
    return code;
}

static void gives_the_result(void **state)
{
    const struct compliance_case *test = *state;
    const char *expression = json_string_value(json_object_get(test->expected, "expression"));
    json_t *result, *expected = json_object_get(test->expected, "result");
    struct tap_error err;
    if (run(&result, expression, test->given, &err))
        fail_msg("%s: %s", err.name, err.message);
    if (!same(result, expected)) {
        char *got = tap_json_print(result), *wanted = tap_json_print(expected);
        print_error("got      %s\nexpected %s\n", got, wanted);
        tap_free(got);
        tap_free(wanted);
        fail();
    }
    json_decref(result);
}

static void gives_the_error(void **state)
{
    const struct compliance_case *test = *state;
    const char *expression = json_string_value(json_object_get(test->expected, "expression"));
    json_t *result;
    struct tap_error err = {0};
    assert_int_not_equal(run(&result, expression, test->given, &err), TAP_OK);
    assert_null(result);
    assert_string_equal(err.name, json_string_value(json_object_get(test->expected, "error")));
    assert_int_not_equal(err.column, 0);
}

/* The suite's benchmarks: "parse" compiles only, "full" searches too; neither says a result. */
static void runs(void **state)
{
    const struct compliance_case *test = *state;
    const char *expression = json_string_value(json_object_get(test->expected, "expression"));
    struct tap_error err;
    struct tap_jmespath *query;
    if (tap_jmespath_compile(&query, expression, &err))
        fail_msg("%s", err.message);
    if (strcmp(json_string_value(json_object_get(test->expected, "bench")), "parse") != 0) {
        json_t *result;
        if (tap_jmespath_search(&result, query, test->given, &err))
            fail_msg("%s", err.message);
        json_decref(result);
    }
    tap_jmespath_free(query);
}

static void add_case(struct test_list *list, const char *file, size_t group, size_t i,
                     json_t *given, json_t *expected)
{
    struct compliance_case *test = tap_alloc(sizeof *test);
    *test = (struct compliance_case){given, expected};
    char *text = json_dumps(json_object_get(expected, "expression"), JSON_ENCODE_ANY);
    char *name = tap_sprintf("%s %zu.%zu: %s", file, group, i, text);
    free(text);
    test_list_add(list, name,
                  json_object_get(expected, "result")  ? gives_the_result
                  : json_object_get(expected, "error") ? gives_the_error
                                                       : runs,
                  test);
}

/* Adds the cases of one file; its tree has to outlive them. */
static json_t *add_file(struct test_list *list, const char *folder, const char *file)
{
    char *path = tap_sprintf("%s/%s", folder, file);
    json_error_t why;
    json_t *groups = json_load_file(path, 0, &why), *group, *expected;
    if (!groups) {
        fprintf(stderr, "%s:%d: %s\n", path, why.line, why.text);
        exit(1);
    }
    tap_free(path);
    size_t g, i;
    json_array_foreach(groups, g, group)
    {
        json_array_foreach(json_object_get(group, "cases"), i, expected)
            add_case(list, file, g, i, json_object_get(group, "given"), expected);
    }
    return groups;
}

/* ---- beyond the suite ---- */

/* What `expression` gives for the JSON text `given`, as JSON or "name: message"; the caller frees
 * it (tap_free). */
static char *answer(const char *expression, const char *given)
{
    struct tap_error err;
    json_t *input, *result;
    if (tap_json_parse(&input, given, strlen(given), NULL, &err))
        fail_msg("%s", err.message);
    char *text = run(&result, expression, input, &err)
                     ? tap_sprintf("%s: %s", err.name, err.message)
                     : tap_json_print(result);
    json_decref(result);
    json_decref(input);
    return text;
}

static void check(const char *expression, const char *given, const char *expected)
{
    char *got = answer(expression, given);
    assert_string_equal(got, expected);
    tap_free(got);
}

static void mistakes_are_told_with_their_column_and_the_way_to_do_it_right(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "syntax: at column 1: the expression ends, but an expression has to stand here"},
        {"a.1", "syntax: at column 3: found 1, but a name has to follow the dot; an index is "
                "written [0]"},
        {"a[b]", "syntax: at column 3: found b, but an index, a slice or '*' has to follow '['; a "
                 "member is written .name"},
        {"a[0", "syntax: at column 4: the expression ends, but ']' has to close the index, or ':' "
                "to make it a slice"},
        {"a[?b = c]", "syntax: at column 6: a single '=' has no meaning; '==' compares"},
        {"a-b", "syntax: at column 2: a '-' belongs in front of the digits of an index"},
        {"a#b", "syntax: at column 2: '#' has no meaning here; a name that holds it is written "
                "\"in quotes\""},
        {"\"ä\" ö", "syntax: at column 5: 'ö' has no meaning here; a name that holds it is "
                    "written \"in quotes\""},
        {"a 'b", "syntax: at column 3: this string has no closing \"'\""},
        {"a.b c", "syntax: at column 5: found c, but an operator ('.', '[', '|', '||', '&&', '==' "
                  "...) or the end has to follow"},
        {"a{b: c}", "syntax: at column 2: found {, but a '.' has to stand before it, as in a.{key: "
                    "value}"},
        {"a |\n  | b", "syntax: at line 2, column 3: found |, but an expression has to stand here"},
        {"a[::0]", "invalid-value: at column 5: a slice cannot have a step of 0"},
        {"sortby(a, &b)", "unknown-function: at column 1: there is no function sortby(); did you "
                          "mean sort_by()?"},
        {"a || frobnicate(b)", "unknown-function: at column 6: there is no function frobnicate()"},
        {"length()", "invalid-arity: at column 1: length() takes 1 argument, but has 0"},
        {"not_null()", "invalid-arity: at column 1: not_null() takes at least 1 argument, but has "
                       "0"},
        {"sort_by(a, b)", "invalid-type: at column 12: argument 2 of sort_by() is an expression "
                          "for each element; write '&' before it"},
        {"length(&a)", "invalid-type: at column 8: argument 1 of length() is a value, without '&'"},
        {"a(b,)", "unknown-function: at column 1: there is no function a()"},
        {"[a()]", "unknown-function: at column 2: there is no function a()"},
        {"abs(a,)", "syntax: at column 7: found ), but an expression has to stand here"},
        {"&a", "syntax: at column 1: found &, but an expression has to stand here"},
        {"`{a: 1}`", "syntax: at column 1: this literal is not JSON: "},
        {"\"\\x\"", "syntax: at column 1: a quoted name is written as a JSON string: "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *got = answer(rows[i][0], "{}");
        size_t n = strlen(rows[i][1]);
        if (rows[i][1][n - 1] == ' ') /* another module's words follow */
            got[n] = '\0';
        assert_string_equal(got, rows[i][1]);
        tap_free(got);
    }
}

static void errors_of_data_name_the_function_the_argument_and_what_it_got(void **state)
{
    (void)state;
    static const char given[] =
        "{\"n\": 1, \"s\": \"x\", \"a\": [1, \"b\"], \"o\": [{\"k\": 1}, {}]}";
    check("n.abs(@) | abs(s)", given,
          "invalid-type: at column 12: argument 1 of abs() is a number; it got null");
    check("max(a)", given,
          "invalid-type: at column 1: argument 1 of max() is an array of numbers or an array of "
          "strings; it got string, in element 1");
    check("length(n)", given,
          "invalid-type: at column 1: argument 1 of length() is a string or an array or an object; "
          "it got number");
    check("sort_by(o, &k)", given,
          "invalid-type: at column 1: sort_by() orders by numbers or strings; of element 1 it got "
          "null");
    check("max_by(`[{\"k\": 1}, {\"k\": \"a\"}]`, &k)", given,
          "invalid-type: at column 1: max_by() orders by numbers or by strings; of element 1 it "
          "got a string, of those before a number");
    check("sum(`[1e308, 1e308]`)", given,
          "invalid-value: at column 1: the result of sum() is larger than a number can be");
}

static void queries_that_work_in_the_aws_cli_work_here(void **state)
{
    (void)state;
    static const char given[] =
        "{\"r\": [{\"i\": [{\"id\": \"i-1\", \"state\": \"running\", \"t\": \"2026-01-02\"},"
        " {\"id\": \"i-2\", \"state\": \"stopped\", \"t\": \"2025-12-31\"}]}]}";
    check("r[].i[?state==`running`].id[]", given, "[\"i-1\"]");
    check("r[].i[?t>='2026-01-01'].id | []", given, "[\"i-1\"]");
    check("r[].i[?t<`2026-01-01`].id | []", given, "[\"i-2\"]");
    check("r[*].i[*].[id, state]", given, "[[[\"i-1\",\"running\"],[\"i-2\",\"stopped\"]]]");
    check("r[].i[].[id, state][0]", given, "[\"i-1\",\"running\"]");
    check("r[].i[].{z: id, a: state}", given,
          "[{\"z\":\"i-1\",\"a\":\"running\"},{\"z\":\"i-2\",\"a\":\"stopped\"}]");
    check("r[].i[][id]", given, "[[\"i-1\"],[\"i-2\"]]");
    check("'a' < `1`", given, "null");
    check("r[].i[?!tags.name].id", given, "[[\"i-1\",\"i-2\"]]");
    check("!r[0].i", given, "false");
}

static void projections_go_on_to_the_end(void **state)
{
    (void)state;
    static const char given[] = "{\"a\": {\"x\": {\"b\": {\"c\": 1}}, \"y\": {\"b\": 2}},"
                                " \"l\": [[1, 2, {\"b\": 3}], [4, {\"b\": 5}]]}";
    check("a.*.b.c", given, "[1]");
    check("l[0][1:].b", given, "[3]");
    check("l[?@][?b]", given, "[[{\"b\":3}],[{\"b\":5}]]");
    check("l[*][-1].b", given, "[3,5]");
    check("l[*][-1].b | [0]", given, "3");
    check("l[][b][]", given, "[3,5]");
    check("(l[])[0]", given, "1");
}

static void numbers_keep_what_they_are(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"`1` == `1.0`", "true"},
        {"`9007199254740993` == `9007199254740992`", "false"},
        {"`true` == `1`", "false"},
        {"`[1, {\"a\": 2.0}]` == `[1.0, {\"a\": 2}]`", "true"},
        {"`{\"a\": 1}` == `{\"b\": 1}`", "false"},
        {"sum(`[1, 2]`)", "3"},
        {"sum(`[1, 0.5]`)", "1.5"},
        {"sum(`[]`)", "0"},
        {"sum(`[9223372036854775807, 1]`)", "9223372036854775808.0"},
        {"abs(`-9223372036854775808`)", "9223372036854775808.0"},
        {"[ceil(`1.2`), floor(`-1.2`), ceil(`3`), floor(`1e300`)]", "[2,-2,3,1e+300]"},
        {"[to_number('12'), to_number('-1.5e1'), to_number('1 '), to_number('0x1')]",
         "[12,-15.0,null,null]"},
        {"to_number('123456789012345678901')", "123456789012345680000.0"},
        {"[to_number('1e999'), to_number(''), to_number(`true`)]", "[null,null,null]"},
        {"`[0, 1, 2]`[-99999999999999999999:99999999999999999999]", "[0,1,2]"},
        {"`[0, 1, 2]`[99999999999999999999]", "null"},
        {"`[0, 1, 2]`[::-99999999999999999999]", "[2]"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *got = answer(rows[i][0], "0"); /* of null a list is null */
        json_t *a = json_loads(got, JSON_DECODE_ANY, NULL);
        json_t *b = json_loads(rows[i][1], JSON_DECODE_ANY, NULL);
        if (!a || !json_equal(a, b)) /* tells integers from reals */
            fail_msg("%s gives %s", rows[i][0], got);
        json_decref(a);
        json_decref(b);
        tap_free(got);
    }
}

static void text_is_counted_and_turned_by_characters(void **state)
{
    (void)state;
    check("length(@)", "\"aä€😀\"", "4");
    check("reverse(@)", "\"aä€😀\"", "\"😀€äa\"");
    check("contains(@, '€')", "\"aä€😀\"", "true");
    check("contains(@, `1`)", "\"a1\"", "false");
    check("[?@ > 'z']", "[\"a\", \"é\", \"😀\"]", "[\"é\",\"😀\"]");
    check("'it\\'s'", "null", "\"it's\"");
    check("`\"a\\`b\"`", "null", "\"a`b\"");
    check("length(@)", "\"a\\u0000b\"", "3");
    check("@ == 'a'", "\"a\\u0000b\"", "false");
}

static void sorting_keeps_the_order_of_equals(void **state)
{
    (void)state;
    check("sort_by(@, &k)[].v",
          "[{\"k\":2,\"v\":1},{\"k\":1,\"v\":2},{\"k\":2.0,\"v\":3},"
          "{\"k\":1,\"v\":4},{\"k\":0,\"v\":5}]",
          "[5,2,4,1,3]");
    check("[max_by(@, &k).v, min_by(@, &k).v]", "[{\"k\":1,\"v\":1},{\"k\":1,\"v\":2}]", "[1,1]");
    check("sort(@)", "[\"b\", \"a\", \"\", \"ab\"]", "[\"\",\"a\",\"ab\",\"b\"]");
    check("[sort(@), max(@), sort_by(@, &a), max_by(@, &a)]", "[]", "[[],null,[],null]");
}

static void keys_keep_their_order(void **state)
{
    (void)state;
    static const char given[] = "{\"z\":1,\"a\":{\"y\":1,\"b\":2},\"m\":3}";
    check("@", given, given);
    check("keys(@)", given, "[\"z\",\"a\",\"m\"]");
    check("values(a)", given, "[1,2]");
    check("merge(@, {b: z, z: `9`})", given, "{\"z\":9,\"a\":{\"y\":1,\"b\":2},\"m\":3,\"b\":1}");
    check("to_string(@)", given,
          "\"{\\\"z\\\":1,\\\"a\\\":{\\\"y\\\":1,\\\"b\\\":2},\\\"m\\\":3}\"");
    check("{a: m, b: z, a: `0`}", given, "{\"a\":0,\"b\":1}");
}

static void a_compiled_expression_serves_any_number_of_searches(void **state)
{
    (void)state;
    struct tap_jmespath *query;
    struct tap_error err;
    assert_int_equal(tap_jmespath_compile(&query, "a || `[1]`", &err), TAP_OK);
    for (int i = 0; i < 3; i++) {
        json_t *input = i == 1 ? json_pack("{s:i}", "a", 7) : json_object(), *result;
        assert_int_equal(tap_jmespath_search(&result, query, input, &err), TAP_OK);
        json_decref(input); /* the result does not need it */
        assert_int_equal(json_integer_value(i == 1 ? result : json_array_get(result, 0)),
                         i == 1 ? 7 : 1);
        json_decref(result);
    }
    tap_jmespath_free(query);
    tap_jmespath_free(NULL);
}

/* ---- limits ---- */

/* `part` n times, between `before` and `after`; the caller frees it (tap_free). */
static char *repeated(const char *before, const char *part, size_t n, const char *after)
{
    struct tap_buf text;
    tap_buf_init(&text, 1 << 20);
    tap_buf_puts(&text, before);
    while (n-- > 0)
        tap_buf_puts(&text, part);
    tap_buf_puts(&text, after);
    return tap_buf_take(&text, NULL);
}

static void check_limit(char *expression, const char *given, const char *name)
{
    struct tap_error err = {0};
    json_t *result, *input = json_loads(given, JSON_DECODE_ANY, NULL);
    assert_int_equal(run(&result, expression, input, &err), TAP_E_LIMIT);
    assert_string_equal(err.name, name);
    assert_null(result);
    json_decref(input);
    tap_free(expression);
}

static void expressions_too_long_or_too_deep_are_refused(void **state)
{
    (void)state;
    check_limit(repeated("", "a", TAP_JMESPATH_MAX_TEXT + 1, ""), "0", "TooLarge");
    static const char *const parts[] = {"(",  "[",   "{a:", "!",        "a[?",   "abs(", "a.",
                                        "a|", "a||", "*.",  "[*].a[*]", "a[0].", "a==",  "map(&"};
    for (size_t i = 0; i < COUNT(parts); i++)
        check_limit(repeated("", parts[i], TAP_JMESPATH_MAX_DEPTH + 1, "a"), "0", "TooDeep");
    char *fits = repeated("", "a.", TAP_JMESPATH_MAX_DEPTH - 10, "a");
    check(fits, "0", "null");
    tap_free(fits);
}

static void expressions_that_grow_without_end_end(void **state)
{
    (void)state;
    check_limit(repeated("", "[@,@]|", 60, "@"), "0", "TooLarge");
    check_limit(repeated("", "[@,@]|", 60, "to_string(@)"), "0", "TooLarge");
    check_limit(repeated("", "[@,@]|", 60, "@ == [@[0], @[1]]"), "0", "TooLarge");
    check_limit(repeated("", "[@,@][]|", 60, "@"), "[0]", "TooLarge");
    check_limit(repeated("", "join('',[@,@])|", 60, "@"), "\"abc\"", "TooLarge");
    check_limit(repeated("", "[@,@]|{a:@,b:@}|", 60, "@"), "0", "TooLarge");
    check_limit(repeated("", "[@]|", 400, "@"), "0", "TooDeep");
    check_limit(repeated("", "join('',[@,@])|", 20,
                         "[@,@] | [@,@][] | [@,@][] | [@,@][] | "
                         "[@,@][] | [@,@][] | [@,@][] | sort([@,@][])"),
                "\"abc\"", "TooLarge");
}

int main(void)
{
    static const struct CMUnitTest own[] = {
        cmocka_unit_test(mistakes_are_told_with_their_column_and_the_way_to_do_it_right),
        cmocka_unit_test(errors_of_data_name_the_function_the_argument_and_what_it_got),
        cmocka_unit_test(queries_that_work_in_the_aws_cli_work_here),
        cmocka_unit_test(projections_go_on_to_the_end),
        cmocka_unit_test(numbers_keep_what_they_are),
        cmocka_unit_test(text_is_counted_and_turned_by_characters),
        cmocka_unit_test(sorting_keeps_the_order_of_equals),
        cmocka_unit_test(keys_keep_their_order),
        cmocka_unit_test(a_compiled_expression_serves_any_number_of_searches),
        cmocka_unit_test(expressions_too_long_or_too_deep_are_refused),
        cmocka_unit_test(expressions_that_grow_without_end_end),
    };
    struct test_list list = {0};
    for (size_t i = 0; i < COUNT(own); i++)
        test_list_add(&list, tap_strdup(own[i].name), own[i].test_func, NULL);
    size_t first = list.n;
    char *folder = conformance_path("jmespath");
    json_t *files = json_array();
    struct dirent **entries = NULL;
    int found = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < found; i++) {
        if (entries[i]->d_name[0] != '.')
            json_array_append_new(files, add_file(&list, folder, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    if (list.n == first)
        test_list_add(&list, tap_strdup("the compliance suite"), conformance_is_absent, NULL);
    size_t n = list.n;
    void **cases = tap_calloc(n, sizeof *cases);
    for (size_t i = 0; i < n; i++)
        cases[i] = list.tests[i].initial_state;
    int failed = test_list_run(&list, "jmespath");
    for (size_t i = 0; i < n; i++)
        tap_free(cases[i]);
    tap_free(cases);
    tap_free(folder);
    json_decref(files);
    return failed;
}
