/*
 * AWS credentials as data, and those of the environment. The other sources are in
 * credentials_chain.h. Secrets are overwritten when freed and are registered with the log's
 * redaction as soon as they are known.
 */
#ifndef TAP_CREDENTIALS_H
#define TAP_CREDENTIALS_H

#include <stdint.h>

#include "api.h"
#include "error.h"

TAP_API_BEGIN

struct tap_credentials {
    char *access_key;
    char *secret_key;
    char *session_token; /* NULL when there is none */
    int64_t expires;     /* seconds since 1970; 0: never */
    const char *source;  /* "environment", "role", ...: for messages; not owned */
};

/* Copies the strings; session_token may be NULL. What `out` held before is not freed. */
void tap_credentials_set(struct tap_credentials *out, const char *access_key,
                         const char *secret_key, const char *session_token);
void tap_credentials_fini(struct tap_credentials *credentials);

/* AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CREDENTIAL_EXPIRATION; an empty
 * one counts as not set. TAP_E_CREDENTIALS with NoCredentials, PartialCredentials (one half of the
 * pair) or InvalidCredentials names the variable and how to set it; `out` is then empty. */
tap_err tap_credentials_from_environment(struct tap_credentials *out, struct tap_error *err);

TAP_API_END

#endif
