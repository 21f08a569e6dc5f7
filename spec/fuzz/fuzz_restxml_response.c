/*
 * Answers in the rest-xml protocol: S3's flattened lists, and headers of every type.
 */
#include "spec/fuzz/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_answer("s3", "ListObjectVersions", data, size);
    fuzz_answer("s3", "GetObjectAttributes", data, size);
    return 0;
}
