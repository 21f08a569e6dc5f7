/*
 * XML: accepted or refused with a place; text that is accepted survives escaping.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "core/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tap_xml *xml = NULL, *again = NULL;
    struct tap_error err = {0};
    if (tap_xml_parse(&xml, (const char *)data, size, &err)) {
        assert(err.line && err.column);
        return 0;
    }
    struct tap_buf out;
    tap_buf_init(&out, 10 * size + 100);
    tap_buf_puts(&out, "<a>");
    tap_xml_escape(&out, xml->text, strlen(xml->text));
    tap_buf_puts(&out, "</a>");
    assert(!tap_xml_parse(&again, tap_buf_text(&out), out.len, &err));
    assert(strcmp(again->text, xml->text) == 0);
    tap_buf_fini(&out);
    tap_xml_free(again);
    tap_xml_free(xml);
    return 0;
}
