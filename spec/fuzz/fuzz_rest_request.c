/*
 * Requests to S3: the operation is found by method, path, query and headers.
 */
#include "spec/fuzz/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_request("s3", data, size);
    return 0;
}
