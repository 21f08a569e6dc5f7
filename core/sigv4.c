/*
 * Signing: from the canonical request to the signature, and into the request. The signing key is
 * derived from the secret by four keyed hashes, for one day, region and service; it is kept, as a
 * client asks for the same one with every call.
 */
#include "sigv4.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "crypto.h"
#include "mem.h"
#include "text.h"
#include "timestamp.h"

enum { DATE_LENGTH = 8 }; /* "20260101", of "20260101T000000Z" */

/* ---- the signing key ---- */

/* A key and what it was derived from. That it holds the secret is no new exposure: the log keeps
 * every secret too, to redact it. */
struct derived_key {
    char date[DATE_LENGTH];
    char *region, *service, *secret;
    uint8_t key[TAP_SHA256_SIZE];
};

static void derive_key(uint8_t key[TAP_SHA256_SIZE], const char *date,
                       const struct tap_signing *signing)
{
    struct tap_buf seed;
    tap_buf_init(&seed, TAP_MAX_CANONICAL);
    tap_buf_puts(&seed, "AWS4");
    tap_buf_puts(&seed, signing->credentials->secret_key);
    tap_hmac_sha256(key, tap_buf_text(&seed), seed.len, date, DATE_LENGTH);
    tap_hmac_sha256(key, key, TAP_SHA256_SIZE, signing->region, strlen(signing->region));
    tap_hmac_sha256(key, key, TAP_SHA256_SIZE, signing->service, strlen(signing->service));
    tap_hmac_sha256(key, key, TAP_SHA256_SIZE, TAP_SIGV4_TERMINATOR, strlen(TAP_SIGV4_TERMINATOR));
    tap_buf_fini_secret(&seed);
}

static bool is_derived_from(const struct derived_key *entry, const char *date,
                            const struct tap_signing *signing)
{
    return entry->secret && memcmp(entry->date, date, DATE_LENGTH) == 0 &&
           strcmp(entry->secret, signing->credentials->secret_key) == 0 &&
           strcmp(entry->region, signing->region) == 0 &&
           strcmp(entry->service, signing->service) == 0;
}

/* Borrowed until the next call. */
static const uint8_t *signing_key(const struct tap_signing *signing)
{
    enum { KEPT = 8 };
    static _Thread_local struct derived_key kept[KEPT]; /* the next one replaces the oldest */
    static _Thread_local unsigned next;

    char date[TAP_TIME_SIZE];
    tap_time_basic(date, signing->time);
    for (size_t i = 0; i < KEPT; i++)
        if (is_derived_from(&kept[i], date, signing))
            return kept[i].key;

    struct derived_key *entry = &kept[next++ % KEPT];
    tap_free_secret(entry->secret);
    entry->secret = tap_strdup(signing->credentials->secret_key);
    tap_set(&entry->region, signing->region);
    tap_set(&entry->service, signing->service);
    memcpy(entry->date, date, DATE_LENGTH);
    derive_key(entry->key, date, signing);
    return entry->key;
}

/* ---- string to sign and signature ---- */

/* "20260101/us-east-1/cloudformation/aws4_request" */
static void add_scope(struct tap_buf *out, const char *date, const struct tap_signing *signing)
{
    tap_buf_add(out, date, DATE_LENGTH);
    tap_buf_putc(out, '/');
    tap_buf_puts(out, signing->region);
    tap_buf_putc(out, '/');
    tap_buf_puts(out, signing->service);
    tap_buf_puts(out, "/" TAP_SIGV4_TERMINATOR);
}

void tap_sigv4_string_to_sign(struct tap_buf *out, const char *canonical_request,
                              const struct tap_signing *signing)
{
    char date[TAP_TIME_SIZE], hash[2 * TAP_SHA256_SIZE + 1];
    tap_time_basic(date, signing->time);
    tap_sha256_hex(hash, canonical_request, strlen(canonical_request));
    tap_buf_puts(out, TAP_SIGV4_ALGORITHM "\n");
    tap_buf_puts(out, date);
    tap_buf_putc(out, '\n');
    add_scope(out, date, signing);
    tap_buf_putc(out, '\n');
    tap_buf_puts(out, hash);
}

void tap_sigv4_signature(char out[65], const char *string_to_sign,
                         const struct tap_signing *signing)
{
    uint8_t signature[TAP_SHA256_SIZE];
    tap_hmac_sha256(signature, signing_key(signing), TAP_SHA256_SIZE, string_to_sign,
                    strlen(string_to_sign));
    tap_hex(out, signature, sizeof signature);
}

static tap_err too_large(struct tap_error *err)
{
    return tap_fail(err, TAP_E_LIMIT, "RequestTooLarge",
                    "the request's path and headers are too large to sign");
}

/* All stages, over the request as it stands. */
static tap_err compute(char signature[65], const struct tap_request *request,
                       const struct tap_signing *signing, struct tap_error *err)
{
    struct tap_buf canonical, to_sign;
    tap_buf_init(&canonical, TAP_MAX_CANONICAL);
    tap_buf_init(&to_sign, TAP_MAX_CANONICAL);
    tap_err rc = TAP_OK;
    tap_sigv4_canonical_request(&canonical, request, signing);
    if (canonical.overflow) {
        rc = too_large(err);
    } else {
        tap_sigv4_string_to_sign(&to_sign, tap_buf_text(&canonical), signing);
        tap_sigv4_signature(signature, tap_buf_text(&to_sign), signing);
    }
    tap_buf_fini_secret(&canonical); /* it holds the session token */
    tap_buf_fini(&to_sign);
    return rc;
}

/* ---- into the request ---- */

/* The parameters that signing adds, in the order in which it adds them. */
static const char *const signing_parameters[] = {
    "X-Amz-Algorithm", "X-Amz-Credential",     "X-Amz-Date",      "X-Amz-SignedHeaders",
    "X-Amz-Expires",   "X-Amz-Security-Token", "X-Amz-Signature",
};

static bool is_signing_parameter(const char *text, size_t n)
{
    for (size_t i = 0; i < sizeof signing_parameters / sizeof *signing_parameters; i++)
        if (strlen(signing_parameters[i]) == n && strncmp(signing_parameters[i], text, n) == 0)
            return true;
    return false;
}

/* Takes the parameters of an earlier signature out of the query. */
static void remove_query_signature(struct tap_request *request)
{
    const char *query = strchr(request->target, '?');
    if (!query || !strstr(query, "X-Amz-Signature="))
        return;
    struct tap_buf target;
    tap_buf_init(&target, strlen(request->target));
    tap_buf_add(&target, request->target, (size_t)(query - request->target));
    char separator = '?';
    for (const char *at = query + 1; *at;) {
        size_t n = strcspn(at, "&");
        if (!is_signing_parameter(at, strcspn(at, "=&"))) {
            tap_buf_putc(&target, separator);
            tap_buf_add(&target, at, n);
            separator = '&';
        }
        at += n + (at[n] == '&');
    }
    tap_free_secret(request->target);
    request->target = tap_buf_take(&target, NULL);
}

static void add_parameter(struct tap_buf *target, const char *name, const char *value)
{
    const char *query = strchr(tap_buf_text(target), '?');
    tap_buf_puts(target, !query ? "?" : query[1] ? "&" : "");
    tap_buf_puts(target, name);
    tap_buf_putc(target, '=');
    tap_uri_encode(target, value, strlen(value), "");
}

/* "AKID/20260101/us-east-1/cloudformation/aws4_request" */
static void add_credential(struct tap_buf *out, const char *date, const struct tap_signing *signing)
{
    tap_buf_puts(out, signing->credentials->access_key);
    tap_buf_putc(out, '/');
    add_scope(out, date, signing);
}

static tap_err sign_headers(struct tap_request *request, const struct tap_signing *signing,
                            const char *date, struct tap_error *err)
{
    struct tap_headers *headers = &request->headers;
    if (signing->credentials->session_token)
        tap_headers_add(headers, "X-Amz-Security-Token", signing->credentials->session_token);
    tap_headers_add(headers, "X-Amz-Date", date);
    if (signing->sign_body_header) {
        char hash[2 * TAP_SHA256_SIZE + 1];
        tap_sha256_hex(hash, tap_buf_text(&request->body), request->body.len);
        tap_headers_set(headers, "x-amz-content-sha256",
                        signing->unsigned_payload ? "UNSIGNED-PAYLOAD" : hash);
    }
    struct tap_buf authorization, names;
    tap_buf_init(&authorization, TAP_MAX_CANONICAL);
    tap_buf_init(&names, TAP_MAX_CANONICAL);
    tap_sigv4_signed_headers(&names, request, signing);
    struct tap_signing named = *signing; /* so that the names are collected once */
    named.signed_headers = tap_buf_text(&names);

    char signature[65];
    tap_err rc = names.overflow ? too_large(err) : compute(signature, request, &named, err);
    if (!rc) {
        tap_buf_puts(&authorization, TAP_SIGV4_ALGORITHM " Credential=");
        add_credential(&authorization, date, signing);
        tap_buf_puts(&authorization, ", SignedHeaders=");
        tap_buf_add(&authorization, names.data, names.len);
        tap_buf_puts(&authorization, ", Signature=");
        tap_buf_add(&authorization, signature, sizeof signature - 1);
        tap_headers_add(headers, "Authorization", tap_buf_text(&authorization));
    }
    tap_buf_fini(&names);
    tap_buf_fini(&authorization);
    return rc;
}

static tap_err sign_query(struct tap_request *request, const struct tap_signing *signing,
                          const char *date, struct tap_error *err)
{
    struct tap_buf credential, names, target;
    char expires[24], signature[65] = "";
    tap_buf_init(&credential, TAP_MAX_CANONICAL);
    tap_buf_init(&names, TAP_MAX_CANONICAL);
    tap_buf_init(&target, TAP_MAX_CANONICAL);
    add_credential(&credential, date, signing);
    tap_sigv4_signed_headers(&names, request, signing);
    snprintf(expires, sizeof expires, "%lld", (long long)signing->expires);

    const char *values[] = {
        TAP_SIGV4_ALGORITHM,
        tap_buf_text(&credential),
        date,
        tap_buf_text(&names),
        expires,
        signing->credentials->session_token,
    };
    tap_buf_puts(&target, request->target);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (values[i])
            add_parameter(&target, signing_parameters[i], values[i]);
    tap_free_secret(request->target);
    request->target = tap_strdup(tap_buf_text(&target));

    tap_err rc = compute(signature, request, signing, err);
    add_parameter(&target, "X-Amz-Signature", signature);
    if (!rc && target.overflow)
        rc =
            tap_fail(err, TAP_E_LIMIT, "RequestTooLarge", "the request's path is too long to sign");
    if (!rc) {
        tap_free_secret(request->target);
        request->target = tap_strdup(tap_buf_text(&target));
    }
    tap_buf_fini_secret(&target);
    tap_buf_fini(&names);
    tap_buf_fini(&credential);
    return rc;
}

/* Keys go into headers: a line break in one would be a header of its own. */
static bool is_sendable(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return true;
}

static tap_err check(const struct tap_signing *signing, struct tap_error *err)
{
    const struct tap_credentials *credentials = signing->credentials;
    assert(credentials && signing->region && signing->service);
    if (!credentials->access_key || !credentials->secret_key)
        return tap_fail(err, TAP_E_CREDENTIALS, "NoCredentials",
                        "there is no access key to sign the request with");
    if (!is_sendable(credentials->access_key))
        return tap_fail(err, TAP_E_CREDENTIALS, "InvalidCredentials",
                        "the access key id has a blank, a line break or another odd character");
    if (credentials->session_token && !is_sendable(credentials->session_token))
        return tap_fail(err, TAP_E_CREDENTIALS, "InvalidCredentials",
                        "the session token has a blank, a line break or another odd character");
    if (signing->form == TAP_SIGN_QUERY &&
        (signing->expires < 1 || signing->expires > TAP_SIGV4_MAX_EXPIRES))
        return tap_fail(err, TAP_E_USAGE, "InvalidExpiry",
                        "a presigned URL is valid for 1 to %d seconds, not %lld",
                        TAP_SIGV4_MAX_EXPIRES, (long long)signing->expires);
    return TAP_OK;
}

tap_err tap_sigv4_sign(struct tap_request *request, const struct tap_signing *signing,
                       struct tap_error *err)
{
    tap_err rc = check(signing, err);
    if (rc)
        return rc;
    struct tap_headers *headers = &request->headers;
    remove_query_signature(request);
    tap_headers_remove(headers, "Authorization");
    tap_headers_remove(headers, "X-Amz-Date");
    tap_headers_remove(headers, "X-Amz-Security-Token");
    if (!tap_headers_get(headers, "Host") && request->host)
        tap_headers_add(headers, "Host", request->host);
    char date[TAP_TIME_SIZE];
    tap_time_basic(date, signing->time);
    return signing->form == TAP_SIGN_QUERY ? sign_query(request, signing, date, err)
                                           : sign_headers(request, signing, date, err);
}
