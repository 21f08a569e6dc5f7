/*
 * The canonical request: the one text that client and service both derive from a request, however
 * it was spelled on its way. Method, path, query, signed headers, their names, and the body's hash.
 */
#include "sigv4.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "crypto.h"
#include "mem.h"
#include "text.h"

#define WHITE_SPACE " \t\r\n\f\v"

/* What HTTP libraries and proxies add, drop or change after signing. */
static const char *const never_signed[] = {
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
};

static void add_lower(struct tap_buf *out, const char *text, size_t n)
{
    tap_buf_add(out, text, n);
    if (out->overflow)
        return;
    for (char *c = out->data + out->len - n; n > 0; c++, n--)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
}

/* ---- path ---- */

/* "." and ".." resolved and slashes merged; a slash at the end stays. The caller frees it. */
static char *normal_path(const char *path, size_t n)
{
    char *out = tap_alloc(n + 2);
    size_t length = 0;
    const char *end = path + n;
    for (const char *at = path; at < end;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        size_t segment = (size_t)((slash ? slash : end) - at);
        if (segment == 2 && memcmp(at, "..", 2) == 0) {
            while (length > 0 && out[--length] != '/')
                ;
        } else if (segment > 0 && !(segment == 1 && *at == '.')) {
            out[length++] = '/';
            memcpy(out + length, at, segment);
            length += segment;
        }
        at += segment + 1;
    }
    if (length == 0 || end[-1] == '/')
        out[length++] = '/';
    out[length] = '\0';
    return out;
}

static void add_path(struct tap_buf *out, const char *path, size_t n,
                     const struct tap_signing *signing)
{
    if (n == 0 || (n == 1 && *path == '/')) { /* as most requests have it */
        tap_buf_putc(out, '/');
        return;
    }
    char *whole = signing->normalize_path ? normal_path(path, n) : tap_strndup(path, n);
    if (signing->double_encode_path)
        tap_uri_encode(out, whole, strlen(whole), "/");
    else
        tap_buf_puts(out, whole);
    tap_free(whole);
}

/* ---- query ---- */

struct parameter {
    char *name, *value; /* percent-encoded as AWS does it */
};

static int compare_parameters(const void *a, const void *b)
{
    const struct parameter *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : strcmp(left->value, right->value);
}

/* However much of it was encoded: "a b", "a%20b" -> "a%20b". A broken escape is taken as it is. */
static char *encode_again(const char *text, size_t n)
{
    struct tap_buf plain, encoded;
    tap_buf_init(&plain, TAP_MAX_CANONICAL);
    tap_buf_init(&encoded, TAP_MAX_CANONICAL);
    if (tap_uri_decode(&plain, text, n, false))
        tap_uri_encode(&encoded, tap_buf_text(&plain), plain.len, "");
    else
        tap_uri_encode(&encoded, text, n, "");
    tap_buf_fini_secret(&plain); /* it may have been the session token */
    return tap_buf_take(&encoded, NULL);
}

static bool is_signed_parameter(const char *name, const struct tap_signing *signing)
{
    if (signing->form == TAP_SIGN_HEADERS)
        return true;
    if (signing->omit_session_token && strcmp(name, "X-Amz-Security-Token") == 0)
        return false;
    return strcmp(name, "X-Amz-Signature") != 0;
}

static void add_query(struct tap_buf *out, const char *query, const struct tap_signing *signing)
{
    struct parameter *items = NULL;
    size_t n = 0, cap = 0;
    for (const char *at = query; *at;) {
        size_t length = strcspn(at, "&");
        const char *equals = memchr(at, '=', length);
        size_t name_length = equals ? (size_t)(equals - at) : length;
        if (length > 0) {
            items = tap_grow(items, n, &cap, sizeof *items);
            items[n].name = encode_again(at, name_length);
            items[n].value =
                equals ? encode_again(equals + 1, length - name_length - 1) : tap_strdup("");
            n++;
        }
        at += length + (at[length] == '&');
    }
    if (n)
        qsort(items, n, sizeof *items, compare_parameters);
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        if (is_signed_parameter(items[i].name, signing)) {
            tap_buf_puts(out, first ? "" : "&");
            tap_buf_puts(out, items[i].name);
            tap_buf_putc(out, '=');
            tap_buf_puts(out, items[i].value);
            first = false;
        }
        tap_free(items[i].name);
        tap_free_secret(items[i].value);
    }
    tap_free(items);
}

/* ---- headers ---- */

/* Looked at before whole names are compared: most differ here. */
static bool same_letter(char a, char b)
{
    return (a | 0x20) == (b | 0x20);
}

static bool is_signed_header(const char *name, const struct tap_signing *signing)
{
    if (signing->omit_session_token && strcasecmp(name, "x-amz-security-token") == 0)
        return false;
    for (size_t i = 0; i < sizeof never_signed / sizeof *never_signed; i++)
        if (same_letter(*name, *never_signed[i]) && strcasecmp(name, never_signed[i]) == 0)
            return false;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

void tap_sigv4_signed_headers(struct tap_buf *out, const struct tap_request *request,
                              const struct tap_signing *signing)
{
    if (signing->signed_headers) {
        tap_buf_puts(out, signing->signed_headers);
        return;
    }
    const struct tap_headers *headers = &request->headers;
    const char **names = tap_calloc(headers->n, sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < headers->n; i++)
        if (is_signed_header(headers->items[i].name, signing))
            names[n++] = headers->items[i].name;
    if (n)
        qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 0; i < n; i++) {
        if (i && strcasecmp(names[i], names[i - 1]) == 0)
            continue;
        tap_buf_puts(out, i ? ";" : "");
        add_lower(out, names[i], strlen(names[i]));
    }
    tap_free(names);
}

/* Trimmed, and each run of white space inside as one blank. */
static void add_trimmed(struct tap_buf *out, const char *value)
{
    const char *at = value + strspn(value, WHITE_SPACE);
    while (*at) {
        size_t word = strcspn(at, WHITE_SPACE);
        tap_buf_add(out, at, word);
        at += word;
        at += strspn(at, WHITE_SPACE);
        if (*at)
            tap_buf_putc(out, ' ');
    }
}

/* "name:value,value\n": all headers of that name, in order of arrival. */
static void add_header(struct tap_buf *out, const char *name, size_t n,
                       const struct tap_headers *headers)
{
    add_lower(out, name, n);
    bool first = true;
    for (size_t i = 0; i < headers->n; i++) {
        const struct tap_header *header = &headers->items[i];
        if (!same_letter(*header->name, *name) || strncasecmp(header->name, name, n) != 0 ||
            header->name[n] != '\0')
            continue;
        tap_buf_putc(out, first ? ':' : ',');
        add_trimmed(out, header->value);
        first = false;
    }
    tap_buf_puts(out, first ? ":\n" : "\n");
}

/* ---- the whole ---- */

static void add_payload(struct tap_buf *out, const struct tap_request *request,
                        const struct tap_signing *signing)
{
    const char *given = tap_headers_get(&request->headers, "x-amz-content-sha256");
    char hash[2 * TAP_SHA256_SIZE + 1];
    if (given) {
        add_trimmed(out, given);
    } else if (signing->unsigned_payload) {
        tap_buf_puts(out, "UNSIGNED-PAYLOAD");
    } else {
        tap_sha256_hex(hash, tap_buf_text(&request->body), request->body.len);
        tap_buf_puts(out, hash);
    }
}

void tap_sigv4_canonical_request(struct tap_buf *out, const struct tap_request *request,
                                 const struct tap_signing *signing)
{
    const char *target = request->target;
    size_t path_length = strcspn(target, "?");
    const char *query = target + path_length + (target[path_length] == '?');
    struct tap_buf collected;
    tap_buf_init(&collected, TAP_MAX_CANONICAL);
    const char *names = signing->signed_headers;
    if (!names) {
        tap_sigv4_signed_headers(&collected, request, signing);
        names = tap_buf_text(&collected);
    }
    tap_buf_puts(out, request->method);
    tap_buf_putc(out, '\n');
    add_path(out, target, path_length, signing);
    tap_buf_putc(out, '\n');
    add_query(out, query, signing);
    tap_buf_putc(out, '\n');
    for (const char *at = names; *at && !out->overflow;) {
        size_t n = strcspn(at, ";");
        add_header(out, at, n, &request->headers);
        at += n + (at[n] == ';');
    }
    tap_buf_putc(out, '\n');
    tap_buf_puts(out, names);
    tap_buf_putc(out, '\n');
    add_payload(out, request, signing);
    tap_buf_fini(&collected);
}
