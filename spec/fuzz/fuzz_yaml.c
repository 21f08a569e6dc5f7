/*
 * YAML: a document is accepted or refused with a place; what is accepted prints as JSON.
 */
#include <assert.h>
#include <stdint.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tap_doc *doc = NULL;
    struct tap_error err = {0};
    if (tap_yaml_document(&doc, (const char *)data, size, "x", &err)) {
        assert(err.line && err.column && err.message[0]);
        return 0;
    }
    tap_free(tap_json_print(tap_doc_root(doc)));
    tap_doc_free(doc);
    return 0;
}
