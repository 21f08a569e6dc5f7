/*
 * Habits of the SDKs. See customs.h.
 */
#include "customs.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "crypto.h"
#include "mem.h"
#include "protocol_shape.h"
#include "secret.h"
#include "text.h"

/* ---- keys of customers ---- */

/* A key's member; its MD5's is named "...MD5". */
static const char *const keys[] = {"SSECustomerKey", "CopySourceSSECustomerKey"};

enum { KEY_SIZE = 32 }; /* bytes: AES-256 is all that there is */

/* The bytes of a key that is given as they are, or in base64, which alone can say all of them. */
static bool key_bytes(struct tap_buf *out, const char *text, size_t n)
{
    if (n == KEY_SIZE) {
        tap_buf_add(out, text, n);
        return true;
    }
    while (n && strchr("\r\n", text[n - 1])) /* it is from a file */
        n--;
    return tap_base64_decode(out, text, n) && out->len == KEY_SIZE;
}

static json_t *base64(const void *bytes, size_t n)
{
    struct tap_buf text;
    tap_buf_init(&text, 4 * KEY_SIZE);
    tap_base64_encode(&text, bytes, n);
    json_t *value = json_string(tap_buf_text(&text));
    tap_buf_fini_secret(&text);
    return value;
}

static tap_err encode_key(json_t *input, const char *member, struct tap_error *err)
{
    char sum_member[64];
    snprintf(sum_member, sizeof sum_member, "%sMD5", member);
    const json_t *given = json_object_get(input, member);
    if (!json_is_string(given) || json_object_get(input, sum_member))
        return TAP_OK;
    tap_secret_register(json_string_value(given));
    struct tap_buf key;
    tap_buf_init(&key, 4 * KEY_SIZE);
    tap_err code = TAP_OK;
    if (key_bytes(&key, json_string_value(given), json_string_length(given))) {
        uint8_t sum[TAP_MD5_SIZE];
        tap_md5(sum, key.data, key.len);
        json_object_set_new(input, member, base64(key.data, key.len));
        json_object_set_new(input, sum_member, base64(sum, sizeof sum));
    } else {
        code =
            tap_fail(err, TAP_E_USAGE, "InvalidKey",
                     "%s: a key of %d bytes is needed, as they are or in base64", member, KEY_SIZE);
    }
    tap_buf_fini_secret(&key);
    return code;
}

/* ---- listings ---- */

/* Which texts of a listing are percent-encoded when EncodingType is url. */
static const struct listing {
    const char *operation;
    const char *texts[6];
    const char *nested[4][2]; /* list, member of its items */
} listings[] = {
    {"ListObjects",
     {"Delimiter", "Marker", "NextMarker", "Prefix"},
     {{"Contents", "Key"}, {"CommonPrefixes", "Prefix"}}},
    {"ListObjectsV2",
     {"Delimiter", "Prefix", "StartAfter"},
     {{"Contents", "Key"}, {"CommonPrefixes", "Prefix"}}},
    {"ListObjectVersions",
     {"Delimiter", "KeyMarker", "NextKeyMarker", "Prefix"},
     {{"Versions", "Key"}, {"DeleteMarkers", "Key"}, {"CommonPrefixes", "Prefix"}}},
    {"ListMultipartUploads",
     {"Delimiter", "KeyMarker", "NextKeyMarker", "Prefix"},
     {{"Uploads", "Key"}, {"CommonPrefixes", "Prefix"}}},
};

static const char encoding[] = "EncodingType";

static const struct listing *listing_of(const struct tap_model *model, const json_t *operation)
{
    const char *name = json_string_value(json_object_get(operation, "name"));
    if (strcmp(tap_model_service(model), "s3") != 0)
        return NULL;
    for (size_t i = 0; i < sizeof listings / sizeof *listings; i++)
        if (strcmp(listings[i].operation, name) == 0)
            return &listings[i];
    return NULL;
}

static void decode(json_t *object, const char *member)
{
    const json_t *given = json_object_get(object, member);
    struct tap_buf text;
    tap_buf_init(&text, json_string_length(given) + 1);
    if (json_is_string(given) &&
        tap_uri_decode(&text, json_string_value(given), json_string_length(given), true)) {
        json_t *decoded = json_stringn(tap_buf_text(&text), text.len);
        if (decoded) /* else it is no UTF-8, and stays as it came */
            json_object_set_new(object, member, decoded);
    }
    tap_buf_fini(&text);
}

bool tap_customs_asks(const json_t *input, const struct tap_model *model, const json_t *operation)
{
    return listing_of(model, operation) && !json_object_get(input, encoding);
}

tap_err tap_customs_input(json_t *input, const struct tap_model *model, const json_t *operation,
                          struct tap_error *err)
{
    tap_err code = TAP_OK;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !code; i++)
        code = encode_key(input, keys[i], err);
    if (!code && tap_customs_asks(input, model, operation))
        json_object_set_new(input, encoding, json_string("url"));
    return code;
}

void tap_customs_output(json_t *output, const struct tap_model *model, const json_t *operation,
                        bool asked)
{
    const struct listing *listing = asked ? listing_of(model, operation) : NULL;
    const char *type = json_string_value(json_object_get(output, encoding));
    if (!listing || !type || strcmp(type, "url") != 0)
        return;
    for (size_t i = 0; listing->texts[i]; i++)
        decode(output, listing->texts[i]);
    for (size_t i = 0; listing->nested[i][0]; i++) {
        size_t at;
        json_t *item;
        json_array_foreach(json_object_get(output, listing->nested[i][0]), at, item)
            decode(item, listing->nested[i][1]);
    }
}
