/*
 * Percent-encoding: any text decodes or is refused; any bytes survive encoding and decoding.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tap_buf coded, plain;
    tap_buf_init(&coded, 3 * size);
    tap_buf_init(&plain, size);
    tap_uri_decode(&plain, (const char *)data, size, size % 2);
    tap_buf_reset(&plain);
    tap_uri_encode(&coded, (const char *)data, size, "");
    assert(tap_uri_decode(&plain, tap_buf_text(&coded), coded.len, true));
    assert(plain.len == size && memcmp(tap_buf_text(&plain), data, size) == 0);
    tap_buf_fini(&coded);
    tap_buf_fini(&plain);
    return 0;
}
