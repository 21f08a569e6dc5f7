/*
 * libcrypto's functions, as far as core/ calls them, loaded with the first. See late.h and
 * late_curl.c.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "late.h"

static struct tap_late library = {.soname = TAP_LATE_CRYPTO};

#define CRYPTO(type, name, parameters, arguments)                                                  \
    TAP_LATE(&library, type, name, parameters, arguments)

CRYPTO(const EVP_MD *, EVP_sha1, (void), ())
CRYPTO(const EVP_MD *, EVP_md5, (void), ())
CRYPTO(EVP_MD *, EVP_MD_fetch, (OSSL_LIB_CTX * context, const char *name, const char *properties),
       (context, name, properties))
CRYPTO(void, EVP_MD_free, (EVP_MD * algorithm), (algorithm))
CRYPTO(EVP_MD_CTX *, EVP_MD_CTX_new, (void), ())
CRYPTO(void, EVP_MD_CTX_free, (EVP_MD_CTX * context), (context))
CRYPTO(int, EVP_DigestInit_ex2,
       (EVP_MD_CTX * context, const EVP_MD *type, const OSSL_PARAM parameters[]),
       (context, type, parameters))
CRYPTO(int, EVP_DigestUpdate, (EVP_MD_CTX * context, const void *bytes, size_t n),
       (context, bytes, n))
CRYPTO(int, EVP_DigestFinal_ex, (EVP_MD_CTX * context, unsigned char *digest, unsigned *n),
       (context, digest, n))
CRYPTO(int, EVP_Digest,
       (const void *bytes, size_t n, unsigned char *digest, unsigned *size, const EVP_MD *type,
        ENGINE *engine),
       (bytes, n, digest, size, type, engine))
CRYPTO(void, OPENSSL_cleanse, (void *bytes, size_t n), (bytes, n))
CRYPTO(int, CRYPTO_memcmp, (const void *a, const void *b, size_t n), (a, b, n))
