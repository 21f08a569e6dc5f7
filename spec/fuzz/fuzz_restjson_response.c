/*
 * Answers in the rest-json protocol: headers, status and a structure; and any bytes.
 */
#include "spec/fuzz/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_answer("lambda", "GetFunction", data, size);
    fuzz_answer("lambda", "Invoke", data, size);
    return 0;
}
