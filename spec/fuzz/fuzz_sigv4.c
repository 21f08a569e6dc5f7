/*
 * Signatures that a sandbox receives: the input is the request's target, and after a line break its
 * Authorization header.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "core/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tap_sigv4_claim claim;
    struct tap_request request;
    struct tap_error err;
    char *target = tap_strndup((const char *)data, size);
    char *authorization = strchr(target, '\n');
    tap_request_init(&request);
    tap_set(&request.method, "POST");
    tap_headers_add(&request.headers, "Host", "127.0.0.1:4566");
    tap_headers_add(&request.headers, "X-Amz-Date", "20260101T000000Z");
    if (authorization) {
        *authorization++ = '\0';
        tap_headers_add(&request.headers, "Authorization", authorization);
    }
    tap_set(&request.target, target);
    if (!tap_sigv4_claim(&claim, &request, &err)) {
        assert(tap_sigv4_verify(&request, &claim, "secret", 1767225600, &err));
        tap_free(claim.arena);
    }
    tap_request_fini(&request);
    tap_free(target);
    return 0;
}
