/*
 * What XML input can rely on: the tree is the text's, and hostile documents end in an error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/xml.h"

static struct tap_xml *parse(const char *text)
{
    struct tap_xml *xml = NULL;
    struct tap_error err;
    if (tap_xml_parse(&xml, text, strlen(text), &err))
        fail_msg("%s: %u:%u: %s", text, err.line, err.column, err.message);
    return xml;
}

static void elements_attributes_and_text_are_kept(void **state)
{
    (void)state;
    struct tap_xml *xml = parse("<?xml version=\"1.0\"?>\n<a x='1' p:y='&lt;2'>"
                                "one<b/> two<b> three </b><!-- no --><![CDATA[ <four>]]></a>");
    assert_string_equal(xml->name, "a");
    assert_string_equal(xml->text, "one two <four>");
    assert_int_equal(xml->n_attributes, 2);
    assert_string_equal(xml->attributes[0].name, "x");
    assert_string_equal(xml->attributes[1].name, "p:y");
    assert_string_equal(xml->attributes[1].value, "<2");
    assert_int_equal(xml->n_children, 2);
    assert_string_equal(xml->children[0]->text, "");
    assert_string_equal(xml->children[1]->text, " three ");
    assert_string_equal(tap_xml_child_text(xml, "b"), "");
    assert_null(tap_xml_child(xml, "c"));
    assert_null(tap_xml_child_text(xml, "c"));
    tap_xml_free(xml);
}

static void namespace_prefixes_of_elements_are_dropped(void **state)
{
    (void)state;
    struct tap_xml *xml = parse("<s:a xmlns:s='u'><s:b>1</s:b><b xmlns='v'>2</b></s:a>");
    assert_string_equal(xml->name, "a");
    assert_string_equal(tap_xml_child_text(xml, "b"), "1");
    assert_string_equal(xml->children[1]->name, "b");
    tap_xml_free(xml);
}

static void character_references_and_other_encodings_become_utf8(void **state)
{
    (void)state;
    struct tap_xml *xml = parse("<a>&#233;&#x20AC;&amp;&quot;&apos;&gt;</a>");
    assert_string_equal(xml->text, "\xC3\xA9\xE2\x82\xAC&\"'>");
    tap_xml_free(xml);
    xml = parse("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>");
    assert_string_equal(xml->text, "\xC3\xA9");
    tap_xml_free(xml);
}

static const struct {
    const char *text;
    unsigned line, column;
    const char *says;
} broken[] = {
    {"", 1, 1, "no element found"},
    {"text", 1, 1, "not well-formed"},
    {"<a>\n<b></a>", 2, 6, "mismatched tag"},
    {"<a>", 1, 4, "no element found"},
    {"<a><b", 1, 4, "unclosed token"},
    {"<a/><b/>", 1, 5, "junk after document element"},
    {"<a>&nbsp;</a>", 1, 4, "undefined entity"},
    {"<a x='1' x='2'/>", 1, 10, "duplicate attribute"},
    {"<a>\xFF</a>", 1, 4, "not well-formed"},
    {"<!DOCTYPE a><a/>", 1, 1, "a document type (<!DOCTYPE) is not accepted"},
    {"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", 1, 1, "is not accepted"},
    {"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", 1, 1, "is not accepted"},
};

static void what_is_not_xml_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct tap_xml *xml = NULL;
        struct tap_error err;
        const char *text = broken[i].text;
        assert_int_equal(tap_xml_parse(&xml, text, strlen(text), &err), TAP_E_PARSE);
        assert_null(xml);
        if (err.line != broken[i].line || !strstr(err.message, broken[i].says))
            fail_msg("%s: %u:%u: %s", text, err.line, err.column, err.message);
    }
}

static void nesting_and_size_are_limited(void **state)
{
    (void)state;
    struct tap_buf text;
    struct tap_error err;
    struct tap_xml *xml = NULL;
    tap_buf_init(&text, 100000);
    for (int i = 0; i < TAP_MAX_DEPTH + 1; i++)
        tap_buf_puts(&text, "<a>");
    assert_int_equal(tap_xml_parse(&xml, tap_buf_text(&text), text.len, &err), TAP_E_LIMIT);
    assert_int_equal(err.code, TAP_E_LIMIT);
    assert_string_equal(err.name, "TooDeep");
    assert_null(xml);
    assert_int_equal(tap_xml_parse(&xml, "", (size_t)TAP_MAX_DOCUMENT + 1, &err), TAP_E_LIMIT);
    tap_buf_fini(&text);
}

static void escaped_text_reads_back(void **state)
{
    (void)state;
    static const char text[] = "<a & \"b\"> 'c'\t\r\n]]> \xE2\x82\xAC";
    struct tap_buf out;
    tap_buf_init(&out, 1000);
    tap_buf_puts(&out, "<x y=\"");
    tap_xml_escape(&out, text, 3);
    tap_buf_puts(&out, "\">");
    tap_xml_escape(&out, text, sizeof text - 1);
    tap_buf_puts(&out, "</x>");
    struct tap_xml *xml = parse(tap_buf_text(&out));
    assert_string_equal(xml->text, text);
    assert_string_equal(xml->attributes[0].value, "<a ");
    tap_xml_free(xml);
    tap_buf_reset(&out);
    tap_xml_escape(&out, "\x01\0", 2);
    assert_string_equal(tap_buf_text(&out), "&#xFFFD;&#xFFFD;");
    tap_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_attributes_and_text_are_kept),
        cmocka_unit_test(namespace_prefixes_of_elements_are_dropped),
        cmocka_unit_test(character_references_and_other_encodings_become_utf8),
        cmocka_unit_test(what_is_not_xml_is_refused_with_its_place),
        cmocka_unit_test(nesting_and_size_are_limited),
        cmocka_unit_test(escaped_text_reads_back),
    };
    return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
