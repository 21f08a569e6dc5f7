/*
 * Hashes against the published vectors (FIPS 180-4, RFC 4231), and identifiers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

#include "core/crypto.h"
#include "core/text.h"

static void sha256_is_as_published(void **state)
{
    (void)state;
    char hex[65];
    tap_sha256_hex(hex, "", 0);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    tap_sha256_hex(hex, "abc", 3);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    tap_sha256_hex(hex, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void hmac_sha256_is_as_published(void **state)
{
    (void)state;
    unsigned char long_key[131], aa[20];
    memset(long_key, 0xAA, sizeof long_key);
    memset(aa, 0xAA, sizeof aa);
    unsigned char dd[50];
    memset(dd, 0xDD, sizeof dd);
    const char *larger_key = "Test Using Larger Than Block-Size Key - Hash Key First";
    const struct {
        const void *key;
        size_t key_len;
        const void *bytes;
        size_t n;
        const char *hex;
    } cases[] = {
        {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", 20,
         "Hi There", 8, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", 4, "what do ya want for nothing?", 28,
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {aa, sizeof aa, dd, sizeof dd,
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {long_key, sizeof long_key, larger_key, 54,
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {"", 0, "", 0, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t hash[TAP_SHA256_SIZE];
        char hex[65];
        tap_hmac_sha256(hash, cases[i].key, cases[i].key_len, cases[i].bytes, cases[i].n);
        tap_hex(hex, hash, sizeof hash);
        assert_string_equal(hex, cases[i].hex);
    }
}

static void a_key_may_be_replaced_by_the_hash_it_makes(void **state)
{
    (void)state;
    uint8_t chained[TAP_SHA256_SIZE], apart[TAP_SHA256_SIZE], key[TAP_SHA256_SIZE];
    tap_sha256(key, "key", 3);
    memcpy(chained, key, sizeof key);
    tap_hmac_sha256(chained, chained, sizeof chained, "text", 4);
    tap_hmac_sha256(apart, key, sizeof key, "text", 4);
    assert_memory_equal(chained, apart, sizeof apart);
}

static void a_uuid_is_a_random_one_and_new_each_time(void **state)
{
    (void)state;
    char first[TAP_UUID_SIZE], second[TAP_UUID_SIZE];
    tap_uuid(first);
    tap_uuid(second);
    assert_string_not_equal(first, second);
    assert_int_equal(strlen(first), 36);
    for (size_t i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            assert_int_equal(first[i], '-');
        else
            assert_true(isdigit((unsigned char)first[i]) || (first[i] >= 'a' && first[i] <= 'f'));
    }
    assert_int_equal(first[14], '4');
    assert_non_null(strchr("89ab", first[19]));
}

static void random_fills_all_that_it_is_given(void **state)
{
    (void)state;
    unsigned char bytes[1000], seen[sizeof bytes] = {0};
    for (int round = 0; round < 20; round++) { /* a byte stays zero in all with chance 2^-160 */
        tap_random(bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes; i++)
            seen[i] |= bytes[i];
    }
    assert_null(memchr(seen, 0, sizeof seen));
    tap_random(bytes, 0);
}

static void secrets_compare_by_content(void **state)
{
    (void)state;
    assert_true(tap_equal_secret("same", "same", 4));
    assert_false(tap_equal_secret("same", "sane", 4));
    assert_true(tap_equal_secret("same", "sane", 2));
    assert_true(tap_equal_secret("a", "b", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_is_as_published),
        cmocka_unit_test(hmac_sha256_is_as_published),
        cmocka_unit_test(a_key_may_be_replaced_by_the_hash_it_makes),
        cmocka_unit_test(a_uuid_is_a_random_one_and_new_each_time),
        cmocka_unit_test(random_fills_all_that_it_is_given),
        cmocka_unit_test(secrets_compare_by_content),
    };
    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
