/*
 * Checksums of requests. See protocol_checksum.h.
 *
 * Source: Smithy, "aws.protocols#httpChecksum" and "smithy.api#httpChecksumRequired".
 */
#include "protocol_checksum.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "crypto.h"
#include "mem.h"
#include "protocol_shape.h"
#include "text.h"

enum { LARGEST = 32 };

/* The bytes of a number, the highest first. */
static void put_big_endian(uint8_t *out, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
}

/* A CRC whose polynomial is written with its lowest power first, as all of these are. */
static uint64_t reflected_crc(uint64_t polynomial, uint64_t ones, const void *bytes, size_t n)
{
    uint64_t table[256], crc = ones;
    for (unsigned i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = (table[i] >> 1) ^ (table[i] & 1 ? polynomial : 0);
    }
    for (const uint8_t *at = bytes, *end = at + n; at < end; at++)
        crc = (crc >> 8) ^ table[(crc ^ *at) & 0xFF];
    return crc ^ ones;
}

static void crc32_of(uint8_t *out, const void *bytes, size_t n)
{
    put_big_endian(out, crc32_z(0, bytes, n), 4);
}

static void crc32c_of(uint8_t *out, const void *bytes, size_t n)
{
    put_big_endian(out, reflected_crc(0x82F63B78, UINT32_MAX, bytes, n), 4);
}

static void crc64nvme_of(uint8_t *out, const void *bytes, size_t n)
{
    put_big_endian(out, reflected_crc(0x9A6C9329AC4BC9B5, UINT64_MAX, bytes, n), 8);
}

static const struct algorithm {
    const char *name;
    size_t size;
    void (*of)(uint8_t *out, const void *bytes, size_t n);
} algorithms[] = {
    {"CRC32", 4, crc32_of},
    {"CRC32C", 4, crc32c_of},
    {"CRC64NVME", 8, crc64nvme_of},
    {"SHA1", TAP_SHA1_SIZE, tap_sha1},
    {"SHA256", TAP_SHA256_SIZE, tap_sha256},
    {"MD5", TAP_MD5_SIZE, tap_md5},
};

static const struct algorithm *find_algorithm(const char *name)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (strcasecmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    return NULL;
}

static void set_checksum(struct tap_request *request, const char *header,
                         const struct algorithm *algorithm)
{
    uint8_t sum[LARGEST];
    struct tap_buf text;
    algorithm->of(sum, tap_buf_text(&request->body), request->body.len);
    tap_buf_init(&text, 2 * LARGEST);
    tap_base64_encode(&text, sum, algorithm->size);
    tap_headers_set(&request->headers, header, tap_buf_text(&text));
    tap_buf_fini(&text);
}

/* x-amz-checksum-sha256; the caller frees it. */
static char *header_of(const struct algorithm *algorithm)
{
    char *header = tap_sprintf("x-amz-checksum-%s", algorithm->name);
    for (char *c = header; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return header;
}

/* True when the caller did the sum. "x-amz-checksum-type" and "-mode" are no sums. */
static bool has_checksum(const struct tap_request *request)
{
    bool found = tap_headers_get(&request->headers, "Content-MD5") != NULL;
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms && !found; i++) {
        char *header = header_of(&algorithms[i]);
        found = tap_headers_get(&request->headers, header) != NULL;
        tap_free(header);
    }
    return found;
}

/* Tells the service which algorithm was chosen for the caller, in the header that the model binds
 * the choice to. */
static void name_algorithm(struct tap_request *request, const struct tap_model *model,
                           const json_t *operation, const char *member, const char *name)
{
    const json_t *shape = tap_ref_shape(model, json_object_get(operation, "input"));
    const json_t *ref = json_object_get(json_object_get(shape, "members"), member);
    const char *location = json_string_value(json_object_get(ref, "location"));
    if (location && strcmp(location, "header") == 0)
        tap_headers_set(&request->headers, tap_wire_own_name(ref, member), name);
}

static tap_err flexible(struct tap_request *request, const struct tap_model *model,
                        const json_t *operation, const json_t *input, struct tap_error *err)
{
    const json_t *trait = json_object_get(operation, "httpChecksum");
    const char *member = json_string_value(json_object_get(trait, "requestAlgorithmMember"));
    if (!member && !tap_ref_flag(trait, "requestChecksumRequired"))
        return TAP_OK; /* only answers have a checksum */
    const char *chosen = member ? json_string_value(json_object_get(input, member)) : NULL;
    const struct algorithm *algorithm = find_algorithm(chosen ? chosen : "CRC32");
    if (!algorithm)
        return tap_fail(err, TAP_E_UNSUPPORTED, "UnsupportedChecksum",
                        "%s: the checksum %s is not supported (CRC32, CRC32C, CRC64NVME, SHA1 and "
                        "SHA256 are)",
                        member, chosen);
    if (!chosen && member)
        name_algorithm(request, model, operation, member, algorithm->name);
    char *header = header_of(algorithm);
    set_checksum(request, header, algorithm);
    tap_free(header);
    return TAP_OK;
}

tap_err tap_checksum_request(struct tap_request *request, const struct tap_model *model,
                             const json_t *operation, const json_t *input, struct tap_error *err)
{
    if (has_checksum(request))
        return TAP_OK;
    if (json_object_get(operation, "httpChecksum"))
        return flexible(request, model, operation, input, err);
    if (tap_ref_flag(operation, "httpChecksumRequired"))
        set_checksum(request, "Content-MD5", find_algorithm("MD5"));
    return TAP_OK;
}
