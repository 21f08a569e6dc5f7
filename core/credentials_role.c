/*
 * Roles: STS is asked for temporary credentials through a client of ours, signed by the credentials
 * of the base source (which may be a fetch of its own), or without a signature, by an identity
 * token that is read from its file each time: the platform replaces it there.
 */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "credentials_fetch.h"
#include "credentials_json.h"
#include "file.h"
#include "mem.h"
#include "secret.h"

enum { MAX_TOKEN = 64 * 1024 };

static const struct tap_credentials_members members = {
    .access_key = "AccessKeyId",
    .secret_key = "SecretAccessKey",
    .session_token = "SessionToken",
    .expiration = "Expiration",
    .ticks_per_second = 1,
    .required = "SessionToken Expiration",
};

/* "profile 'web' of FILE: cannot assume ROLE: WHY" */
static void fail(struct tap_fetch *fetch, const struct tap_error *why)
{
    struct tap_error error = *why;
    bool is_service = why->code == TAP_E_SERVICE;
    tap_fail(&error, TAP_E_CREDENTIALS, why->name, "%s: cannot assume %s: %s%s%s",
             fetch->source->origin, fetch->source->role_arn, is_service ? why->name : "",
             is_service ? ": " : "", why->message);
    /* An unreachable STS is no matter of credentials. */
    if (why->code == TAP_E_NETWORK || why->code == TAP_E_TIMEOUT)
        error.code = why->code;
    error.http_status = why->http_status;
    error.retryable = why->retryable;
    tap_error_copy(error.request_id, sizeof error.request_id, why->request_id);
    tap_fetch_fail(fetch, &error);
}

/* STS answers in any region of the partition; without one configured, the classic one. */
static const char *sts_region(const struct tap_source *source)
{
    static const struct {
        const char *arn, *region;
    } partitions[] = {
        {"arn:aws:", "us-east-1"},
        {"arn:aws-cn:", "cn-north-1"},
        {"arn:aws-us-gov:", "us-gov-west-1"},
    };
    if (source->region)
        return source->region;
    for (size_t i = 0; i < sizeof partitions / sizeof *partitions; i++)
        if (strncmp(source->role_arn, partitions[i].arn, strlen(partitions[i].arn)) == 0)
            return partitions[i].region;
    return NULL;
}

/* Signed by `by`; NULL: not signed. Takes `input`. */
static void call_sts(struct tap_fetch *fetch, const char *operation, json_t *input,
                     const struct tap_credentials *by)
{
    struct tap_error error;
    if (tap_fetch_call(fetch, "sts", sts_region(fetch->source), operation, input, by, &error))
        fail(fetch, &error);
}

static json_t *role_input(const struct tap_fetch *fetch)
{
    const struct tap_source *source = fetch->source;
    char session[64];
    snprintf(session, sizeof session, "tapengine-%lld",
             (long long)(tap_loop_wall(fetch->op.loop) / 1000));
    json_t *input = json_pack("{s:s, s:s}", "RoleArn", source->role_arn, "RoleSessionName",
                              source->session_name ? source->session_name : session);
    if (source->external_id)
        json_object_set_new(input, "ExternalId", json_string(source->external_id));
    if (source->duration_s)
        json_object_set_new(input, "DurationSeconds", json_integer(source->duration_s));
    return input;
}

static void assume(struct tap_fetch *fetch, const struct tap_credentials *by)
{
    call_sts(fetch, "AssumeRole", role_input(fetch), by);
}

static void assume_with_token(struct tap_fetch *fetch)
{
    struct tap_error error;
    struct tap_buf token;
    tap_buf_init(&token, MAX_TOKEN);
    if (tap_file_load(&token, fetch->source->token_file, &error)) {
        fail(fetch, &error);
        return;
    }
    tap_buf_cut(&token, strcspn(tap_buf_text(&token), "\r\n"));
    tap_secret_register(tap_buf_text(&token));
    json_t *input = role_input(fetch);
    json_object_set_new(input, "WebIdentityToken", json_string(tap_buf_text(&token)));
    tap_buf_fini_secret(&token);
    call_sts(fetch, "AssumeRoleWithWebIdentity", input, NULL);
}

static void begin(struct tap_fetch *fetch)
{
    const struct tap_source *source = fetch->source;
    if (source->kind == TAP_SOURCE_WEB_IDENTITY)
        assume_with_token(fetch);
    else if (source->base->kind == TAP_SOURCE_KEYS)
        assume(fetch, &source->base->keys);
    else
        tap_fetch_wait(fetch, tap_fetch_start(fetch->op.loop, source->base, fetch->profile));
}

static void read_answer(struct tap_fetch *fetch, const struct tap_op *call)
{
    struct tap_error error;
    char *whose = tap_sprintf("%s: the role %s", fetch->source->origin, fetch->source->role_arn);
    json_t *json = json_object_get(tap_call_output(call), "Credentials");
    if (tap_credentials_from_json(&fetch->result, json, &members, whose, &error))
        tap_fetch_fail(fetch, &error);
    else
        tap_fetch_succeed(fetch, fetch->source->kind == TAP_SOURCE_ROLE ? "role" : "web identity");
    tap_free(whose);
}

static void proceed(struct tap_fetch *fetch, struct tap_op *inner)
{
    const struct tap_error *error = tap_op_error(inner);
    bool is_base = tap_op_kind(inner) == TAP_OP_CREDENTIALS;
    if (error && is_base) {
        tap_fetch_fail(fetch, error); /* it says whose it is */
    } else if (error) {
        fail(fetch, error);
    } else if (is_base) {
        struct tap_credentials base;
        tap_fetch_take(&base, inner);
        assume(fetch, &base);
        tap_credentials_fini(&base);
    } else {
        read_answer(fetch, inner);
    }
}

const struct tap_source_class tap_source_role = {begin, proceed};
