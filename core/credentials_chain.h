/*
 * Where a process's credentials come from: the environment and the profile files are read, and the
 * answer is a plan, not the credentials: "these keys", "this role by those keys", "ask this
 * program". Nothing is sent and nothing waits here; credentials_fetch.h carries a plan out.
 *
 * The order is botocore's:
 *   1. AWS_ACCESS_KEY_ID ...; not when a profile was given (by option, not by AWS_PROFILE)
 *   2. the profile's role_arn with source_profile or credential_source
 *   3. AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN (not when a profile was given), or the
 *      profile's web_identity_token_file with role_arn
 *   4. the profile's IAM Identity Center: sso_account_id, sso_role_name, sso_session or the older
 *      sso_start_url and sso_region
 *   5. the profile's keys in the credentials file, its credential_process, its keys in the config
 *      file
 *   6. the container's service, when the environment has AWS_CONTAINER_CREDENTIALS_...
 *   7. the instance's role, when AWS_EC2_METADATA_DISABLED is "false": a machine that is no
 *      instance must not wait for a service that it does not have
 */
#ifndef TAP_CREDENTIALS_CHAIN_H
#define TAP_CREDENTIALS_CHAIN_H

#include <stdbool.h>

#include "credentials.h"
#include "profile.h"

enum { TAP_MAX_ROLE_CHAIN = 16 }; /* profiles that lead to one another */

enum tap_source_kind {
    TAP_SOURCE_KEYS,
    TAP_SOURCE_ROLE,         /* sts AssumeRole, signed by the credentials of `base` */
    TAP_SOURCE_WEB_IDENTITY, /* sts AssumeRoleWithWebIdentity */
    TAP_SOURCE_SSO,
    TAP_SOURCE_PROCESS,
    TAP_SOURCE_CONTAINER,
    TAP_SOURCE_INSTANCE
};

struct tap_source {
    enum tap_source_kind kind;
    char *origin; /* "profile 'web' of /home/a/.aws/config", "the environment": for messages */

    struct tap_credentials keys; /* KEYS */

    char *role_arn;                   /* ROLE and WEB_IDENTITY */
    char *session_name, *external_id; /* NULL: none */
    int duration_s;                   /* 0: the service's default */
    struct tap_source *base;          /* ROLE */
    char *token_file;                 /* WEB_IDENTITY */
    char *region;                     /* of STS; NULL: none is configured */

    char *sso_cache_key; /* SSO: its SHA-1 names the cached token's file */
    bool sso_renews;     /* the token can be renewed without the user: it is of an sso-session */
    char *sso_region, *sso_account, *sso_role;
    char *login; /* SSO: the command that gets a new token */

    char *command; /* PROCESS */
};

/* `given`: the profile that was asked for by option; NULL: none was. TAP_E_CREDENTIALS:
 * NoCredentials, PartialCredentials, InvalidCredentials, ProfileNotFound, InvalidProfile (which
 * names file, profile and key), MfaUnsupported. *out is then NULL. */
tap_err tap_source_find(struct tap_source **out, const struct tap_profiles *profiles,
                        const char *given, struct tap_error *err);
void tap_source_free(struct tap_source *source);

#endif
