/*
 * Requests that a sandbox receives: the form is the input. What it reads can be validated, and what
 * is valid is sent again as a request.
 */
#include <assert.h>
#include <stdint.h>

#include "core/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tap_model *model = NULL;
    const json_t *operation = NULL;
    json_t *input = NULL;
    struct tap_request request;
    struct tap_error err;
    assert(!tap_model_load(&model, "cloudformation", &err));
    tap_request_init(&request);
    tap_set(&request.method, "POST");
    tap_set(&request.target, "/");
    if (size && data[0] == 0x1F) /* gzip begins so */
        tap_headers_set(&request.headers, "Content-Encoding", "gzip");
    tap_buf_add(&request.body, data, size);
    tap_err code = tap_protocol_query.read_request(&operation, &input, model, &request, &err);
    assert(!code || err.http_status >= 400);
    if (!code && !tap_validate_input(model, operation, input, &err))
        assert(!tap_protocol_query.build_request(&request, model, operation, input, &err));
    json_decref(input);
    tap_request_fini(&request);
    return 0;
}
