/*
 * Answers in the rpc-v2-cbor protocol: numbers, times and texts of CloudWatch.
 */
#include "spec/fuzz/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_answer("cloudwatch", "GetMetricData", data, size);
    return 0;
}
