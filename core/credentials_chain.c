/*
 * The credential chain as a plan. See credentials_chain.h. Each kind of source is one function that
 * answers "it is this one", "not me" (*out stays NULL) or an error.
 */
#include "credentials_chain.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "file.h"
#include "mem.h"

static const char access_key[] = "aws_access_key_id";
static const char secret_key[] = "aws_secret_access_key";

/* The profiles that have led here: who is in it twice is a loop. */
struct trail {
    const struct tap_profile *profile;
    const struct trail *above;
    int depth;
    bool explicitly; /* the environment's keys and tokens do not count */
};

typedef tap_err find_source(struct tap_source **out, const struct trail *trail,
                            struct tap_error *err);

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static struct tap_source *source_new(enum tap_source_kind kind, const struct tap_profile *profile)
{
    struct tap_source *source = tap_alloc(sizeof *source);
    source->kind = kind;
    source->origin =
        profile ? tap_sprintf("profile '%s' of %s", profile->name, tap_profile_file(profile))
                : tap_strdup("the environment");
    return source;
}

/* "profile 'web' of FILE: TEXT" */
static tap_err invalid(struct tap_error *err, const struct tap_profile *profile, const char *name,
                       const char *text)
{
    return tap_fail(err, TAP_E_CREDENTIALS, name, "profile '%s' of %s %s", profile->name,
                    tap_profile_file(profile), text);
}

/* ---- keys ---- */

static tap_err environment_keys(struct tap_source **out, struct tap_error *err)
{
    struct tap_credentials keys;
    tap_err code = tap_credentials_from_environment(&keys, err);
    if (code)
        return code;
    *out = source_new(TAP_SOURCE_KEYS, NULL);
    (*out)->keys = keys;
    return TAP_OK;
}

/* Keys that stand in one section of one file: halves from two files do not make a pair. */
static tap_err section_keys(struct tap_source **out, const struct tap_profile *profile,
                            const struct tap_ini_section *section, const char *path,
                            struct tap_error *err)
{
    const char *access = tap_ini_value(section, access_key);
    const char *secret = tap_ini_value(section, secret_key);
    const char *token = tap_ini_value(section, "aws_session_token");
    if (!access && !secret)
        return TAP_OK;
    if (!access || !secret)
        return tap_fail(err, TAP_E_CREDENTIALS, "PartialCredentials",
                        "profile '%s' of %s has %s, but not %s: both are needed", profile->name,
                        path, access ? access_key : secret_key, access ? secret_key : access_key);
    *out = source_new(TAP_SOURCE_KEYS, profile);
    tap_credentials_set(&(*out)->keys, access, secret,
                        token ? token : tap_ini_value(section, "aws_security_token"));
    (*out)->keys.source = "profile";
    return TAP_OK;
}

static tap_err credentials_file_keys(struct tap_source **out, const struct trail *trail,
                                     struct tap_error *err)
{
    const struct tap_profile *profile = trail->profile;
    return section_keys(out, profile, profile->credentials,
                        tap_profiles_credentials_path(profile->files), err);
}

static tap_err config_file_keys(struct tap_source **out, const struct trail *trail,
                                struct tap_error *err)
{
    const struct tap_profile *profile = trail->profile;
    return section_keys(out, profile, profile->config, tap_profiles_config_path(profile->files),
                        err);
}

static bool has_keys(const struct tap_profile *profile)
{
    return tap_profile_get(profile, access_key) || tap_profile_get(profile, secret_key);
}

/* ---- web identity ---- */

static const char *setting(const struct trail *trail, const char *name, const char *key)
{
    const char *value = trail->explicitly ? NULL : variable(name);
    return value ? value : tap_profile_get(trail->profile, key);
}

static tap_err web_identity(struct tap_source **out, const struct trail *trail,
                            struct tap_error *err)
{
    const char *file = setting(trail, "AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
    const char *role = setting(trail, "AWS_ROLE_ARN", "role_arn");
    const char *session = setting(trail, "AWS_ROLE_SESSION_NAME", "role_session_name");
    bool of_environment = !trail->explicitly && variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    if (!file)
        return TAP_OK;
    if (!role && of_environment)
        return tap_fail(err, TAP_E_CREDENTIALS, "PartialCredentials",
                        "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not: both are "
                        "needed");
    if (!role)
        return invalid(err, trail->profile, "InvalidProfile",
                       "has web_identity_token_file, but no role_arn: give it the role to assume");
    *out = source_new(TAP_SOURCE_WEB_IDENTITY, of_environment ? NULL : trail->profile);
    (*out)->token_file = tap_file_expand(file);
    (*out)->role_arn = tap_strdup(role);
    (*out)->session_name = tap_strdup(session);
    return TAP_OK;
}

/* ---- IAM Identity Center ---- */

/* A key of the session's section or of the profile; the two must not differ. */
static tap_err sso_value(const char **out, const struct tap_profile *profile,
                         const struct tap_ini_section *session, const char *key,
                         struct tap_error *err)
{
    const char *of_session = tap_ini_value(session, key);
    const char *own = tap_profile_get(profile, key);
    *out = of_session ? of_session : own;
    if (!*out)
        return tap_fail(err, TAP_E_CREDENTIALS, "InvalidProfile",
                        "profile '%s' of %s signs in by IAM Identity Center, but has no %s: add "
                        "it%s",
                        profile->name, tap_profile_file(profile), key,
                        session ? ", or to its sso-session" : "");
    if (of_session && own && strcmp(of_session, own) != 0)
        return tap_fail(err, TAP_E_CREDENTIALS, "InvalidProfile",
                        "profile '%s' of %s and its sso-session differ in %s: keep the session's",
                        profile->name, tap_profile_file(profile), key);
    return TAP_OK;
}

static tap_err sso_session(const struct tap_ini_section **out, const struct tap_profile *profile,
                           const char *name, struct tap_error *err)
{
    *out = name ? tap_profile_section(profile, "sso-session", name) : NULL;
    if (!name || *out)
        return TAP_OK;
    return tap_fail(err, TAP_E_CREDENTIALS, "InvalidProfile",
                    "profile '%s' of %s has sso_session = %s, but there is no section "
                    "[sso-session %s]",
                    profile->name, tap_profile_file(profile), name, name);
}

static tap_err sso(struct tap_source **out, const struct trail *trail, struct tap_error *err)
{
    static const char *const keys[] = {"sso_account_id", "sso_role_name", "sso_region",
                                       "sso_start_url"};
    enum { ACCOUNT, ROLE, REGION, START_URL, N };
    const struct tap_profile *profile = trail->profile;
    if (!tap_profile_get(profile, keys[ACCOUNT]) && !tap_profile_get(profile, keys[ROLE]))
        return TAP_OK;
    const char *name = tap_profile_get(profile, "sso_session");
    const struct tap_ini_section *session;
    const char *values[N];
    tap_err code = sso_session(&session, profile, name, err);
    for (size_t i = 0; i < N && code == TAP_OK; i++)
        code = sso_value(&values[i], profile, session, keys[i], err);
    if (code)
        return code;
    struct tap_source *source = *out = source_new(TAP_SOURCE_SSO, profile);
    source->sso_account = tap_strdup(values[ACCOUNT]);
    source->sso_role = tap_strdup(values[ROLE]);
    source->sso_region = tap_strdup(values[REGION]);
    source->sso_renews = name != NULL;
    source->sso_cache_key = tap_strdup(name ? name : values[START_URL]);
    source->login = name ? tap_sprintf("aws sso login --sso-session %s", name)
                         : tap_sprintf("aws sso login --profile %s", profile->name);
    return TAP_OK;
}

/* ---- a program ---- */

static tap_err process(struct tap_source **out, const struct trail *trail, struct tap_error *err)
{
    (void)err;
    const char *command = tap_profile_get(trail->profile, "credential_process");
    if (!command)
        return TAP_OK;
    *out = source_new(TAP_SOURCE_PROCESS, trail->profile);
    (*out)->command = tap_strdup(command);
    return TAP_OK;
}

static tap_err login_session(struct tap_source **out, const struct trail *trail,
                             struct tap_error *err)
{
    (void)out;
    if (!tap_profile_get(trail->profile, "login_session"))
        return TAP_OK;
    return invalid(err, trail->profile, "InvalidProfile",
                   "has login_session, which is not supported: export its credentials with "
                   "'aws configure export-credentials --format env'");
}

/* ---- container and instance ---- */

static tap_err container(struct tap_source **out, const struct trail *trail, struct tap_error *err)
{
    (void)trail, (void)err;
    if (variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
        variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
        *out = source_new(TAP_SOURCE_CONTAINER, NULL);
    return TAP_OK;
}

static tap_err instance(struct tap_source **out, const struct trail *trail, struct tap_error *err)
{
    (void)trail, (void)err;
    const char *disabled = variable("AWS_EC2_METADATA_DISABLED");
    if (disabled && strcasecmp(disabled, "false") == 0)
        *out = source_new(TAP_SOURCE_INSTANCE, NULL);
    return TAP_OK;
}

/* ---- roles ---- */

static tap_err of_profile(struct tap_source **out, const struct trail *trail,
                          struct tap_error *err);

/* The first of `finders` that has something. */
static tap_err first_of(struct tap_source **out, find_source *const *finders,
                        const struct trail *trail, struct tap_error *err)
{
    tap_err code = TAP_OK;
    for (; *finders && code == TAP_OK && !*out; finders++)
        code = (*finders)(out, trail, err);
    return code;
}

static find_source *const of_own[] = {
    web_identity, sso, credentials_file_keys, login_session, process, config_file_keys, NULL};

static tap_err credential_source(struct tap_source **out, const struct trail *trail,
                                 const char *name, struct tap_error *err)
{
    const struct tap_profile *profile = trail->profile;
    if (strcasecmp(name, "Environment") == 0)
        return environment_keys(out, err);
    if (strcasecmp(name, "EcsContainer") == 0) {
        container(out, trail, err);
        return *out ? TAP_OK
                    : invalid(err, profile, "InvalidProfile",
                              "has credential_source = EcsContainer, but the environment has no "
                              "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or "
                              "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    }
    if (strcasecmp(name, "Ec2InstanceMetadata") == 0) {
        const char *disabled = variable("AWS_EC2_METADATA_DISABLED");
        if (disabled && strcasecmp(disabled, "true") == 0)
            return invalid(err, profile, "InvalidProfile",
                           "has credential_source = Ec2InstanceMetadata, but "
                           "AWS_EC2_METADATA_DISABLED is true");
        *out = source_new(TAP_SOURCE_INSTANCE, profile);
        return TAP_OK;
    }
    return tap_fail(err, TAP_E_CREDENTIALS, "InvalidProfile",
                    "profile '%s' of %s has credential_source = %s; it can be Environment, "
                    "Ec2InstanceMetadata or EcsContainer",
                    profile->name, tap_profile_file(profile), name);
}

/* The loop as it goes: "a -> b -> a". */
static tap_err chain_loop(const struct trail *trail, const char *again, struct tap_error *err)
{
    char *path = tap_strdup(again);
    for (const struct trail *at = trail; at; at = at->above) {
        char *longer = tap_sprintf("%s -> %s", at->profile->name, path);
        tap_free(path);
        path = longer;
    }
    tap_fail(err, TAP_E_CREDENTIALS, "InvalidProfile",
             "the profiles of %s lead in a circle by source_profile: %s; one of them needs keys of "
             "its own",
             tap_profile_file(trail->profile), path);
    tap_free(path);
    return TAP_E_CREDENTIALS;
}

static tap_err source_profile(struct tap_source **out, const struct trail *trail, const char *name,
                              struct tap_error *err)
{
    const struct tap_profile *profile = trail->profile;
    struct tap_profile source;
    struct tap_error unknown;
    if (tap_profile_find(&source, profile->files, name, &unknown))
        return tap_fail(err, TAP_E_CREDENTIALS, "InvalidProfile",
                        "profile '%s' of %s has source_profile = %s: %s", profile->name,
                        tap_profile_file(profile), name, unknown.message);
    struct trail next = {&source, trail, trail->depth + 1, true};
    bool itself = strcmp(name, profile->name) == 0;
    /* A profile may name itself: its role is assumed by its own keys. */
    for (const struct trail *at = trail; at; at = at->above)
        if (strcmp(at->profile->name, name) == 0 && !(itself && has_keys(&source)))
            return chain_loop(trail, name, err);
    if (next.depth > TAP_MAX_ROLE_CHAIN)
        return tap_fail(err, TAP_E_CREDENTIALS, "InvalidProfile",
                        "more than %d profiles lead to one another by source_profile",
                        TAP_MAX_ROLE_CHAIN);
    tap_err code =
        has_keys(&source) ? first_of(out, of_own, &next, err) : of_profile(out, &next, err);
    if (code || *out)
        return code;
    return tap_fail(err, TAP_E_CREDENTIALS, "InvalidProfile",
                    "profile '%s' of %s has source_profile = %s, which has no credentials: give "
                    "it keys, a credential_process or a role",
                    profile->name, tap_profile_file(profile), name);
}

/* 0 when the profile has none. */
static tap_err read_duration(int *out, const struct tap_profile *profile, struct tap_error *err)
{
    const char *text = tap_profile_get(profile, "duration_seconds");
    char *end = NULL;
    *out = 0;
    if (!text)
        return TAP_OK;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || *end || value < 900 || value > 43200)
        return tap_fail(err, TAP_E_CREDENTIALS, "InvalidProfile",
                        "profile '%s' of %s has duration_seconds = %s; a whole number from 900 to "
                        "43200 is needed",
                        profile->name, tap_profile_file(profile), text);
    *out = (int)value;
    return TAP_OK;
}

static tap_err role(struct tap_source **out, const struct trail *trail, struct tap_error *err)
{
    const struct tap_profile *profile = trail->profile;
    const char *arn = tap_profile_get(profile, "role_arn");
    if (!arn || tap_profile_get(profile, "web_identity_token_file"))
        return TAP_OK;
    const char *by_profile = tap_profile_get(profile, "source_profile");
    const char *by_source = tap_profile_get(profile, "credential_source");
    if (tap_profile_get(profile, "mfa_serial"))
        return invalid(err, profile, "MfaUnsupported",
                       "has mfa_serial, and asking for its codes is not supported: get temporary "
                       "credentials with 'aws configure export-credentials --format env' first, "
                       "or use a role that needs no MFA");
    if (!by_profile == !by_source)
        return invalid(err, profile, "InvalidProfile",
                       by_profile ? "has source_profile and credential_source: keep one"
                                  : "has role_arn, but neither source_profile nor "
                                    "credential_source: say who assumes the role");
    int duration_s;
    struct tap_source *base = NULL;
    tap_err code = read_duration(&duration_s, profile, err);
    if (code == TAP_OK)
        code = by_source ? credential_source(&base, trail, by_source, err)
                         : source_profile(&base, trail, by_profile, err);
    if (code)
        return code;
    *out = source_new(TAP_SOURCE_ROLE, profile);
    (*out)->base = base;
    (*out)->role_arn = tap_strdup(arn);
    (*out)->external_id = tap_strdup(tap_profile_get(profile, "external_id"));
    (*out)->session_name = tap_strdup(tap_profile_get(profile, "role_session_name"));
    (*out)->duration_s = duration_s;
    return TAP_OK;
}

static tap_err of_profile(struct tap_source **out, const struct trail *trail, struct tap_error *err)
{
    tap_err code = role(out, trail, err);
    return code || *out ? code : first_of(out, of_own, trail, err);
}

/* ---- the chain ---- */

static tap_err no_credentials(const struct tap_profile *profile, bool explicitly,
                              struct tap_error *err)
{
    if (profile->config || profile->credentials)
        return invalid(err, profile, "NoCredentials",
                       explicitly
                           ? "has no credentials: give it aws_access_key_id and "
                             "aws_secret_access_key, role_arn with source_profile, sso_session, or "
                             "credential_process"
                           : "has no credentials, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                             "are not set: export them, or choose a profile by AWS_PROFILE");
    return tap_fail(err, TAP_E_CREDENTIALS, "NoCredentials",
                    "no AWS credentials: export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and "
                    "AWS_SESSION_TOKEN for temporary ones (with the AWS CLI: eval \"$(aws "
                    "configure export-credentials --format env)\"); or choose a profile of %s by "
                    "AWS_PROFILE; or, on an EC2 instance, set AWS_EC2_METADATA_DISABLED=false to "
                    "use its role",
                    tap_profiles_config_path(profile->files));
}

static bool environment_has_keys(void)
{
    return variable("AWS_ACCESS_KEY_ID") || variable("AWS_SECRET_ACCESS_KEY");
}

/* STS is asked in the region of the profile in use, whichever profile names the role. */
static void set_region(struct tap_source *source, const char *region)
{
    for (; source; source = source->base)
        source->region = tap_strdup(region);
}

tap_err tap_source_find(struct tap_source **out, const struct tap_profiles *profiles,
                        const char *given, struct tap_error *err)
{
    static find_source *const of_machine[] = {container, instance, NULL};
    struct tap_profile profile;
    *out = NULL;
    tap_err code = tap_profile_find(&profile, profiles, tap_profile_name(given), err);
    if (code)
        return code;
    struct trail trail = {.profile = &profile, .depth = 1, .explicitly = given && *given};
    if (!trail.explicitly && environment_has_keys())
        return environment_keys(out, err);
    code = of_profile(out, &trail, err);
    if (code == TAP_OK && !*out)
        code = first_of(out, of_machine, &trail, err);
    if (code == TAP_OK && !*out)
        code = no_credentials(&profile, trail.explicitly, err);
    if (code == TAP_OK)
        set_region(*out, tap_profile_region(&profile));
    return code;
}

void tap_source_free(struct tap_source *source)
{
    if (!source)
        return;
    tap_source_free(source->base); /* at most TAP_MAX_ROLE_CHAIN deep */
    tap_credentials_fini(&source->keys);
    char *const texts[] = {source->origin,      source->role_arn,     source->session_name,
                           source->external_id, source->token_file,   source->region,
                           source->sso_region,  source->sso_account,  source->sso_role,
                           source->login,       source->sso_cache_key};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        tap_free(texts[i]);
    tap_free_secret(source->command);
    tap_free(source);
}
