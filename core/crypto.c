/*
 * Hashes and random bytes. See crypto.h.
 *
 * SHA-256 is fetched once and its context is used again: looking the algorithm up costs more than
 * hashing a request. The context is the thread's own, so that two threads may each run a loop.
 */
#include "crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "text.h"

enum { SHA256_BLOCK = 64 };

/* There is no answer without hashes or random bytes that a caller could work with. */
static void die(const char *what)
{
    fprintf(stderr, "tapengine: %s\n", what);
    abort();
}

/* A context that is ready for the next hash. */
static EVP_MD_CTX *begin(void)
{
    static _Thread_local EVP_MD_CTX *context;
    static _Thread_local EVP_MD *sha256;
    if (!context) {
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        context = EVP_MD_CTX_new();
        if (!sha256 || !context || EVP_DigestInit_ex2(context, sha256, NULL) != 1)
            die("OpenSSL has no SHA-256");
    } else if (EVP_DigestInit_ex2(context, NULL, NULL) != 1) { /* NULL: the same algorithm again */
        die("OpenSSL cannot hash");
    }
    return context;
}

static void add(EVP_MD_CTX *context, const void *bytes, size_t n)
{
    if (EVP_DigestUpdate(context, bytes, n) != 1)
        die("OpenSSL cannot hash");
}

static void finish(uint8_t *out, EVP_MD_CTX *context)
{
    if (EVP_DigestFinal_ex(context, out, NULL) != 1)
        die("OpenSSL cannot hash");
}

void tap_sha256(uint8_t out[TAP_SHA256_SIZE], const void *bytes, size_t n)
{
    EVP_MD_CTX *context = begin();
    add(context, bytes, n);
    finish(out, context);
}

void tap_sha256_hex(char out[2 * TAP_SHA256_SIZE + 1], const void *bytes, size_t n)
{
    uint8_t hash[TAP_SHA256_SIZE];
    tap_sha256(hash, bytes, n);
    tap_hex(out, hash, sizeof hash);
}

void tap_sha1(uint8_t out[TAP_SHA1_SIZE], const void *bytes, size_t n)
{
    if (EVP_Digest(bytes, n, out, NULL, EVP_sha1(), NULL) != 1)
        die("OpenSSL has no SHA-1");
}

void tap_md5(uint8_t out[TAP_MD5_SIZE], const void *bytes, size_t n)
{
    if (EVP_Digest(bytes, n, out, NULL, EVP_md5(), NULL) != 1)
        die("OpenSSL has no MD5");
}

/* HMAC by its definition (RFC 2104): H(key ^ opad, H(key ^ ipad, bytes)). OpenSSL's own needs a
 * context that is set up anew for each key, which costs more than the four blocks it hashes. */
void tap_hmac_sha256(uint8_t out[TAP_SHA256_SIZE], const void *key, size_t key_len,
                     const void *bytes, size_t n)
{
    uint8_t block[SHA256_BLOCK] = {0};
    if (key_len > sizeof block)
        tap_sha256(block, key, key_len);
    else if (key_len)
        memcpy(block, key, key_len);

    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= 0x36;
    EVP_MD_CTX *context = begin();
    add(context, block, sizeof block);
    add(context, bytes, n);
    finish(out, context);

    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= 0x36 ^ 0x5c;
    context = begin();
    add(context, block, sizeof block);
    add(context, out, TAP_SHA256_SIZE);
    finish(out, context);
    OPENSSL_cleanse(block, sizeof block);
}

/* An OpenSSL context under a name of ours. */
static EVP_MD_CTX *context_of(struct tap_hash *hash)
{
    return (EVP_MD_CTX *)hash;
}

struct tap_hash *tap_hash_new(const char *name)
{
    EVP_MD *algorithm = EVP_MD_fetch(NULL, name, NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!algorithm || !context || EVP_DigestInit_ex2(context, algorithm, NULL) != 1)
        die("OpenSSL lacks a hash");
    EVP_MD_free(algorithm); /* the context holds it */
    return (struct tap_hash *)context;
}

void tap_hash_add(struct tap_hash *hash, const void *bytes, size_t n)
{
    add(context_of(hash), bytes, n);
}

void tap_hash_end(struct tap_hash *hash, uint8_t *out)
{
    finish(out, context_of(hash));
    EVP_MD_CTX_free(context_of(hash));
}

void tap_random(void *out, size_t n)
{
    enum { MOST = 256 }; /* that getentropy gives at once */
    for (uint8_t *at = out; n > 0;) {
        size_t part = n < MOST ? n : MOST;
        if (getentropy(at, part) != 0)
            die("the operating system has no random bytes");
        at += part;
        n -= part;
    }
}

void tap_uuid(char out[TAP_UUID_SIZE])
{
    uint8_t bytes[16];
    tap_random(bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40); /* version 4: random */
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80); /* RFC 4122's variant */
    static const size_t parts[] = {4, 2, 2, 2, 6};
    const uint8_t *in = bytes;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (i)
            *out++ = '-';
        tap_hex(out, in, parts[i]);
        in += parts[i];
        out += 2 * parts[i];
    }
}

bool tap_equal_secret(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}
