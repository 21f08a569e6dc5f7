/*
 * AWS Signature Version 4. Each stage is a function of its own (canonical request, string to sign,
 * signature), because each stage has its own expected text in the conformance data, and because
 * "why was this refused" is answered by looking at the stages.
 *
 * Source: AWS General Reference, "Create a signed AWS API request".
 */
#ifndef TAP_SIGV4_H
#define TAP_SIGV4_H

#include <stdint.h>

#include "api.h"
#include "credentials.h"
#include "message.h"

TAP_API_BEGIN

#define TAP_SIGV4_ALGORITHM "AWS4-HMAC-SHA256"
#define TAP_SIGV4_TERMINATOR "aws4_request" /* the last part of a credential scope */

enum {
    TAP_MAX_CANONICAL = 4 * 1024 * 1024,   /* bytes of a canonical request */
    TAP_SIGV4_MAX_EXPIRES = 7 * 24 * 3600, /* seconds that a presigned request may be valid */
};

enum tap_sign_form { TAP_SIGN_HEADERS, TAP_SIGN_QUERY };

struct tap_signing {
    const struct tap_credentials *credentials;
    const char *region;  /* of the credential scope */
    const char *service; /* signing name, e.g. "cloudformation" */
    int64_t time;        /* seconds since 1970 */
    enum tap_sign_form form;
    int64_t expires;         /* seconds, query form only */
    bool double_encode_path; /* true for all services but S3 */
    bool normalize_path;   /* true for all services but S3: "." and ".." resolved, slashes merged */
    bool sign_body_header; /* add x-amz-content-sha256 (S3) */
    bool unsigned_payload; /* "UNSIGNED-PAYLOAD" in place of the hash (S3 presigned) */
    bool omit_session_token; /* add the token after signing, not as a part of what is signed */
    /* "host;x-amz-date": exactly these, in this order, as a received request says; NULL: all
     * headers but those that proxies and HTTP libraries change */
    const char *signed_headers;
};

/* The stages. Each appends to `out`. `request` already carries the headers or query parameters that
 * signing adds (tap_sigv4_sign adds them); a signature that it carries is not a part of what is
 * signed, so that the stages of a signed request can be looked at. */
/* "host;x-amz-date": the names of the headers that are signed. */
void tap_sigv4_signed_headers(struct tap_buf *out, const struct tap_request *request,
                              const struct tap_signing *signing);
void tap_sigv4_canonical_request(struct tap_buf *out, const struct tap_request *request,
                                 const struct tap_signing *signing);
void tap_sigv4_string_to_sign(struct tap_buf *out, const char *canonical_request,
                              const struct tap_signing *signing);
/* 64 hex digits and a NUL. */
void tap_sigv4_signature(char out[65], const char *string_to_sign,
                         const struct tap_signing *signing);

/* Adds to `request` what signing adds (Host is taken from request->host when there is no Host
 * header; X-Amz-Date, X-Amz-Security-Token, Authorization; or the X-Amz-* query parameters). A
 * signature that is already there is replaced, so that a request can be signed again for a retry.
 * An x-amz-content-sha256 header that the request has already is signed instead of the body's hash,
 * unless sign_body_header replaces it.
 *
 * TAP_E_CREDENTIALS: keys that cannot be sent (a line break in one); TAP_E_USAGE: `expires` is not
 * 1 to TAP_SIGV4_MAX_EXPIRES; TAP_E_LIMIT: larger than TAP_MAX_CANONICAL. The request is then not
 * usable. */
tap_err tap_sigv4_sign(struct tap_request *request, const struct tap_signing *signing,
                       struct tap_error *err);

/* What a signed request claims; fields are borrowed from `arena`, which the caller frees with
 * tap_free. */
struct tap_sigv4_claim {
    char *arena;
    const char *access_key, *date, *region, *service; /* of the credential scope */
    const char *amz_date; /* "20260101T000000Z", from whichever place the request has it in */
    const char *signed_headers, *signature;
    const char *session_token; /* NULL when there is none */
    enum tap_sign_form form;
    int64_t expires; /* seconds, query form; 0 when it does not say */
};

/* Reads the claim of a received request. TAP_E_SERVICE with the name and the text that AWS answers
 * with (MissingAuthenticationToken, IncompleteSignature; http_status set) when there is none or it
 * is broken. */
tap_err tap_sigv4_claim(struct tap_sigv4_claim *out, const struct tap_request *request,
                        struct tap_error *err);
/* Verifies a claim against the secret at `now` (seconds since 1970). TAP_E_SERVICE with
 * SignatureDoesNotMatch, or the expired / not yet current texts, with http_status set. The path is
 * encoded twice unless the service is s3. That the scope names the right service and region is for
 * the caller to see. */
tap_err tap_sigv4_verify(const struct tap_request *request, const struct tap_sigv4_claim *claim,
                         const char *secret_key, int64_t now, struct tap_error *err);

TAP_API_END

#endif
