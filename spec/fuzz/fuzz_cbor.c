/*
 * CBOR: whatever is read is a tree that can be printed; what cannot be read has its reason.
 */
#include <assert.h>
#include <stdint.h>

#include "core/cbor.h"
#include "core/json.h"
#include "core/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tap_error err;
    json_t *value = NULL;
    tap_err code = tap_cbor_parse(&value, data, size, &err);
    assert(!code == (value != NULL) && err.code == code && (!code || err.message[0]));
    if (!code)
        tap_free(tap_json_print(value));
    json_decref(value);
    return 0;
}
