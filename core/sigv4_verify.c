/*
 * The service's side of signing: what a received request claims, and whether the claim holds. Used
 * by the sandbox, whose clients are foreign SDKs: the texts and statuses are AWS's own.
 */
#include "sigv4.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "crypto.h"
#include "mem.h"
#include "text.h"
#include "timestamp.h"

enum {
    MAX_CLAIM = 256 * 1024, /* bytes of all fields of a claim */
    SKEW = 300,             /* seconds between the client's clock and ours, either way */
    S3_SKEW = 900,          /* S3 is more patient, and has words of its own */
};

static tap_err refuse(struct tap_error *err, int status, const char *name, const char *message)
{
    tap_fail(err, TAP_E_SERVICE, name, "%s", message);
    if (err)
        err->http_status = status;
    return TAP_E_SERVICE;
}

static tap_err incomplete(struct tap_error *err, const char *message)
{
    return refuse(err, 400, "IncompleteSignature", message);
}

static tap_err mismatch(struct tap_error *err, const char *message)
{
    return refuse(err, 403, "SignatureDoesNotMatch", message);
}

/* The same two for a message that is made up; takes it. */
static tap_err refuse_taken(struct tap_error *err,
                            tap_err (*how)(struct tap_error *err, const char *message),
                            char *message)
{
    tap_err rc = how(err, message);
    tap_free(message);
    return rc;
}

/* ---- reading a claim ---- */

enum field { CREDENTIAL, SIGNATURE, SIGNED_HEADERS, DATE, TOKEN, EXPIRES, ALGORITHM_NAME, FIELDS };

/* Fields are collected in one text, each with its NUL, which becomes the claim's arena. */
struct reading {
    struct tap_buf text;
    size_t at[FIELDS];
    bool found[FIELDS];
};

static void keep(struct reading *reading, enum field field, const char *value, size_t n)
{
    if (reading->found[field])
        return;
    reading->found[field] = true;
    reading->at[field] = reading->text.len;
    tap_buf_add(&reading->text, value, n);
    tap_buf_putc(&reading->text, '\0');
}

static void keep_header(struct reading *reading, enum field field,
                        const struct tap_request *request, const char *name)
{
    const char *value = tap_headers_get(&request->headers, name);
    if (value)
        keep(reading, field, value, strlen(value));
}

/* "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=...,Signature=...", with or without blanks. */
static void read_authorization(struct reading *reading, const char *text)
{
    static const struct {
        const char *name;
        enum field field;
    } parts[] = {
        {"Credential=", CREDENTIAL}, {"SignedHeaders=", SIGNED_HEADERS}, {"Signature=", SIGNATURE}};
    size_t n = strcspn(text, " ");
    keep(reading, ALGORITHM_NAME, text, n);
    for (const char *at = text + n; *at; at += n) {
        at += strspn(at, " ,");
        n = strcspn(at, " ,");
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            size_t name = strlen(parts[i].name);
            if (strncmp(at, parts[i].name, name) == 0)
                keep(reading, parts[i].field, at + name, n - name);
        }
    }
}

static void read_query(struct reading *reading, const char *query)
{
    static const struct {
        const char *name;
        enum field field;
    } parts[] = {{"X-Amz-Algorithm=", ALGORITHM_NAME},
                 {"X-Amz-Credential=", CREDENTIAL},
                 {"X-Amz-Date=", DATE},
                 {"X-Amz-Expires=", EXPIRES},
                 {"X-Amz-Security-Token=", TOKEN},
                 {"X-Amz-Signature=", SIGNATURE},
                 {"X-Amz-SignedHeaders=", SIGNED_HEADERS}};
    struct tap_buf value;
    tap_buf_init(&value, MAX_CLAIM);
    for (const char *at = query; *at;) {
        size_t n = strcspn(at, "&");
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            size_t name = strlen(parts[i].name);
            if (strncmp(at, parts[i].name, name) != 0)
                continue;
            tap_buf_reset(&value);
            if (tap_uri_decode(&value, at + name, n - name, false))
                keep(reading, parts[i].field, tap_buf_text(&value), value.len);
        }
        at += n + (at[n] == '&');
    }
    tap_buf_fini_secret(&value);
}

/* AWS echoes what it could not read as a hash only: it may have held a secret. */
static tap_err incomplete_header(struct tap_error *err, const struct reading *reading,
                                 const char *authorization)
{
    uint8_t hash[TAP_SHA256_SIZE];
    struct tap_buf text;
    tap_buf_init(&text, MAX_CLAIM);
    static const struct {
        enum field field;
        const char *sentence;
    } needed[] = {
        {CREDENTIAL, "Authorization header requires 'Credential' parameter. "},
        {SIGNATURE, "Authorization header requires 'Signature' parameter. "},
        {SIGNED_HEADERS, "Authorization header requires 'SignedHeaders' parameter. "},
        {DATE, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' "
               "header. "},
    };
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!reading->found[needed[i].field])
            tap_buf_puts(&text, needed[i].sentence);
    tap_sha256(hash, authorization, strlen(authorization));
    tap_buf_puts(&text, "(Hashed with SHA-256 and encoded with Base64) Authorization=");
    tap_base64_encode(&text, hash, sizeof hash);
    tap_err rc = incomplete(err, tap_buf_text(&text));
    tap_buf_fini(&text);
    return rc;
}

static tap_err incomplete_query(struct tap_error *err, const struct reading *reading)
{
    static const struct {
        enum field field;
        const char *name;
    } needed[] = {{ALGORITHM_NAME, "X-Amz-Algorithm"},
                  {CREDENTIAL, "X-Amz-Credential"},
                  {SIGNATURE, "X-Amz-Signature"},
                  {SIGNED_HEADERS, "X-Amz-SignedHeaders"},
                  {DATE, "X-Amz-Date"}};
    struct tap_buf text;
    tap_buf_init(&text, MAX_CLAIM);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!reading->found[needed[i].field])
            tap_buf_printf(&text, "AWS query-string parameters must include '%s'. ",
                           needed[i].name);
    tap_buf_puts(&text, "Re-examine the query-string parameters.");
    tap_err rc = incomplete(err, tap_buf_text(&text));
    tap_buf_fini(&text);
    return rc;
}

/* Collects the fields from where the request has them. */
static tap_err read_fields(struct reading *reading, enum tap_sign_form *form,
                           const struct tap_request *request, struct tap_error *err)
{
    const char *authorization = tap_headers_get(&request->headers, "Authorization");
    const char *query = strchr(request->target, '?');
    if (authorization && strncmp(authorization, "AWS4-", 5) == 0) {
        *form = TAP_SIGN_HEADERS;
        read_authorization(reading, authorization);
        keep_header(reading, DATE, request, "X-Amz-Date");
        keep_header(reading, DATE, request, "Date");
        keep_header(reading, TOKEN, request, "X-Amz-Security-Token");
    } else if (query && (strstr(query, "X-Amz-Signature=") || strstr(query, "X-Amz-Credential="))) {
        *form = TAP_SIGN_QUERY;
        read_query(reading, query + 1);
    } else {
        return refuse(err, 403, "MissingAuthenticationToken",
                      "Request is missing Authentication Token");
    }
    if (reading->text.overflow)
        return refuse(err, 400, "RequestHeaderSectionTooLarge",
                      "Your request header section exceeds the maximum allowed size.");
    bool whole = reading->found[ALGORITHM_NAME];
    for (enum field field = CREDENTIAL; field <= DATE; field++)
        whole = whole && reading->found[field];
    if (whole)
        return TAP_OK;
    return *form == TAP_SIGN_HEADERS ? incomplete_header(err, reading, authorization)
                                     : incomplete_query(err, reading);
}

/* Cuts "AKID/20260101/us-east-1/sts/aws4_request" into the claim's fields, in place. */
static tap_err split_credential(struct tap_sigv4_claim *claim, char *credential,
                                struct tap_error *err)
{
    const char *parts[5] = {credential};
    char *copy = tap_strdup(credential); /* for the message */
    size_t n = 1;
    for (char *slash = strchr(credential, '/'); slash; slash = strchr(slash + 1, '/'), n++) {
        *slash = '\0';
        if (n < 5)
            parts[n] = slash + 1;
    }
    tap_err rc = TAP_OK;
    if (n != 5)
        rc = refuse_taken(err, incomplete,
                          tap_sprintf("Credential must have exactly 5 slash-delimited elements, "
                                      "e.g. keyid/date/region/service/term, got '%.512s'",
                                      copy));
    else if (strcmp(parts[4], TAP_SIGV4_TERMINATOR) != 0)
        rc = refuse_taken(err, mismatch,
                          tap_sprintf("Credential should be scoped with a valid terminator: "
                                      "'" TAP_SIGV4_TERMINATOR "', not '%.128s'.",
                                      parts[4]));
    tap_free(copy);
    claim->access_key = parts[0];
    claim->date = parts[1];
    claim->region = parts[2];
    claim->service = parts[3];
    return rc;
}

/* X-Amz-Date has one form only; a Date header has HTTP's, and is signed in the other. */
static tap_err check_date(struct tap_sigv4_claim *claim, char basic[TAP_TIME_SIZE],
                          struct tap_error *err)
{
    double seconds = 0;
    bool parsed = tap_time_parse(&seconds, claim->amz_date);
    tap_time_basic(basic, (int64_t)seconds);
    bool http = claim->form == TAP_SIGN_HEADERS && strchr(claim->amz_date, ',');
    if (!parsed || (!http && strcmp(claim->amz_date, basic) != 0))
        return refuse_taken(err, incomplete,
                            tap_sprintf("Date must be in ISO-8601 'basic format'. Got '%.128s'. "
                                        "See http://en.wikipedia.org/wiki/ISO_8601.",
                                        claim->amz_date));
    if (strlen(claim->date) != 8 || strncmp(claim->date, basic, 8) != 0)
        return refuse_taken(err, mismatch,
                            tap_sprintf("Date in Credential scope does not match YYYYMMDD from "
                                        "ISO-8601 version of date from HTTP: '%.16s' != '%.8s', "
                                        "from '%s'.",
                                        claim->date, basic, basic));
    return TAP_OK;
}

static tap_err read_expires(int64_t *out, const char *text, struct tap_error *err)
{
    size_t n = strlen(text);
    if (n == 0 || strspn(text, "0123456789") != n)
        return incomplete(err, "X-Amz-Expires should be a number");
    *out = n <= 6 ? strtoll(text, NULL, 10) : TAP_SIGV4_MAX_EXPIRES + 1;
    if (*out < 1 || *out > TAP_SIGV4_MAX_EXPIRES)
        return incomplete(err, "X-Amz-Expires must be between 1 and 604800 seconds");
    return TAP_OK;
}

tap_err tap_sigv4_claim(struct tap_sigv4_claim *out, const struct tap_request *request,
                        struct tap_error *err)
{
    memset(out, 0, sizeof *out);
    struct reading reading = {.at = {0}};
    tap_buf_init(&reading.text, MAX_CLAIM);
    tap_err rc = read_fields(&reading, &out->form, request, err);
    if (rc) {
        tap_buf_fini_secret(&reading.text);
        return rc;
    }
    /* room for the date in its basic form, which is never longer than this */
    size_t date_at = reading.text.len;
    char basic[TAP_TIME_SIZE] = "";
    tap_buf_add(&reading.text, basic, sizeof basic);
    char *arena = tap_buf_take(&reading.text, NULL);
    out->arena = arena;
    out->signature = arena + reading.at[SIGNATURE];
    out->signed_headers = arena + reading.at[SIGNED_HEADERS];
    out->amz_date = arena + reading.at[DATE];
    out->session_token = reading.found[TOKEN] ? arena + reading.at[TOKEN] : NULL;
    const char *algorithm = arena + reading.at[ALGORITHM_NAME];
    if (strcmp(algorithm, TAP_SIGV4_ALGORITHM) != 0)
        rc = refuse_taken(err, incomplete,
                          tap_sprintf("Unsupported AWS 'algorithm': '%.64s'.", algorithm));
    if (!rc)
        rc = split_credential(out, arena + reading.at[CREDENTIAL], err);
    if (!rc)
        rc = check_date(out, arena + date_at, err);
    if (!rc && out->form == TAP_SIGN_QUERY && reading.found[EXPIRES])
        rc = read_expires(&out->expires, arena + reading.at[EXPIRES], err);
    out->amz_date = arena + date_at;
    if (rc) {
        tap_free(arena);
        memset(out, 0, sizeof *out);
    }
    return rc;
}

/* ---- verifying it ---- */

static tap_err check_time(const struct tap_sigv4_claim *claim, int64_t time, int64_t now,
                          struct tap_error *err)
{
    char now_text[TAP_TIME_SIZE], edge[TAP_TIME_SIZE];
    bool s3 = strcmp(claim->service, "s3") == 0;
    if (s3 && claim->form == TAP_SIGN_HEADERS)
        return llabs(time - now) <= S3_SKEW ? TAP_OK
                                            : refuse(err, 403, "RequestTimeTooSkewed",
                                                     "The difference between the request time and "
                                                     "the current time is too large.");
    tap_time_basic(now_text, now);
    if (time > now + SKEW) {
        tap_time_basic(edge, now + SKEW);
        return refuse_taken(err, mismatch,
                            tap_sprintf("Signature not yet current: %s is still later than %s "
                                        "(%s + %d min.)",
                                        claim->amz_date, edge, now_text, SKEW / 60));
    }
    int64_t lifetime = claim->expires ? claim->expires : SKEW;
    if (time >= now - lifetime)
        return TAP_OK;
    if (claim->form == TAP_SIGN_QUERY && s3)
        return refuse(err, 403, "AccessDenied", "Request has expired");
    tap_time_basic(edge, now - lifetime);
    return refuse_taken(err, mismatch,
                        tap_sprintf("Signature expired: %s is now earlier than %s (%s - %d min.)",
                                    claim->amz_date, edge, now_text, (int)(lifetime / 60)));
}

/* A hash that the request gives of its own body must be right; the words that say that there is
 * none are taken as they are. */
static tap_err check_body(const struct tap_request *request, const struct tap_sigv4_claim *claim,
                          struct tap_error *err)
{
    const char *given = tap_headers_get(&request->headers, "x-amz-content-sha256");
    if (!given || strcmp(given, "UNSIGNED-PAYLOAD") == 0 || strncmp(given, "STREAMING-", 10) == 0)
        return TAP_OK;
    char hash[2 * TAP_SHA256_SIZE + 1];
    tap_sha256_hex(hash, tap_buf_text(&request->body), request->body.len);
    if (strcasecmp(given, hash) == 0)
        return TAP_OK;
    if (strcmp(claim->service, "s3") == 0)
        return refuse(
            err, 400, "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.");
    return mismatch(err, "The request's body does not have the hash that its "
                         "'x-amz-content-sha256' header gives.");
}

/* True when `name` stands in the list "a;b;c". */
static bool lists(const char *signed_headers, const char *name)
{
    for (const char *at = signed_headers; *at;) {
        size_t n = strcspn(at, ";");
        if (n == strlen(name) && strncasecmp(at, name, n) == 0)
            return true;
        at += n + (at[n] == ';');
    }
    return false;
}

static tap_err check_signature(const struct tap_request *request,
                               const struct tap_sigv4_claim *claim, const char *secret_key,
                               int64_t time, struct tap_error *err)
{
    bool s3 = strcmp(claim->service, "s3") == 0;
    struct tap_credentials credentials = {.secret_key = (char *)secret_key}; /* borrowed */
    struct tap_signing signing = {
        .credentials = &credentials,
        .region = claim->region,
        .service = claim->service,
        .time = time,
        .form = claim->form,
        .double_encode_path = !s3,
        .normalize_path = !s3,
        .unsigned_payload = s3 && claim->form == TAP_SIGN_QUERY,
        .signed_headers = claim->signed_headers,
    };
    struct tap_buf canonical, to_sign;
    tap_buf_init(&canonical, TAP_MAX_CANONICAL);
    tap_buf_init(&to_sign, TAP_MAX_CANONICAL);
    char signature[65];
    tap_sigv4_canonical_request(&canonical, request, &signing);
    tap_sigv4_string_to_sign(&to_sign, tap_buf_text(&canonical), &signing);
    tap_sigv4_signature(signature, tap_buf_text(&to_sign), &signing);
    bool same = !canonical.overflow && strlen(claim->signature) == sizeof signature - 1 &&
                tap_equal_secret(signature, claim->signature, sizeof signature - 1);
    tap_buf_fini_secret(&canonical); /* it holds the session token */
    tap_buf_fini(&to_sign);
    if (same)
        return TAP_OK;
    return mismatch(err, "The request signature we calculated does not match the signature you "
                         "provided. Check your AWS Secret Access Key and signing method. Consult "
                         "the service documentation for details.");
}

tap_err tap_sigv4_verify(const struct tap_request *request, const struct tap_sigv4_claim *claim,
                         const char *secret_key, int64_t now, struct tap_error *err)
{
    double time = 0;
    if (!tap_time_parse(&time, claim->amz_date))
        return mismatch(err, "The request has no date.");
    if (!lists(claim->signed_headers, "host"))
        return mismatch(err, "'Host' or ':authority' must be a 'SignedHeader' in the AWS "
                             "Authorization.");
    tap_err rc = check_time(claim, (int64_t)time, now, err);
    if (!rc)
        rc = check_body(request, claim, err);
    if (!rc)
        rc = check_signature(request, claim, secret_key, (int64_t)time, err);
    return rc;
}
