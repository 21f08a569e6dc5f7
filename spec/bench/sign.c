/*
 * Signatures a second on one core, beside the hash work that no signer can avoid, done by OpenSSL
 * with everything set up beforehand. Twice: with a new signing key each time (two hashes and five
 * keyed hashes) and with the key of the day at hand (two and one), as a client has it. The rounds
 * alternate, so that all see the same machine; medians are compared.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/crypto.h"
#include "core/sigv4.h"

enum { ROUNDS = 15, SIGNATURES = 20000, DAY = 86400 };

static const char body[] = "Action=DescribeStacks&Version=2010-05-15&StackName=TapStackdev";

/* ---- tapengine ---- */

static char key_id[] = "AKIDEXAMPLE", secret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
static const struct tap_credentials keys = {.access_key = key_id, .secret_key = secret};
static struct tap_signing signing = {
    .credentials = &keys,
    .region = "us-east-1",
    .service = "cloudformation",
    .time = 1767225600,
    .double_encode_path = true,
    .normalize_path = true,
};
static struct tap_request request;

static void prepare_request(void)
{
    tap_request_init(&request);
    tap_set(&request.method, "POST");
    tap_set(&request.host, "cloudformation.us-east-1.amazonaws.com");
    tap_set(&request.target, "/");
    tap_headers_add(&request.headers, "Content-Type",
                    "application/x-www-form-urlencoded; charset=utf-8");
    tap_headers_add(&request.headers, "User-Agent", "tapengine");
    tap_buf_puts(&request.body, body);
}

static void sign_with_known_key(void)
{
    if (tap_sigv4_sign(&request, &signing, NULL))
        abort();
}

static void sign_with_new_key(void)
{
    signing.time += DAY; /* a key is of one day */
    sign_with_known_key();
}

/* ---- the bare hash work of the same signature ---- */

static struct tap_buf canonical, to_sign;
static EVP_MD *sha256;
static EVP_MD_CTX *digest;
static EVP_MAC_CTX *keyed;
static uint8_t key[EVP_MAX_MD_SIZE] = {1}; /* any: its value does not change the work */

static void require(int ok)
{
    if (ok != 1)
        abort();
}

static void prepare_hashes(void)
{
    tap_buf_init(&canonical, TAP_MAX_CANONICAL);
    tap_buf_init(&to_sign, TAP_MAX_CANONICAL);
    sign_with_known_key();
    tap_sigv4_canonical_request(&canonical, &request, &signing);
    tap_sigv4_string_to_sign(&to_sign, tap_buf_text(&canonical), &signing);

    char name[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    digest = EVP_MD_CTX_new();
    keyed = EVP_MAC_CTX_new(hmac);
    require(EVP_MAC_init(keyed, key, TAP_SHA256_SIZE, params));
    EVP_MAC_free(hmac); /* the context holds it */
}

static void hash(const void *bytes, size_t n)
{
    uint8_t out[EVP_MAX_MD_SIZE];
    require(EVP_DigestInit_ex2(digest, sha256, NULL));
    require(EVP_DigestUpdate(digest, bytes, n));
    require(EVP_DigestFinal_ex(digest, out, NULL));
}

static void hash_with_key(const void *bytes, size_t n)
{
    uint8_t out[EVP_MAX_MD_SIZE];
    size_t size = 0;
    require(EVP_MAC_init(keyed, NULL, 0, NULL)); /* the same key again */
    require(EVP_MAC_update(keyed, bytes, n));
    require(EVP_MAC_final(keyed, out, &size, sizeof out));
}

static void derive(const char *text)
{
    size_t size = 0;
    require(EVP_MAC_init(keyed, key, TAP_SHA256_SIZE, NULL));
    require(EVP_MAC_update(keyed, (const unsigned char *)text, strlen(text)));
    require(EVP_MAC_final(keyed, key, &size, sizeof key));
}

static void hash_with_known_key(void)
{
    hash(body, sizeof body - 1);
    hash(canonical.data, canonical.len);
    hash_with_key(to_sign.data, to_sign.len);
}

static void hash_with_new_key(void)
{
    derive("20260101");
    derive(signing.region);
    derive(signing.service);
    derive("aws4_request");
    require(EVP_MAC_init(keyed, key, TAP_SHA256_SIZE, NULL));
    hash_with_known_key();
}

/* ---- measuring ---- */

/* Times a second. */
static double rate(void (*work)(void))
{
    struct timespec start, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (int i = 0; i < SIGNATURES; i++)
        work();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    return SIGNATURES /
           ((double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double rates[ROUNDS])
{
    qsort(rates, ROUNDS, sizeof *rates, ascending);
    return rates[ROUNDS / 2];
}

static void compare(const char *what, void (*sign)(void), void (*hashes)(void))
{
    double signatures[ROUNDS], limits[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        signatures[i] = rate(sign);
        limits[i] = rate(hashes);
    }
    double signed_rate = median(signatures), limit = median(limits);
    printf("%-16s %9.0f signatures a second, %9.0f times their hash work alone: ratio %.2f\n", what,
           signed_rate, limit, signed_rate / limit);
}

int main(void)
{
    prepare_request();
    prepare_hashes();
    compare("new key each", sign_with_new_key, hash_with_new_key);
    compare("key at hand", sign_with_known_key, hash_with_known_key);
    EVP_MD_CTX_free(digest);
    EVP_MD_free(sha256);
    EVP_MAC_CTX_free(keyed);
    tap_buf_fini(&canonical);
    tap_buf_fini(&to_sign);
    tap_request_fini(&request);
    return 0;
}
