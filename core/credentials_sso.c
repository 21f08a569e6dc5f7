/*
 * IAM Identity Center: the token that `aws sso login` has left in ~/.aws/sso/cache is exchanged for
 * a role's credentials. Signing in needs a browser and a person, so it is left to the AWS CLI: the
 * message says which command to run.
 */
#include <stdio.h>
#include <string.h>

#include "credentials_json.h"
#include "credentials_remote.h"
#include "crypto.h"
#include "endpoint.h"
#include "file.h"
#include "json.h"
#include "mem.h"
#include "secret.h"
#include "text.h"
#include "timestamp.h"

enum { MAX_CACHE = 256 * 1024 };

static const struct tap_remote remote = {.attempts = 3, .timeout_ms = 20 * 1000};

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
    struct tap_error error = *why;
    bool is_unreachable = why->code == TAP_E_NETWORK || why->code == TAP_E_TIMEOUT;
    tap_fail(&error, is_unreachable ? why->code : TAP_E_CREDENTIALS, why->name,
             "IAM Identity Center (%s): %s", fetch->source->origin, why->message);
    tap_fetch_fail(fetch, &error);
}

/* ---- the token ---- */

static json_t *read_cache(const struct tap_source *source)
{
    uint8_t hash[TAP_SHA1_SIZE];
    char name[2 * TAP_SHA1_SIZE + 1];
    struct tap_buf text;
    json_t *json = NULL;
    tap_sha1(hash, source->sso_cache_key, strlen(source->sso_cache_key));
    tap_hex(name, hash, sizeof hash);
    char *relative = tap_sprintf("~/.aws/sso/cache/%s.json", name);
    char *path = tap_file_expand(relative);
    tap_buf_init(&text, MAX_CACHE);
    if (tap_file_load(&text, path, NULL) == TAP_OK)
        tap_json_parse(&json, tap_buf_text(&text), text.len, path, NULL);
    tap_buf_fini_secret(&text);
    tap_free(relative);
    tap_free(path);
    return json;
}

/* "2026-01-01T00:00:00Z", in older caches "...UTC". */
static bool read_time(double *out, const char *text)
{
    size_t n = strlen(text);
    bool is_old = n > 3 && strcmp(text + n - 3, "UTC") == 0;
    char *time = tap_sprintf("%.*s%s", (int)(is_old ? n - 3 : n), text, is_old ? "Z" : "");
    bool is_time = tap_time_parse(out, time);
    tap_free(time);
    return is_time;
}

/* Puts the token into the request; what hinders it, or NULL. */
static const char *add_token(struct tap_fetch *fetch, const json_t *cache)
{
    const char *token = json_string_value(json_object_get(cache, "accessToken"));
    const char *expires = json_string_value(json_object_get(cache, "expiresAt"));
    double end;
    if (!cache)
        return "is not signed in to";
    if (!token || !expires || !read_time(&end, expires) || strpbrk(token, "\r\n"))
        return "has a broken token in ~/.aws/sso/cache";
    tap_secret_register(token);
    if (end * 1000 <= (double)tap_loop_wall(fetch->op.loop))
        return "has a sign-in that has expired";
    tap_headers_set(&fetch->request.headers, "x-amz-sso_bearer_token", token);
    return NULL;
}

/* ---- the exchange ---- */

static tap_err make_request(struct tap_fetch *fetch, struct tap_error *err)
{
    const struct tap_source *source = fetch->source;
    const struct tap_model *model;
    struct tap_endpoint endpoint = {0};
    struct tap_endpoint_settings *settings = NULL;
    tap_err code = tap_model_load(&model, "sso", err);
    if (code == TAP_OK)
        code =
            tap_endpoint_settings_new(&settings, model, source->sso_region, NULL, NULL, NULL, err);
    if (code == TAP_OK)
        code = tap_endpoint_resolve(&endpoint, settings, NULL, NULL, err);
    tap_endpoint_settings_free(settings);
    if (code)
        return code;
    struct tap_buf target;
    tap_buf_init(&target, 8192);
    tap_buf_printf(&target, "%s/federation/credentials?role_name=", endpoint.base_path);
    tap_uri_encode(&target, source->sso_role, strlen(source->sso_role), "");
    tap_buf_puts(&target, "&account_id=");
    tap_uri_encode(&target, source->sso_account, strlen(source->sso_account), "");
    tap_set(&fetch->request.method, "GET");
    tap_set(&fetch->request.scheme, endpoint.scheme);
    tap_set(&fetch->request.host, endpoint.host);
    tap_set(&fetch->request.target, tap_buf_text(&target));
    tap_buf_fini(&target);
    tap_endpoint_fini(&endpoint);
    return TAP_OK;
}

static void begin(struct tap_fetch *fetch)
{
    struct tap_error error;
    if (make_request(fetch, &error)) {
        fail(fetch, &error);
        return;
    }
    json_t *cache = read_cache(fetch->source);
    const char *hindrance = add_token(fetch, cache);
    tap_json_wipe(cache);
    json_decref(cache);
    if (hindrance)
        fail_login(fetch, hindrance);
    else
        tap_remote_send(fetch, &remote);
}

static void read_answer(struct tap_fetch *fetch, const struct tap_response *response)
{
    struct tap_error error;
    json_t *json = NULL;
    tap_json_parse(&json, tap_buf_text(&response->body), response->body.len, NULL, NULL);
    const char *message = json_string_value(json_object_get(json, "message"));
    char *whose = tap_sprintf("IAM Identity Center (%s)", fetch->source->origin);
    if (response->status == 401) {
        fail_login(fetch, "does not accept the sign-in any more");
    } else if (response->status != 200) {
        tap_fail(&error, TAP_E_CREDENTIALS, "NoCredentials",
                 "account %s, role %s: HTTP status %d%s%s", fetch->source->sso_account,
                 fetch->source->sso_role, response->status, message ? ": " : "",
                 message ? message : "");
        fail(fetch, &error);
    } else if (tap_credentials_from_json(&fetch->result, json_object_get(json, "roleCredentials"),
                                         &members, whose, &error)) {
        tap_fetch_fail(fetch, &error);
    } else {
        tap_fetch_succeed(fetch, "sso");
    }
    json_decref(json);
    tap_free(whose);
}

static void proceed(struct tap_fetch *fetch, struct tap_op *inner)
{
    struct tap_response *response;
    struct tap_error error;
    switch (tap_remote_proceed(&response, fetch, inner, &remote, &error)) {
    case TAP_REMOTE_AGAIN: return;
    case TAP_REMOTE_FAILED: fail(fetch, &error); return;
    case TAP_REMOTE_ANSWER: read_answer(fetch, response);
    }
}

const struct tap_source_class tap_source_sso = {begin, proceed};
