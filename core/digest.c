/*
 * Checksums piece by piece. See digest.h. CRC-32 is zlib's, the hashes are OpenSSL's (crypto.h);
 * the other two CRCs are short.
 */
#include "digest.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "crypto.h"
#include "mem.h"

struct tap_digest {
    const struct algorithm *algorithm;
    uint64_t crc;
    uint64_t table[256]; /* of a CRC that is ours */
    struct tap_hash *hash;
};

/* `polynomial`: of a CRC, its lowest power first; `ones`: what it begins with, and is turned over
 * by. A hash has neither. */
struct algorithm {
    const char *name;
    size_t size;
    uint64_t polynomial, ones;
    const char *hash; /* OpenSSL's name */
};

static const struct algorithm algorithms[] = {
    {"CRC32", 4, 0, 0, NULL}, /* zlib's */
    {"CRC32C", 4, 0x82F63B78, UINT32_MAX, NULL},
    {"CRC64NVME", 8, 0x9A6C9329AC4BC9B5, UINT64_MAX, NULL},
    {"SHA1", TAP_SHA1_SIZE, 0, 0, "SHA1"},
    {"SHA256", TAP_SHA256_SIZE, 0, 0, "SHA256"},
    {"MD5", TAP_MD5_SIZE, 0, 0, "MD5"},
};

enum { N = sizeof algorithms / sizeof *algorithms };

const char *const tap_digest_names[N + 1] = {"CRC32",  "CRC32C", "CRC64NVME", "SHA1",
                                             "SHA256", "MD5",    NULL};

static void fill_table(struct tap_digest *digest)
{
    for (unsigned i = 0; i < 256; i++) {
        digest->table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            digest->table[i] = (digest->table[i] >> 1) ^
                               (digest->table[i] & 1 ? digest->algorithm->polynomial : 0);
    }
}

struct tap_digest *tap_digest_new(const char *name)
{
    size_t i = 0;
    while (i < N && strcasecmp(algorithms[i].name, name) != 0)
        i++;
    if (i == N)
        return NULL;
    struct tap_digest *digest = tap_alloc(sizeof *digest);
    digest->algorithm = &algorithms[i];
    digest->crc = algorithms[i].ones;
    if (algorithms[i].polynomial)
        fill_table(digest);
    if (algorithms[i].hash)
        digest->hash = tap_hash_new(algorithms[i].hash);
    return digest;
}

void tap_digest_add(struct tap_digest *digest, const void *bytes, size_t n)
{
    if (digest->hash) {
        tap_hash_add(digest->hash, bytes, n);
    } else if (!digest->algorithm->polynomial) {
        digest->crc = crc32_z((uLong)digest->crc, bytes, n);
    } else {
        uint64_t crc = digest->crc;
        for (const uint8_t *at = bytes, *end = at + n; at < end; at++)
            crc = (crc >> 8) ^ digest->table[(crc ^ *at) & 0xFF];
        digest->crc = crc;
    }
}

size_t tap_digest_end(struct tap_digest *digest, uint8_t out[TAP_MAX_DIGEST])
{
    size_t n = digest->algorithm->size;
    uint64_t crc = digest->crc ^ digest->algorithm->ones;
    if (digest->hash)
        tap_hash_end(digest->hash, out);
    else
        for (size_t i = 0; i < n; i++) /* the highest first */
            out[i] = (uint8_t)(crc >> (8 * (n - 1 - i)));
    tap_free(digest);
    return n;
}
