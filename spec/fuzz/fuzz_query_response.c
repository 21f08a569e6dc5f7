/*
 * Answers of a service, good and bad: the body is the input, DescribeStacks is the operation.
 */
#include <assert.h>
#include <stdint.h>

#include "core/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tap_model *model = NULL;
    const json_t *operation = NULL;
    json_t *output = NULL;
    struct tap_response response;
    struct tap_error err;
    assert(!tap_model_load(&model, "cloudformation", &err));
    assert(!tap_model_operation(&operation, model, "DescribeStacks", &err));
    tap_response_init(&response);
    tap_buf_add(&response.body, data, size);
    response.status = 400;
    tap_protocol_query.parse_error(&err, model, &response);
    assert(err.code == TAP_E_SERVICE && err.name[0] && err.message[0]);
    if (!tap_protocol_query.parse_response(&output, model, operation, &response, &err))
        tap_protocol_query.write_response(&response, model, operation, output, "id");
    json_decref(output);
    tap_response_fini(&response);
    return 0;
}
