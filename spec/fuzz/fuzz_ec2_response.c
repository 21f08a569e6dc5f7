/*
 * Answers of EC2, which nest deeply.
 */
#include "spec/fuzz/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_answer("ec2", "DescribeInstances", data, size);
    return 0;
}
