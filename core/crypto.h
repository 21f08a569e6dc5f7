/*
 * Hashes, keyed hashes and random identifiers. A thin face on OpenSSL, so that nothing else
 * includes it.
 */
#ifndef TAP_CRYPTO_H
#define TAP_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAP_SHA256_SIZE = 32, TAP_SHA1_SIZE = 20, TAP_MD5_SIZE = 16, TAP_UUID_SIZE = 37 };

void tap_sha256(uint8_t out[TAP_SHA256_SIZE], const void *bytes, size_t n);
/* Lower-case hex of the hash and a NUL. */
void tap_sha256_hex(char out[2 * TAP_SHA256_SIZE + 1], const void *bytes, size_t n);
void tap_hmac_sha256(uint8_t out[TAP_SHA256_SIZE], const void *key, size_t key_len,
                     const void *bytes, size_t n);
/* Checksums that S3 and older services ask for; neither is safe against an attacker. */
void tap_sha1(uint8_t out[TAP_SHA1_SIZE], const void *bytes, size_t n);
void tap_md5(uint8_t out[TAP_MD5_SIZE], const void *bytes, size_t n);
/* A hash of bytes that come piece by piece: "SHA256", "SHA1", "MD5". Ended, and freed, by
 * tap_hash_end, which writes as many bytes as the hash has. */
struct tap_hash;
struct tap_hash *tap_hash_new(const char *name);
void tap_hash_add(struct tap_hash *hash, const void *bytes, size_t n);
void tap_hash_end(struct tap_hash *hash, uint8_t *out);
/* From the operating system; aborts when it has none. */
void tap_random(void *out, size_t n);
/* A random (version 4) UUID in lower case. */
void tap_uuid(char out[TAP_UUID_SIZE]);
/* Compares in constant time. */
bool tap_equal_secret(const void *a, const void *b, size_t n);

#endif
