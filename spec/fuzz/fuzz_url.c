/*
 * Addresses of endpoints: a text is refused, or its parts together are the text.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "core/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = tap_strndup((const char *)data, size);
    struct tap_url url;
    if (!tap_url_split(&url, text)) {
        char *again =
            tap_sprintf("%s://%.*s%s", url.scheme, (int)url.authority_n, url.authority, url.path);
        assert(strcmp(again, text) == 0);
        assert(url.host_n && url.host_n <= url.authority_n);
        assert(!*url.path || *url.path == '/');
        tap_free(again);
    }
    tap_free(text);
    return 0;
}
