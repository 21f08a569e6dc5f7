/*
 * What YAML input can rely on: the values that templates mean, CloudFormation's short forms, limits
 * that hold against hostile aliases, and errors in plain words at the right place.
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
#include "core/yaml.h"

static struct tap_doc *document(const char *text)
{
    struct tap_doc *doc = NULL;
    struct tap_error err;
    if (tap_yaml_document(&doc, text, strlen(text), "t.yml", &err))
        fail_msg("%s\n%u:%u: %s", text, err.line, err.column, err.message);
    return doc;
}

static void check_value(const char *yaml, const char *json)
{
    struct tap_doc *doc = document(yaml);
    char *got = tap_json_print(tap_doc_root(doc));
    assert_string_equal(got, json);
    tap_free(got);
    tap_doc_free(doc);
}

struct pair {
    const char *yaml, *json;
};

static void check_pairs(const struct pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_value(pairs[i].yaml, pairs[i].json);
}

static void plain_scalars_are_what_their_authors_mean(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"[true, yes, on, True, YES, On]", "[true,true,true,true,true,true]"},
        {"[false, no, off, FALSE, No, OFF]", "[false,false,false,false,false,false]"},
        {"[y, n, tRUE]", "[\"y\",\"n\",\"tRUE\"]"},
        {"[null, ~, Null, NULL, ]", "[null,null,null,null]"},
        {"a:\nb: ''\n", "{\"a\":null,\"b\":\"\"}"},
        {"[80, 0, -1, 9223372036854775807]", "[80,0,-1,9223372036854775807]"},
        {"[012, 0123456789, 123456789012, -0, +1]",
         "[\"012\",\"0123456789\",123456789012,\"-0\",\"+1\"]"},
        {"[9223372036854775808, 1_000, 0x1F, 12:30]",
         "[\"9223372036854775808\",\"1_000\",\"0x1F\",\"12:30\"]"},
        {"[0.5, 1.0, 1.50, .5, 1., 1e3, 1.5e3]",
         "[0.5,1.0,\"1.50\",\".5\",\"1.\",\"1e3\",\"1.5e3\"]"},
        {"[.inf, .nan, 2012-10-17, 2001-12-14t21:59:43.10-05:00]",
         "[\".inf\",\".nan\",\"2012-10-17\",\"2001-12-14t21:59:43.10-05:00\"]"},
        {"['80', \"true\", 'null']", "[\"80\",\"true\",\"null\"]"},
        {"a: |\n  true\nb: >-\n  12\n", "{\"a\":\"true\\n\",\"b\":\"12\"}"},
        {"80: a\ntrue: b\nnull: c\n1.0: d\n",
         "{\"80\":\"a\",\"true\":\"b\",\"null\":\"c\",\"1.0\":\"d\"}"},
        {"", "null"},
        {"# nothing but a comment\n", "null"},
        {"--- \n...\n", "null"},
        {"just text", "\"just text\""},
        {"\xEF\xBB\xBF"
         "a: 1",
         "{\"a\":1}"},
        {"%YAML 1.1\n---\na: \"\\u00e9\"", "{\"a\":\"\xC3\xA9\"}"},
    };
    check_pairs(pairs, sizeof pairs / sizeof *pairs);
}

static void short_forms_are_the_functions_they_stand_for(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"!Ref X", "{\"Ref\":\"X\"}"},
        {"!Condition X", "{\"Condition\":\"X\"}"},
        {"!Sub '${A}'", "{\"Fn::Sub\":\"${A}\"}"},
        {"!GetAtt A.B", "{\"Fn::GetAtt\":[\"A\",\"B\"]}"},
        {"!GetAtt A.B.C", "{\"Fn::GetAtt\":[\"A\",\"B.C\"]}"},
        {"!GetAtt A", "{\"Fn::GetAtt\":[\"A\"]}"},
        {"!GetAtt [A, B]", "{\"Fn::GetAtt\":[\"A\",\"B\"]}"},
        {"!GetAtt [A, !Ref B]", "{\"Fn::GetAtt\":[\"A\",{\"Ref\":\"B\"}]}"},
        {"!If [C, !Ref A, !Ref 'AWS::NoValue']",
         "{\"Fn::If\":[\"C\",{\"Ref\":\"A\"},{\"Ref\":\"AWS::NoValue\"}]}"},
        {"!Select [0, !GetAZs '']", "{\"Fn::Select\":[0,{\"Fn::GetAZs\":\"\"}]}"},
        {"a: !Join\n  - ','\n  - [x, y]\nb: 1",
         "{\"a\":{\"Fn::Join\":[\",\",[\"x\",\"y\"]]},\"b\":1}"},
        {"!Sub [x, {A: 1}]", "{\"Fn::Sub\":[\"x\",{\"A\":1}]}"},
        {"!Transform {Name: N}", "{\"Fn::Transform\":{\"Name\":\"N\"}}"},
        {"!Base64\n  Fn::Sub: x", "{\"Fn::Base64\":{\"Fn::Sub\":\"x\"}}"},
        {"!Base64 true", "{\"Fn::Base64\":\"true\"}"},
        {"!Not [!Equals [!Ref A, b]]", "{\"Fn::Not\":[{\"Fn::Equals\":[{\"Ref\":\"A\"},\"b\"]}]}"},
        {"!ImportValue x", "{\"Fn::ImportValue\":\"x\"}"},
        {"!ToJsonString [1]", "{\"Fn::ToJsonString\":[1]}"},
        {"!FindInMap [A, B, C]", "{\"Fn::FindInMap\":[\"A\",\"B\",\"C\"]}"},
        {"!Ref ''", "{\"Ref\":\"\"}"},
    };
    check_pairs(pairs, sizeof pairs / sizeof *pairs);
}

static void standard_tags_are_honoured(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"[!!str 80, !!str true, !!str ]", "[\"80\",\"true\",\"\"]"},
        {"[!!int '012', !!int \"-5\", !!float 2, !!float '1e3']", "[12,-5,2.0,1000.0]"},
        {"[!!bool 'yes', !!null '']", "[true,null]"},
        {"!!map {a: !!seq [1]}", "{\"a\":[1]}"},
        {"[! 12, ! [1], ! {! \"Ref\": x}]", "[\"12\",[1],{\"Ref\":\"x\"}]"},
    };
    check_pairs(pairs, sizeof pairs / sizeof *pairs);
}

static void aliases_and_merge_keys_are_resolved(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"[&a {x: 1}, *a, *a]", "[{\"x\":1},{\"x\":1},{\"x\":1}]"},
        {"[&a text, *a, &a other, *a]", "[\"text\",\"text\",\"other\",\"other\"]"},
        {"[&r !Ref X, *r]", "[{\"Ref\":\"X\"},{\"Ref\":\"X\"}]"},
        {"[&r !GetAtt X.Y, !Join ['', *r]]",
         "[{\"Fn::GetAtt\":[\"X\",\"Y\"]},{\"Fn::Join\":[\"\",{\"Fn::GetAtt\":[\"X\",\"Y\"]}]}]"},
        {"[&k key, {*k : 1}]", "[\"key\",{\"key\":1}]"},
        {"d: &d {a: 1, b: 2}\ne:\n  <<: *d\n  b: 3\n",
         "{\"d\":{\"a\":1,\"b\":2},\"e\":{\"b\":3,\"a\":1}}"},
        {"[&a {x: 1}, &b {x: 2, y: 2}, {<<: [*a, *b], z: 3}]",
         "[{\"x\":1},{\"x\":2,\"y\":2},{\"z\":3,\"x\":1,\"y\":2}]"},
        {"{'<<': 1}", "{\"<<\":1}"},
        {"{<<: {a: 1}}", "{\"a\":1}"},
    };
    check_pairs(pairs, sizeof pairs / sizeof *pairs);
}

static const struct {
    const char *text;
    unsigned line, column;
    const char *says;
} broken[] = {
    {"a: 1\n\tb: 2\n", 2, 1, "a tab cannot indent a line; use blanks"},
    {"a:\n\t- x\n", 2, 1, "a tab cannot indent a line"},
    {"a:\n  b: 1\n\tc: 2\n", 3, 1, "a tab cannot indent"},
    {"a: 1\nb 2\nc: 3\n", 2, 1, "not a \"key: value\" pair"},
    {"Resources:\n  T:\n    Type AWS::SNS::Topic\n    X: 1\n", 3, 5, "not a \"key: value\" pair"},
    {"a: b: c\n", 1, 5, "a \": \" cannot stand here"},
    {"a: \"x\nb: 1\n", 1, 4, "the quote that opens here is never closed"},
    {"a: 'x\nb: 1\n", 1, 4, "the quote that opens here is never closed"},
    {"a:\n    b: 1\n  c: 2\n", 3, 3, "not indented as the keys before it"},
    {"- a\nb: 1\n", 2, 1, "a list element"},
    {"a: [1, 2\nb: 3\n", 2, 2, "',' or ']' belongs here"},
    {"a: {b: 1\nc: 2\n", 2, 2, "',' or '}' belongs here"},
    {"a: - b\n", 1, 4, "on a line of its own"},
    {"a: @x\n", 1, 4, "begins with '@' needs quotes"},
    {"a: `x`\n", 1, 4, "begins with '`' needs quotes"},
    {"a: %x\n", 1, 4, "begins with '%' needs quotes"},
    {"Resource: *\n", 1, 11, "begins with '*' needs quotes"},
    {"Resource: *foo\n", 1, 11, "no anchor &foo before this"},
    {"a: &x [*x]\n", 1, 8, "no anchor &x before this"},
    {"a: \"\\d\"\n", 1, 5, "escape is not known in double quotes"},
    {"a: !Base64 !Sub x\n", 1, 12, "two short forms cannot stand together"},
    {"a: !Reff X\n", 1, 4, "!Reff is not a short form (did you mean !Ref?)"},
    {"a: !getatt X.Y\n", 1, 4, "did you mean !GetAtt?"},
    {"a: !Frobnicate X\n", 1, 4, "!Frobnicate is not a short form of"},
    {"a: !!binary aGk=\n", 1, 4, "!!"},
    {"a: !!set {x}\n", 1, 4, "!!"},
    {"a: !!omap [x: 1]\n", 1, 4, "!!"},
    {"a: !!timestamp 2001-01-01\n", 1, 4, "!!"},
    {"a: !!int x\n", 1, 4, "does not fit its !!tag"},
    {"a: !!map [1]\n", 1, 4, "!!"},
    {"a: 1\n---\nb: 2\n", 2, 1, "a second document begins here"},
    {"? [a]\n: 1\n", 1, 3, "a key must be plain text"},
    {"{!Ref a: 1}\n", 1, 2, "a key cannot be a function"},
    {"\"a\\0b\": 1\n", 1, 1, "a key cannot hold"},
    {"a: {<<: 1}\n", 1, 5, "must name a mapping"},
    {"a: {<<: [1]}\n", 1, 5, "must name a mapping"},
    {"a: \x01\n", 1, 4, "control character"},
    {"a: b\n\xC3\xA9: \xFF\n", 2, 4, "not UTF-8"},
    {"\xFF\xFE"
     "a",
     1, 1, "save the file as UTF-8"},
    {"\xEF\xBB\xBF"
     "a: @\n",
     1, 4, "needs quotes"},
    {"a: ? b\n", 1, 4, "a key cannot stand here"},
    {"a: |x\n  b\n", 1, 5, "the text begins on the next line"},
    {"a: b\n  c: d\n", 2, 4, "a \": \" cannot stand here"},
};

static void an_error_is_a_plain_sentence_at_the_right_place(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct tap_doc *doc = NULL;
        struct tap_error err;
        const char *text = broken[i].text;
        tap_err code = tap_yaml_document(&doc, text, strlen(text), "t.yml", &err);
        if (code != TAP_E_PARSE) {
            print_error("%saccepted\n", text);
            wrong++;
            tap_doc_free(doc);
        } else if (err.line != broken[i].line || err.column != broken[i].column ||
                   !strstr(err.message, broken[i].says)) {
            print_error("%s%u:%u: %s\n", text, err.line, err.column, err.message);
            wrong++;
        } else {
            assert_null(doc);
            assert_string_equal(err.file, "t.yml");
        }
    }
    assert_int_equal(wrong, 0);
}

static void check_mark(const struct tap_doc *doc, const char *path, bool found, unsigned key_line,
                       unsigned key_column, unsigned line, unsigned column)
{
    json_t *steps = json_loads(path, 0, NULL);
    struct tap_mark key, value;
    assert_int_equal(tap_doc_mark(doc, steps, &key, &value), found);
    if (key.line != key_line || key.column != key_column || value.line != line ||
        value.column != column)
        fail_msg("%s: key %u:%u value %u:%u", path, key.line, key.column, value.line, value.column);
    json_decref(steps);
}

static void every_node_knows_its_place(void **state)
{
    (void)state;
    struct tap_doc *doc = document("Resources:\n"
                                   "  \xC3\xA9\xC3\xA9: &t\n"
                                   "    Type: X\n"
                                   "    Value: !Ref A\n"
                                   "    Attr: !GetAtt A.B\n"
                                   "  Copy: *t\n"
                                   "  Merged:\n"
                                   "    <<: *t\n"
                                   "    Type: Y\n"
                                   "List:\n"
                                   "- a\n"
                                   "- \xE2\x82\xAC: [1, 2]\n");
    check_mark(doc, "[]", true, 1, 1, 1, 1);
    check_mark(doc, "[\"Resources\"]", true, 1, 1, 2, 3);
    check_mark(doc, "[\"Resources\", \"\xC3\xA9\xC3\xA9\", \"Type\"]", true, 3, 5, 3, 11);
    check_mark(doc, "[\"Resources\", \"\xC3\xA9\xC3\xA9\", \"Value\"]", true, 4, 5, 4, 12);
    check_mark(doc, "[\"Resources\", \"\xC3\xA9\xC3\xA9\", \"Value\", \"Ref\"]", true, 4, 12, 4,
               12);
    check_mark(doc, "[\"Resources\", \"\xC3\xA9\xC3\xA9\", \"Attr\", \"Fn::GetAtt\", 1]", true, 5,
               11, 5, 11);
    check_mark(doc, "[\"Resources\", \"Copy\"]", true, 6, 3, 6, 9);
    check_mark(doc, "[\"Resources\", \"Copy\", \"Type\"]", true, 3, 5, 3, 11);
    check_mark(doc, "[\"Resources\", \"Merged\", \"Type\"]", true, 9, 5, 9, 11);
    check_mark(doc, "[\"Resources\", \"Merged\", \"Value\"]", true, 4, 5, 4, 12);
    check_mark(doc, "[\"Resources\", \"Merged\", \"<<\"]", false, 7, 3, 8, 5);
    check_mark(doc, "[\"List\", 0]", true, 11, 3, 11, 3);
    check_mark(doc, "[\"List\", 1, \"\xE2\x82\xAC\", 1]", true, 12, 10, 12, 10);
    check_mark(doc, "[\"List\", 2]", false, 10, 1, 11, 1);
    tap_doc_free(doc);
}

static void duplicate_keys_are_recorded_and_the_last_wins(void **state)
{
    (void)state;
    struct tap_doc *doc = document("a:\n- x: 1\n  y: 2\n  x: !Sub z\n");
    json_t *expected = json_loads(
        "[{\"path\":[\"a\",0,\"x\"],\"line\":4,\"column\":3,\"first_line\":2}]", 0, NULL);
    assert_true(json_equal(tap_doc_duplicates(doc), expected));
    check_mark(doc, "[\"a\", 0, \"x\"]", true, 4, 3, 4, 6);
    char *got = tap_json_print(tap_doc_root(doc));
    assert_string_equal(got, "{\"a\":[{\"x\":{\"Fn::Sub\":\"z\"},\"y\":2}]}");
    tap_free(got);
    json_decref(expected);
    tap_doc_free(doc);
}

static void check_limit(const char *text, const char *name)
{
    struct tap_doc *doc = NULL;
    struct tap_error err;
    assert_int_equal(tap_yaml_document(&doc, text, strlen(text), NULL, &err), TAP_E_LIMIT);
    assert_null(doc);
    assert_int_equal(err.code, TAP_E_LIMIT);
    assert_string_equal(err.name, name);
    assert_true(err.line > 0);
}

static void a_billion_laughs_end_in_an_error(void **state)
{
    (void)state;
    char text[4096] = "a0: &a0 lol\n";
    size_t n = strlen(text);
    for (int i = 1; i <= 9; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            n += (size_t)snprintf(text + n, sizeof text - n, "*a%d%s", i - 1, j < 9 ? "," : "]\n");
    }
    check_limit(text, "TooLarge");
}

static void merges_cannot_multiply_without_limit(void **state)
{
    (void)state;
    struct tap_buf text;
    tap_buf_init(&text, 10000000);
    tap_buf_puts(&text, "a: &a {");
    for (int i = 0; i < 2000; i++)
        tap_buf_printf(&text, "k%d: 1, ", i);
    tap_buf_puts(&text, "}\nb:\n");
    for (int i = 0; i < 2000; i++)
        tap_buf_puts(&text, "- {<<: *a}\n");
    check_limit(tap_buf_text(&text), "TooLarge");
    tap_buf_fini(&text);
}

static void nesting_is_limited_through_aliases_too(void **state)
{
    (void)state;
    struct tap_buf text;
    tap_buf_init(&text, 10000000);
    for (int i = 0; i < 100000; i++)
        tap_buf_putc(&text, '[');
    check_limit(tap_buf_text(&text), "TooDeep");
    tap_buf_reset(&text);
    tap_buf_puts(&text, "- &a0 [x]\n");
    for (int i = 1; i < 1000; i++)
        tap_buf_printf(&text, "- &a%d [*a%d]\n", i, i - 1);
    check_limit(tap_buf_text(&text), "TooDeep");
    tap_buf_fini(&text);
}

static void a_file_of_either_kind_is_read_by_its_first_character(void **state)
{
    (void)state;
    static const struct pair files[] = {
        {"\xEF\xBB\xBF\n {\"a\": 1}", "{\"a\":1}"},
        {"[1, 2]", "[1,2]"},
        {"a: {b: !Ref c}", "{\"a\":{\"b\":{\"Ref\":\"c\"}}}"},
    };
    struct tap_doc *doc = NULL;
    struct tap_error err;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *text = files[i].yaml;
        assert_int_equal(tap_document(&doc, text, strlen(text), "t", &err), TAP_OK);
        char *got = tap_json_print(tap_doc_root(doc));
        assert_string_equal(got, files[i].json);
        tap_free(got);
        tap_doc_free(doc);
    }
    assert_int_equal(tap_document(&doc, "{a: 1}", 6, "t", &err), TAP_E_PARSE);
    assert_string_equal(err.name, "InvalidJSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_scalars_are_what_their_authors_mean),
        cmocka_unit_test(short_forms_are_the_functions_they_stand_for),
        cmocka_unit_test(standard_tags_are_honoured),
        cmocka_unit_test(aliases_and_merge_keys_are_resolved),
        cmocka_unit_test(an_error_is_a_plain_sentence_at_the_right_place),
        cmocka_unit_test(every_node_knows_its_place),
        cmocka_unit_test(duplicate_keys_are_recorded_and_the_last_wins),
        cmocka_unit_test(a_billion_laughs_end_in_an_error),
        cmocka_unit_test(merges_cannot_multiply_without_limit),
        cmocka_unit_test(nesting_is_limited_through_aliases_too),
        cmocka_unit_test(a_file_of_either_kind_is_read_by_its_first_character),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
