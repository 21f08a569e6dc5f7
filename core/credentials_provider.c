/*
 * Providers. See credentials_provider.h. A waiter is the operation of one call; the first one that
 * begins owns the fetch, and when it is cancelled the fetch passes on to another waiter.
 */
#include "credentials_provider.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "credentials_fetch.h"
#include "crypto.h"
#include "mem.h"

enum {
    ADVISORY_S = 15 * 60,
    MANDATORY_S = 10 * 60,
    AGAIN_AFTER_S = 60, /* after an early renewal that failed */
};

struct waiter {
    struct tap_op op;
    struct tap_provider *provider;
    struct tap_timer start; /* what can be answered at once must not complete within the start */
    struct tap_log *log;
    struct waiter *next;
};

struct tap_provider {
    struct tap_provider *next;         /* of those known */
    char key[2 * TAP_SHA256_SIZE + 1]; /* what it was opened with, hashed */
    size_t holders;                    /* clients, waiters, and the list of those known */
    char *profile;                     /* as given; NULL: none was */
    struct tap_source *source;         /* NULL: `unavailable` says why */
    struct tap_error unavailable;
    struct tap_credentials current; /* access_key NULL: none yet */
    unsigned generation;
    bool stale;                        /* a service has called the current ones expired */
    int64_t advisory_at, mandatory_at; /* when to renew; INT64_MAX: never */
    struct waiter *waiters;
    struct tap_op *fetch; /* under way, owned by one of the waiters */
};

static struct tap_provider *known;

/* ---- what a provider is known by ---- */

/* Everything that leads to credentials, the chain's variables. */
static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "HOME",
};

/* A file as it stands now: written again, it leads to another provider. */
static void add_file(struct tap_buf *text, const char *path)
{
    struct stat status = {0};
    bool is_there = stat(path, &status) == 0;
    tap_buf_printf(text, "%s %d %lld.%09ld %lld %lld\n", path, is_there,
                   (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                   (long long)status.st_size, (long long)status.st_ino);
}

static void make_key(char key[], const char *profile, const struct tap_profiles *profiles)
{
    struct tap_buf text;
    tap_buf_init(&text, 4 * 1024 * 1024);
    tap_buf_printf(&text, "%s\n", profile ? profile : "");
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        tap_buf_printf(&text, "%zu %s\n", i, value ? value : "");
    }
    add_file(&text, tap_profiles_config_path(profiles));
    add_file(&text, tap_profiles_credentials_path(profiles));
    tap_sha256_hex(key, tap_buf_text(&text), text.len);
    tap_buf_fini_secret(&text);
}

/* ---- life ---- */

static void release(struct tap_provider *provider)
{
    if (--provider->holders)
        return;
    assert(!provider->fetch && !provider->waiters);
    tap_source_free(provider->source);
    tap_credentials_fini(&provider->current);
    tap_free(provider->profile);
    tap_free(provider);
}

static void warn_of_exposed(const struct tap_profiles *profiles, struct tap_log *log,
                            int64_t wall_ms)
{
    const char *path = tap_profiles_exposed(profiles);
    if (!path)
        return;
    json_t *fields =
        json_pack("{s:s, s:o}", "file", path, "hint", json_sprintf("chmod 600 %s", path));
    tap_log_write(log, TAP_LOG_WARN, wall_ms,
                  "a file with access keys can be read by other users of this machine", fields);
    json_decref(fields);
}

/* Takes what `fresh` holds. */
static void set_current(struct tap_provider *provider, struct tap_credentials *fresh, int64_t now_s)
{
    int64_t life = fresh->expires - now_s;
    bool renews = fresh->expires && provider->source->kind != TAP_SOURCE_KEYS;
    tap_credentials_fini(&provider->current);
    provider->current = *fresh;
    memset(fresh, 0, sizeof *fresh);
    provider->generation++;
    provider->stale = false;
    provider->advisory_at = provider->mandatory_at = INT64_MAX;
    if (!renews)
        return;
    provider->advisory_at =
        provider->current.expires - (life < 2 * ADVISORY_S ? life / 2 : ADVISORY_S);
    provider->mandatory_at =
        provider->current.expires - (life < 3 * MANDATORY_S ? life / 3 : MANDATORY_S);
}

static struct tap_provider *provider_new(const struct tap_profiles *profiles, const char *profile,
                                         int64_t wall_ms)
{
    struct tap_provider *provider = tap_alloc(sizeof *provider);
    provider->profile = tap_strdup(profile);
    if (tap_source_find(&provider->source, profiles, profile, &provider->unavailable) == TAP_OK) {
        tap_error_clear(&provider->unavailable);
        if (provider->source->kind == TAP_SOURCE_KEYS)
            set_current(provider, &provider->source->keys, wall_ms / 1000);
    }
    return provider;
}

struct tap_provider *tap_provider_open(const struct tap_profiles *profiles, const char *profile,
                                       struct tap_log *log, int64_t wall_ms)
{
    char key[2 * TAP_SHA256_SIZE + 1];
    make_key(key, profile, profiles);
    struct tap_provider *provider = known;
    while (provider && strcmp(provider->key, key) != 0)
        provider = provider->next;
    if (!provider) {
        provider = provider_new(profiles, profile, wall_ms);
        memcpy(provider->key, key, sizeof key);
        provider->holders = 1;
        provider->next = known;
        known = provider;
        warn_of_exposed(profiles, log, wall_ms);
    }
    provider->holders++;
    return provider;
}

void tap_provider_close(struct tap_provider *provider)
{
    if (provider)
        release(provider);
}

void tap_providers_clear(void)
{
    while (known) {
        struct tap_provider *provider = known;
        known = provider->next;
        release(provider);
    }
}

/* ---- answers ---- */

enum tap_provider_answer tap_provider_ask(const struct tap_provider *provider, int64_t wall_ms,
                                          struct tap_error *err)
{
    int64_t now_s = wall_ms / 1000;
    if (provider->unavailable.code) {
        *err = provider->unavailable;
        return TAP_PROVIDER_NONE;
    }
    if (!provider->current.access_key || provider->stale || now_s >= provider->mandatory_at)
        return TAP_PROVIDER_WAIT;
    return now_s >= provider->advisory_at && !provider->waiters ? TAP_PROVIDER_WAIT
                                                                : TAP_PROVIDER_READY;
}

const struct tap_credentials *tap_provider_current(const struct tap_provider *provider)
{
    assert(provider->current.access_key);
    return &provider->current;
}

unsigned tap_provider_generation(const struct tap_provider *provider)
{
    return provider->generation;
}

void tap_provider_expired(struct tap_provider *provider, unsigned generation)
{
    if (generation == provider->generation)
        provider->stale = true;
}

bool tap_provider_renews(const struct tap_provider *provider)
{
    return provider->source && (provider->source->kind != TAP_SOURCE_KEYS ||
                                strcmp(provider->current.source, "environment") != 0);
}

/* ---- fetching ---- */

/* Ends all waits. */
static void settle(struct tap_provider *provider, const struct tap_error *error)
{
    while (provider->waiters)
        tap_op_finish(&provider->waiters->op, error); /* its stop takes it off the list */
}

static void log_fresh(const struct waiter *waiter)
{
    const struct tap_credentials *current = &waiter->provider->current;
    json_t *fields =
        json_pack("{s:s, s:s, s:I}", "source", current->source, "origin",
                  waiter->provider->source->origin, "expires", (json_int_t)current->expires);
    tap_log_write(waiter->log, TAP_LOG_INFO, tap_loop_wall(waiter->op.loop), "credentials loaded",
                  fields);
    json_decref(fields);
}

static void fetch_failed(const struct waiter *waiter, const struct tap_error *error)
{
    struct tap_provider *provider = waiter->provider;
    int64_t now_s = tap_loop_wall(waiter->op.loop) / 1000;
    if (!provider->current.access_key || provider->stale || now_s >= provider->mandatory_at) {
        settle(provider, error);
        return;
    }
    json_t *fields = json_pack("{s:s, s:s}", "error", error->name, "message", error->message);
    tap_log_write(waiter->log, TAP_LOG_WARN, tap_loop_wall(waiter->op.loop),
                  "credentials could not be renewed; the present ones are used on", fields);
    json_decref(fields);
    provider->advisory_at = now_s + AGAIN_AFTER_S;
    settle(provider, NULL);
}

static void fetch_succeeded(const struct waiter *waiter, struct tap_credentials *fresh)
{
    struct tap_provider *provider = waiter->provider;
    int64_t now_s = tap_loop_wall(waiter->op.loop) / 1000;
    if (fresh->expires && fresh->expires <= now_s) {
        struct tap_error error;
        tap_fail(&error, TAP_E_CREDENTIALS, "ExpiredToken",
                 "%s gave credentials that have expired already: compare this machine's clock",
                 provider->source->origin);
        tap_credentials_fini(fresh);
        fetch_failed(waiter, &error);
        return;
    }
    set_current(provider, fresh, now_s);
    log_fresh(waiter);
    settle(provider, NULL);
}

static bool same_keys(const struct tap_credentials *a, const struct tap_credentials *b)
{
    const char *a_token = a->session_token ? a->session_token : "";
    const char *b_token = b->session_token ? b->session_token : "";
    return strcmp(a->access_key, b->access_key) == 0 && strcmp(a->secret_key, b->secret_key) == 0 &&
           strcmp(a_token, b_token) == 0;
}

/* Keys in a file are read again: another program may have written newer ones there. */
static void take_keys(const struct waiter *waiter)
{
    struct tap_provider *provider = waiter->provider;
    struct tap_credentials *keys = &provider->source->keys;
    if (provider->current.access_key && same_keys(&provider->current, keys)) {
        struct tap_error error;
        tap_fail(&error, TAP_E_CREDENTIALS, "ExpiredToken",
                 "the keys of %s have expired, and it has no newer ones: renew them",
                 provider->source->origin);
        settle(provider, &error);
        return;
    }
    fetch_succeeded(waiter, keys);
}

/* The plan is made anew each time: files may have changed. */
static tap_err plan(struct tap_provider *provider, struct tap_error *err)
{
    struct tap_profiles *profiles;
    struct tap_source *source = NULL;
    tap_err code = tap_profiles_read(&profiles, err);
    if (code == TAP_OK)
        code = tap_source_find(&source, profiles, provider->profile, err);
    tap_profiles_free(profiles);
    if (code)
        return code;
    tap_source_free(provider->source);
    provider->source = source;
    return TAP_OK;
}

static void waiter_begin(struct tap_timer *timer)
{
    struct waiter *waiter = (struct waiter *)((char *)timer - offsetof(struct waiter, start));
    struct tap_provider *provider = waiter->provider;
    struct tap_error error;
    if (provider->fetch)
        return; /* somebody has begun: its end is this one's, too */
    if (plan(provider, &error)) {
        fetch_failed(waiter, &error);
    } else if (provider->source->kind == TAP_SOURCE_KEYS) {
        take_keys(waiter);
    } else {
        provider->fetch = tap_fetch_start(waiter->op.loop, provider->source, provider->profile);
        tap_op_own(&waiter->op, provider->fetch);
    }
}

static void waiter_fetched(struct tap_op *op, struct tap_op *fetch)
{
    struct waiter *waiter = (struct waiter *)op;
    struct tap_credentials fresh;
    waiter->provider->fetch = NULL;
    if (tap_op_error(fetch)) {
        fetch_failed(waiter, tap_op_error(fetch));
    } else {
        tap_fetch_take(&fresh, fetch);
        fetch_succeeded(waiter, &fresh);
    }
    tap_op_free(fetch);
}

static void waiter_stop(struct tap_op *op)
{
    struct waiter *waiter = (struct waiter *)op;
    struct tap_provider *provider = waiter->provider;
    struct waiter **at = &provider->waiters;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    tap_timer_clear(op->loop, &waiter->start);
    if (!provider->fetch || provider->fetch->owner != op)
        return;
    if (provider->waiters) {
        provider->fetch->owner = &provider->waiters->op;
        return;
    }
    tap_op_cancel(provider->fetch);
    provider->fetch = NULL;
}

static void waiter_free(struct tap_op *op)
{
    release(((struct waiter *)op)->provider);
    tap_free(op);
}

struct tap_op *tap_provider_wait(struct tap_loop *loop, struct tap_provider *provider,
                                 struct tap_log *log)
{
    static const struct tap_op_class class = {TAP_OP_CREDENTIALS, waiter_stop, waiter_free,
                                              waiter_fetched};
    struct waiter *waiter = tap_alloc(sizeof *waiter);
    tap_op_init(&waiter->op, loop, &class);
    waiter->provider = provider;
    waiter->log = log;
    waiter->next = provider->waiters;
    waiter->start.fire = waiter_begin;
    provider->waiters = waiter;
    provider->holders++;
    tap_timer_set(loop, &waiter->start, 0);
    return &waiter->op;
}
