/*
 * tap.core.crypto: hashes, encodings and random identifiers. Arguments and results are byte
 * strings.
 */
#include <zlib.h>

#include "core/crypto.h"

#include "core/message.h"
#include "core/text.h"
#include "lua_util.h"
#include "modules.h"

enum { MAX_RANDOM = 1024 * 1024 };

/* sha256(bytes) -> 64 hex digits, lower case */
static tap_nresults l_sha256(lua_State *L)
{
    size_t n;
    const char *bytes = luaL_checklstring(L, 1, &n);
    char hex[2 * TAP_SHA256_SIZE + 1];
    tap_sha256_hex(hex, bytes, n);
    lua_pushstring(L, hex);
    return 1;
}

/* sha1(bytes) -> 40 hex digits, lower case: names made of contents, nothing that must be safe */
static tap_nresults l_sha1(lua_State *L)
{
    size_t n;
    const char *bytes = luaL_checklstring(L, 1, &n);
    uint8_t sum[TAP_SHA1_SIZE];
    char hex[2 * TAP_SHA1_SIZE + 1];
    tap_sha1(sum, bytes, n);
    tap_hex(hex, sum, sizeof sum);
    lua_pushstring(L, hex);
    return 1;
}

/* md5(bytes) -> 32 hex digits, lower case: S3's ETags, nothing that must be safe */
static tap_nresults l_md5(lua_State *L)
{
    size_t n;
    const char *bytes = luaL_checklstring(L, 1, &n);
    uint8_t sum[TAP_MD5_SIZE];
    char hex[2 * TAP_MD5_SIZE + 1];
    tap_md5(sum, bytes, n);
    tap_hex(hex, sum, sizeof sum);
    lua_pushstring(L, hex);
    return 1;
}

/* crc32(bytes) -> integer, as in zip archives */
static tap_nresults l_crc32(lua_State *L)
{
    size_t n;
    const char *bytes = luaL_checklstring(L, 1, &n);
    lua_pushinteger(L, (lua_Integer)crc32_z(0, (const unsigned char *)bytes, n));
    return 1;
}

/* hmac_sha256(key, bytes) -> 64 hex digits, lower case */
static tap_nresults l_hmac_sha256(lua_State *L)
{
    size_t key_len, n;
    const char *key = luaL_checklstring(L, 1, &key_len);
    const char *bytes = luaL_checklstring(L, 2, &n);
    uint8_t mac[TAP_SHA256_SIZE];
    char hex[2 * TAP_SHA256_SIZE + 1];
    tap_hmac_sha256(mac, key, key_len, bytes, n);
    tap_hex(hex, mac, sizeof mac);
    lua_pushstring(L, hex);
    return 1;
}

/* base64(bytes) -> text, padded, on one line */
static tap_nresults l_base64(lua_State *L)
{
    size_t n;
    const char *bytes = luaL_checklstring(L, 1, &n);
    struct tap_buf out;
    tap_buf_init(&out, TAP_MAX_BODY);
    tap_base64_encode(&out, bytes, n);
    tap_lua_push_buf(L, &out);
    return 1;
}

/* unbase64(text) -> bytes. Raises a parse error when it is not base64. */
static tap_nresults l_unbase64(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    struct tap_buf out;
    tap_buf_init(&out, TAP_MAX_BODY);
    if (!tap_base64_decode(&out, text, n)) {
        tap_buf_fini(&out);
        tap_lua_fail(L, TAP_E_PARSE, "InvalidBase64", "the text is not base64");
    }
    tap_lua_push_buf(L, &out);
    return 1;
}

/* uri_encode(bytes[, keep]) -> text. All but A-Z a-z 0-9 - . _ ~ and the bytes of `keep` becomes
 * %XX. */
static tap_nresults l_uri_encode(lua_State *L)
{
    size_t n;
    const char *bytes = luaL_checklstring(L, 1, &n);
    const char *keep = luaL_optstring(L, 2, "");
    struct tap_buf out;
    tap_buf_init(&out, TAP_MAX_BODY);
    tap_uri_encode(&out, bytes, n, keep);
    tap_lua_push_buf(L, &out);
    return 1;
}

/* uri_decode(text[, plus]) -> bytes. With `plus`, a '+' is a blank, as in forms. Raises a parse
 * error when an escape is broken. */
static tap_nresults l_uri_decode(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    struct tap_buf out;
    tap_buf_init(&out, TAP_MAX_BODY);
    if (!tap_uri_decode(&out, text, n, lua_toboolean(L, 2))) {
        tap_buf_fini(&out);
        tap_lua_fail(L, TAP_E_PARSE, "InvalidEscape", "the text has a broken %%XX escape");
    }
    tap_lua_push_buf(L, &out);
    return 1;
}

/* uuid() -> a random (version 4) UUID, lower case */
static tap_nresults l_uuid(lua_State *L)
{
    char uuid[TAP_UUID_SIZE];
    tap_uuid(uuid);
    lua_pushstring(L, uuid);
    return 1;
}

/* random(n) -> n bytes (0 to 1 MiB) from the operating system */
static tap_nresults l_random(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 1);
    luaL_argcheck(L, n >= 0 && n <= MAX_RANDOM, 1, "a number of bytes from 0 to 1048576");
    luaL_Buffer bytes;
    char *out = luaL_buffinitsize(L, &bytes, (size_t)n);
    tap_random(out, (size_t)n);
    luaL_pushresultsize(&bytes, (size_t)n);
    return 1;
}

int luaopen_tap_core_crypto(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"sha256", l_sha256},
        {"sha1", l_sha1},
        {"md5", l_md5},
        {"crc32", l_crc32},
        {"hmac_sha256", l_hmac_sha256},
        {"base64", l_base64},
        {"unbase64", l_unbase64},
        {"uri_encode", l_uri_encode},
        {"uri_decode", l_uri_decode},
        {"uuid", l_uuid},
        {"random", l_random},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
