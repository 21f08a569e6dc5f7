/*
 * Credentials and the environment's. See credentials.h.
 */
#include "credentials.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mem.h"
#include "timestamp.h"

#define ACCESS_KEY "AWS_ACCESS_KEY_ID"
#define SECRET_KEY "AWS_SECRET_ACCESS_KEY"
#define SESSION_TOKEN "AWS_SESSION_TOKEN"
#define EXPIRATION "AWS_CREDENTIAL_EXPIRATION"

void tap_credentials_set(struct tap_credentials *out, const char *access_key,
                         const char *secret_key, const char *session_token)
{
    memset(out, 0, sizeof *out);
    out->access_key = tap_strdup(access_key);
    out->secret_key = tap_strdup(secret_key);
    out->session_token = tap_strdup(session_token);
    out->source = "given";
    tap_secret_register(secret_key);
    if (session_token)
        tap_secret_register(session_token);
}

void tap_credentials_fini(struct tap_credentials *credentials)
{
    tap_free(credentials->access_key);
    tap_free_secret(credentials->secret_key);
    tap_free_secret(credentials->session_token);
    memset(credentials, 0, sizeof *credentials);
}

/* An empty variable counts as none: CI systems set them so. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* What is pasted wrong most often. The value is not repeated: it is a secret. */
static tap_err check_characters(const char *name, const char *value, struct tap_error *err)
{
    for (const char *c = value; c && *c; c++)
        if (*c <= ' ' || *c > '~')
            return tap_fail(err, TAP_E_CREDENTIALS, "InvalidCredentials",
                            "%s has %s in it: set it again without", name,
                            *c == '\n' || *c == '\r'  ? "a line break"
                            : *c == ' ' || *c == '\t' ? "a blank"
                                                      : "a character that no key has");
    return TAP_OK;
}

static tap_err missing_half(const char *present, const char *missing, struct tap_error *err)
{
    return tap_fail(err, TAP_E_CREDENTIALS, "PartialCredentials",
                    "%s is set, but %s is not: both are needed (export %s=...)", present, missing,
                    missing);
}

tap_err tap_credentials_from_environment(struct tap_credentials *out, struct tap_error *err)
{
    memset(out, 0, sizeof *out);
    const char *access_key = variable(ACCESS_KEY), *secret_key = variable(SECRET_KEY);
    const char *token = variable(SESSION_TOKEN), *expiration = variable(EXPIRATION);
    if (!access_key && !secret_key)
        return tap_fail(err, TAP_E_CREDENTIALS, "NoCredentials",
                        "no AWS credentials in the environment: export " ACCESS_KEY
                        " and " SECRET_KEY ", and " SESSION_TOKEN
                        " for temporary ones (with the AWS CLI: eval \"$(aws configure "
                        "export-credentials --format env)\")");
    if (!access_key)
        return missing_half(SECRET_KEY, ACCESS_KEY, err);
    if (!secret_key)
        return missing_half(ACCESS_KEY, SECRET_KEY, err);

    tap_err rc = check_characters(ACCESS_KEY, access_key, err);
    if (!rc)
        rc = check_characters(SECRET_KEY, secret_key, err);
    if (!rc)
        rc = check_characters(SESSION_TOKEN, token, err);
    if (rc)
        return rc;
    double expires = 0;
    if (expiration && !tap_time_parse(&expires, expiration))
        return tap_fail(err, TAP_E_CREDENTIALS, "InvalidCredentials",
                        EXPIRATION " is no time such as 2026-01-01T00:00:00Z: %s", expiration);
    tap_credentials_set(out, access_key, secret_key, token);
    out->source = "environment";
    out->expires = (int64_t)expires;
    return TAP_OK;
}
