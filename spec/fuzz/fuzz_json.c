/*
 * JSON: a document is accepted or refused with a place; what is accepted prints and reads back.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tap_doc *doc = NULL;
    struct tap_error err = {0};
    if (tap_json_document(&doc, (const char *)data, size, "x", &err)) {
        assert(err.code == TAP_E_LIMIT || (err.line && err.column));
        return 0;
    }
    char *text = tap_json_print(tap_doc_root(doc));
    json_t *again = NULL;
    assert(!tap_json_parse(&again, text, strlen(text), NULL, &err));
    assert(json_equal(again, tap_doc_root(doc)));
    json_decref(again);
    tap_free(text);
    tap_doc_free(doc);
    return 0;
}
