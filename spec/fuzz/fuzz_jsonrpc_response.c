/*
 * Answers in the json protocol: DynamoDB's attributes are a union that holds itself, and blobs.
 */
#include "spec/fuzz/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_answer("dynamodb", "GetItem", data, size);
    return 0;
}
