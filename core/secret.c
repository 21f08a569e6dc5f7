/*
 * Redaction: the process's secrets as a list of needles, one for each form that a secret takes on
 * its way into a text. The longest needle wins where several match, so that no tail of a secret
 * stays visible; a set of first bytes makes text without secrets cost one look-up a byte.
 *
 * Signatures in addresses are known by their place instead: there may be thousands, and those that
 * services hand out have never been registered.
 */
#include "secret.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "mem.h"
#include "text.h"

static const char mask[] = "****";

struct needle {
    char *text;
    size_t len;
};

static struct {
    struct needle *items; /* longest first */
    size_t n, cap;
    bool starts[256]; /* first bytes of all needles */
} needles;

/* Keeps the order; takes nothing: `text` is copied. */
static void add_needle(const char *text, size_t len)
{
    if (len < TAP_SECRET_MIN)
        return;
    size_t at = 0;
    for (; at < needles.n && needles.items[at].len >= len; at++)
        if (needles.items[at].len == len && memcmp(needles.items[at].text, text, len) == 0)
            return;
    needles.items = tap_grow(needles.items, needles.n, &needles.cap, sizeof *needles.items);
    memmove(&needles.items[at + 1], &needles.items[at], (needles.n - at) * sizeof *needles.items);
    needles.items[at] = (struct needle){.text = tap_strndup(text, len), .len = len};
    needles.n++;
    needles.starts[(unsigned char)text[0]] = true;
}

/* As it stands between the quotes of a JSON string; once with "/" as it is and once as "\/", which
 * some encoders write (secret keys often contain it). */
static void add_json_forms(const char *secret)
{
    static const size_t styles[] = {JSON_ENCODE_ANY, JSON_ENCODE_ANY | JSON_ESCAPE_SLASH,
                                    JSON_ENCODE_ANY | JSON_ENSURE_ASCII};
    json_t *string = json_string(secret);
    for (size_t i = 0; string && i < sizeof styles / sizeof *styles; i++) {
        char *quoted = json_dumps(string, styles[i]);
        if (!quoted)
            continue;
        add_needle(quoted + 1, strlen(quoted) - 2);
        tap_free_secret(quoted);
    }
    json_decref(string);
}

static void add_percent_form(const char *secret, size_t len)
{
    struct tap_buf encoded;
    tap_buf_init(&encoded, 3 * len);
    tap_uri_encode(&encoded, secret, len, "");
    add_needle(tap_buf_text(&encoded), encoded.len);
    tap_buf_fini_secret(&encoded);
}

/* Alone, and as a part of something longer ("user:secret"): base64 looks different for each of the
 * three places that a byte can have in its group, and the digits at the edges mix with the
 * neighbours, so only those between are looked for. */
static void add_base64_forms(const char *secret, size_t len)
{
    for (size_t shift = 0; shift < 3; shift++) {
        struct tap_buf shifted, encoded;
        tap_buf_init(&shifted, len + shift);
        tap_buf_add(&shifted, "\0\0", shift);
        tap_buf_add(&shifted, secret, len);
        tap_buf_init(&encoded, 2 * len + 8);
        tap_base64_encode(&encoded, shifted.data, shifted.len);
        size_t first = (shift * 8 + 5) / 6, end = (shift + len) * 8 / 6;
        add_needle(tap_buf_text(&encoded) + first, end - first);
        if (shift == 0)
            add_needle(tap_buf_text(&encoded), encoded.len);
        tap_buf_fini_secret(&shifted);
        tap_buf_fini_secret(&encoded);
    }
}

void tap_secret_register(const char *secret)
{
    size_t len = secret ? strlen(secret) : 0;
    if (len < TAP_SECRET_MIN)
        return;
    add_needle(secret, len);
    add_json_forms(secret);
    add_percent_form(secret, len);
    add_base64_forms(secret, len);
}

void tap_secrets_clear(void)
{
    for (size_t i = 0; i < needles.n; i++)
        tap_free_secret(needles.items[i].text);
    tap_free(needles.items);
    memset(&needles, 0, sizeof needles);
}

/* Length of the longest needle that stands at `text`, 0 for none. */
static size_t match(const char *text, size_t left)
{
    if (!needles.starts[(unsigned char)*text])
        return 0;
    for (size_t i = 0; i < needles.n; i++)
        if (needles.items[i].len <= left &&
            memcmp(needles.items[i].text, text, needles.items[i].len) == 0)
            return needles.items[i].len;
    return 0;
}

/* Length of "X-Amz-Signature=" at `text`, also when the address is a parameter of another one; 0:
 * something else stands there. */
static size_t signature_name(const char *text, size_t left)
{
    static const char *const names[] = {"X-Amz-Signature=", "X-Amz-Signature%3D"};
    for (size_t i = 0; *text == 'X' && i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) < left && strncmp(names[i], text, strlen(names[i])) == 0)
            return strlen(names[i]);
    return 0;
}

static size_t hex_digits(const char *text, size_t left)
{
    size_t n = 0;
    while (n < left && isxdigit((unsigned char)text[n]))
        n++;
    return n;
}

static char *redact(const char *text, size_t len, size_t *out_len)
{
    struct tap_buf out;
    tap_buf_init(&out, len + sizeof mask); /* the mask is shorter than what it replaces */
    size_t plain = 0;                      /* start of the text not yet copied */
    for (size_t i = 0; i < len;) {
        size_t name = signature_name(text + i, len - i);
        i += name;
        size_t secret = match(text + i, len - i);
        size_t signature = name ? hex_digits(text + i, len - i) : 0;
        if (signature >= TAP_SECRET_MIN && signature > secret)
            secret = signature;
        if (secret == 0) {
            i++;
            continue;
        }
        tap_buf_add(&out, text + plain, i - plain);
        tap_buf_puts(&out, mask);
        plain = i += secret;
    }
    tap_buf_add(&out, text + plain, len - plain);
    return tap_buf_take(&out, out_len);
}

char *tap_redact(const char *text)
{
    return redact(text, strlen(text), NULL);
}

static json_t *redact_string(const char *text, size_t len)
{
    size_t redacted_len;
    char *redacted = redact(text, len, &redacted_len);
    json_t *string = json_stringn(redacted, redacted_len);
    tap_free(redacted);
    return string ? string : json_string(mask); /* a secret that was no UTF-8 left half a letter */
}

static json_t *redact_value(json_t *value, int depth)
{
    if (depth > TAP_MAX_DEPTH)
        return json_string(mask);
    if (json_is_string(value))
        return redact_string(json_string_value(value), json_string_length(value));
    if (json_is_array(value)) {
        json_t *list = json_array(), *item;
        size_t i;
        json_array_foreach(value, i, item)
            json_array_append_new(list, redact_value(item, depth + 1));
        return list;
    }
    if (json_is_object(value)) {
        json_t *object = json_object(), *item;
        const char *key;
        json_object_foreach(value, key, item)
        {
            char *shown = tap_redact(key);
            json_object_set_new(object, shown, redact_value(item, depth + 1));
            tap_free(shown);
        }
        return object;
    }
    return json_incref(value);
}

json_t *tap_redact_json(json_t *value)
{
    return redact_value(value, 0);
}
