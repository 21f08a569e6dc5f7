/*
 * IAM Identity Center: the token that `aws sso login` has left in ~/.aws/sso/cache is exchanged for
 * a role's credentials. A token of an sso-session is renewed shortly before it ends, as the AWS CLI
 * does it, in the file that both use. Signing in needs a browser and a person, so it is left to
 * the AWS CLI: the message says which command to run.
 */
#include <string.h>

#include "client.h"
#include "credentials_fetch.h"
#include "credentials_json.h"
#include "crypto.h"
#include "file.h"
#include "json.h"
#include "mem.h"
#include "secret.h"
#include "text.h"
#include "timestamp.h"

enum { MAX_CACHE = 256 * 1024, RENEW_S = 15 * 60, EXCHANGE_STAGE = 0, RENEW_STAGE };

static const struct tap_credentials_members members = {
    .access_key = "accessKeyId",
    .secret_key = "secretAccessKey",
    .session_token = "sessionToken",
    .expiration = "expiration",
    .ticks_per_second = 1000,
    .required = "sessionToken expiration",
};

/* "IAM Identity Center (profile 'x' of FILE) TEXT: run 'aws sso login --sso-session x'" */
static void fail_login(struct tap_fetch *fetch, const char *text)
{
    struct tap_error error;
    tap_fail(&error, TAP_E_CREDENTIALS, "LoginRequired",
             "IAM Identity Center (%s) %s: run '%s', then try again", fetch->source->origin, text,
             fetch->source->login);
    tap_fetch_fail(fetch, &error);
}

static void fail(struct tap_fetch *fetch, const struct tap_error *why)
{
    const struct tap_source *source = fetch->source;
    struct tap_error error;
    bool is_unreachable = why->code == TAP_E_NETWORK || why->code == TAP_E_TIMEOUT;
    bool is_service = why->code == TAP_E_SERVICE;
    tap_fail(&error, is_unreachable ? why->code : TAP_E_CREDENTIALS, why->name,
             "IAM Identity Center (%s), account %s, role %s: %s%s%s", source->origin,
             source->sso_account, source->sso_role, is_service ? why->name : "",
             is_service ? ": " : "", why->message);
    error.http_status = why->http_status;
    error.retryable = why->retryable;
    tap_error_copy(error.request_id, sizeof error.request_id, why->request_id);
    tap_fetch_fail(fetch, &error);
}

/* ---- the sign-in ---- */

/* The caller frees it. */
static char *cache_path(const struct tap_source *source)
{
    uint8_t hash[TAP_SHA1_SIZE];
    char name[2 * TAP_SHA1_SIZE + 1];
    tap_sha1(hash, source->sso_cache_key, strlen(source->sso_cache_key));
    tap_hex(name, hash, sizeof hash);
    char *relative = tap_sprintf("~/.aws/sso/cache/%s.json", name);
    char *path = tap_file_expand(relative);
    tap_free(relative);
    return path;
}

static json_t *read_cache(const struct tap_source *source)
{
    struct tap_buf text;
    json_t *json = NULL;
    char *path = cache_path(source);
    tap_buf_init(&text, MAX_CACHE);
    if (tap_file_load(&text, path, NULL) == TAP_OK)
        tap_json_parse(&json, tap_buf_text(&text), text.len, path, NULL);
    tap_buf_fini_secret(&text);
    tap_free(path);
    return json;
}

/* A cache that cannot be written costs a sign-in later, and is no reason to fail now. */
static void write_cache(const struct tap_fetch *fetch)
{
    char *path = cache_path(fetch->source), *text = tap_json_print(fetch->sign_in);
    tap_file_replace(path, text, NULL);
    tap_free_secret(text);
    tap_free(path);
}

static const char *text_of(const struct tap_fetch *fetch, const char *member)
{
    const char *text = json_string_value(json_object_get(fetch->sign_in, member));
    return text && *text && !strpbrk(text, "\r\n") ? text : NULL;
}

/* Seconds until the time that a member has ("2026-01-01T00:00:00Z", in older caches "...UTC"); not
 * above 0 when it is over or is no time. */
static double left(const struct tap_fetch *fetch, const char *member)
{
    const char *text = text_of(fetch, member);
    size_t n = text ? strlen(text) : 0;
    bool is_old = n > 3 && strcmp(text + n - 3, "UTC") == 0;
    char *time =
        tap_sprintf("%.*s%s", (int)(is_old ? n - 3 : n), text ? text : "", is_old ? "Z" : "");
    double seconds;
    bool is_time = tap_time_parse(&seconds, time);
    tap_free(time);
    return is_time ? seconds - (double)tap_loop_wall(fetch->op.loop) / 1000 : 0;
}

/* ---- the exchange ---- */

static void exchange(struct tap_fetch *fetch)
{
    const struct tap_source *source = fetch->source;
    const char *token = text_of(fetch, "accessToken");
    struct tap_error error;
    if (left(fetch, "expiresAt") <= 0) {
        fail_login(fetch, "has a sign-in that has expired");
        return;
    }
    tap_secret_register(token);
    fetch->stage = EXCHANGE_STAGE;
    json_t *input = json_pack("{s:s, s:s, s:s}", "roleName", source->sso_role, "accountId",
                              source->sso_account, "accessToken", token);
    if (tap_fetch_call(fetch, "sso", source->sso_region, "GetRoleCredentials", input, NULL, &error))
        fail(fetch, &error);
}

static void read_answer(struct tap_fetch *fetch, const struct tap_op *call)
{
    const struct tap_error *error = tap_op_error(call);
    struct tap_error broken;
    if (error && error->http_status == 401) {
        fail_login(fetch, "does not accept the sign-in any more");
        return;
    }
    if (error) {
        fail(fetch, error);
        return;
    }
    char *whose = tap_sprintf("IAM Identity Center (%s)", fetch->source->origin);
    json_t *json = json_object_get(tap_call_output(call), "roleCredentials");
    if (tap_credentials_from_json(&fetch->result, json, &members, whose, &broken))
        tap_fetch_fail(fetch, &broken);
    else
        tap_fetch_succeed(fetch, "sso");
    tap_free(whose);
}

/* ---- renewal ---- */

static bool can_renew(const struct tap_fetch *fetch)
{
    return fetch->source->sso_renews && text_of(fetch, "refreshToken") &&
           text_of(fetch, "clientId") && text_of(fetch, "clientSecret") &&
           left(fetch, "registrationExpiresAt") > 0;
}

static void renew(struct tap_fetch *fetch)
{
    struct tap_error ignored;
    tap_secret_register(text_of(fetch, "refreshToken"));
    tap_secret_register(text_of(fetch, "clientSecret"));
    fetch->stage = RENEW_STAGE;
    json_t *input = json_pack("{s:s, s:s, s:s, s:s}", "clientId", text_of(fetch, "clientId"),
                              "clientSecret", text_of(fetch, "clientSecret"), "grantType",
                              "refresh_token", "refreshToken", text_of(fetch, "refreshToken"));
    if (tap_fetch_call(fetch, "sso-oidc", fetch->source->sso_region, "CreateToken", input, NULL,
                       &ignored))
        exchange(fetch);
}

static void renewed(struct tap_fetch *fetch, const struct tap_op *call)
{
    static const char *const taken[] = {"accessToken", "refreshToken"};
    json_t *output = tap_call_output(call);
    const json_t *life = json_object_get(output, "expiresIn");
    char until[TAP_TIME_SIZE];
    if (!json_string_length(json_object_get(output, "accessToken")) || !json_is_integer(life))
        return;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        const char *text = json_string_value(json_object_get(output, taken[i]));
        tap_secret_register(text);
        if (text && *text)
            json_object_set_new(fetch->sign_in, taken[i], json_string(text));
    }
    tap_time_iso(until,
                 (double)tap_loop_wall(fetch->op.loop) / 1000 + (double)json_integer_value(life),
                 false);
    json_object_set_new(fetch->sign_in, "expiresAt", json_string(until));
    tap_json_wipe(output);
    write_cache(fetch);
}

/* ---- the source ---- */

static void begin(struct tap_fetch *fetch)
{
    fetch->sign_in = read_cache(fetch->source);
    if (!fetch->sign_in)
        fail_login(fetch, "is not signed in to");
    else if (!text_of(fetch, "accessToken") || !text_of(fetch, "expiresAt"))
        fail_login(fetch, "has a broken token in ~/.aws/sso/cache");
    else if (left(fetch, "expiresAt") < RENEW_S && can_renew(fetch))
        renew(fetch);
    else
        exchange(fetch);
}

static void proceed(struct tap_fetch *fetch, struct tap_op *inner)
{
    if (fetch->stage == EXCHANGE_STAGE) {
        read_answer(fetch, inner);
        return;
    }
    const struct tap_error *error = tap_op_error(inner);
    bool is_unreachable = error && (error->code == TAP_E_NETWORK || error->code == TAP_E_TIMEOUT);
    if (!error)
        renewed(fetch, inner);
    if (is_unreachable && left(fetch, "expiresAt") <= 0)
        fail(fetch, error); /* a new sign-in would not help */
    else
        exchange(fetch); /* without a new token, the old one is good for the rest of its time */
}

const struct tap_source_class tap_source_sso = {begin, proceed};
