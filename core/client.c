/*
 * A client: what the options, the environment and the service's model say, read once. What happens
 * in a call is in call.c.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "call.h"
#include "mem.h"

/* What a client is made of. */
struct settings {
    const struct tap_client_options *options;
    struct tap_profiles *profiles; /* NULL: no file counts */
    struct tap_profile profile;
};

static tap_err read_profile(struct settings *settings, const struct tap_client_options *options,
                            struct tap_error *err)
{
    *settings = (struct settings){.options = options};
    if (options->credentials && !options->profile)
        return TAP_OK;
    tap_err code = tap_profiles_read(&settings->profiles, err);
    if (code == TAP_OK)
        code = tap_profile_find(&settings->profile, settings->profiles,
                                tap_profile_name(options->profile), err);
    return code;
}

static const struct tap_profile *profile_of(const struct settings *settings)
{
    return settings->profiles ? &settings->profile : NULL;
}

static const char *setting(const struct settings *settings, const char *variable, const char *key)
{
    return tap_profile_setting(profile_of(settings), variable, key);
}

static const char *region_of(const struct settings *settings)
{
    const char *given = settings->options->region;
    return given && *given ? given : tap_profile_region(profile_of(settings));
}

static tap_err read_max_attempts(int *out, const struct settings *settings, struct tap_error *err)
{
    const char *of_environment = setting(settings, "AWS_MAX_ATTEMPTS", NULL);
    const char *text = setting(settings, "AWS_MAX_ATTEMPTS", "max_attempts");
    *out = settings->options->max_attempts;
    if (*out > 0)
        return TAP_OK;
    if (*out < 0)
        return tap_fail(err, TAP_E_USAGE, "InvalidMaxAttempts",
                        "the number of attempts is %d; 1 or more is needed", *out);
    *out = TAP_RETRY_ATTEMPTS;
    if (!text)
        return TAP_OK;
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || *end || value < 1 || value > INT_MAX)
        return tap_fail(err, TAP_E_USAGE, "InvalidMaxAttempts",
                        "%s is '%s'; a whole number of 1 or more is needed",
                        of_environment ? "AWS_MAX_ATTEMPTS" : "the profile's max_attempts", text);
    *out = (int)value;
    return TAP_OK;
}

/* Whether checksums are made, or asked for, wherever the service supports them, or only where it
 * demands them. */
static tap_err read_checksums(bool *out, const struct settings *settings, const char *variable,
                              const char *key, struct tap_error *err)
{
    const char *when = setting(settings, variable, key);
    *out = !when || strcasecmp(when, "when_supported") == 0;
    if (*out || strcasecmp(when, "when_required") == 0)
        return TAP_OK;
    return tap_fail(err, TAP_E_USAGE, "InvalidSetting",
                    "%s (in the profile: %s) is '%s'; when_supported or when_required is needed",
                    variable, key, when);
}

/* What the environment or the profile asks for and is not built is warned of (warn_of_settings): it
 * was written for other programs, too. */
static tap_err read_retry_mode(enum tap_retry_mode *out, const struct settings *settings,
                               struct tap_error *err)
{
    const char *given = settings->options->retry_mode;
    const char *mode = given ? given : setting(settings, "AWS_RETRY_MODE", "retry_mode");
    *out = TAP_RETRY_STANDARD;
    if (!mode || tap_retry_mode_named(out, mode) || !given)
        return TAP_OK;
    return tap_fail(err, TAP_E_USAGE, "InvalidRetryMode",
                    "the retry mode is '%s'; standard and adaptive are supported", given);
}

/* Signature Version 4 in its two dialects is what is built. */
static tap_err check_signing(const struct tap_model *model, struct tap_error *err)
{
    static const char *const built[] = {"v4", "s3", "s3v4"};
    const char *version =
        json_string_value(json_object_get(tap_model_metadata(model), "signatureVersion"));
    for (size_t i = 0; version && i < sizeof built / sizeof *built; i++)
        if (strcmp(version, built[i]) == 0)
            return TAP_OK;
    if (!version) /* newer models may leave it out: then it is v4 */
        return TAP_OK;
    return tap_fail(err, TAP_E_UNSUPPORTED, "SigningUnsupported",
                    "%s signs its requests by '%s'; only Signature Version 4 is supported",
                    tap_model_service(model), version);
}

static void warn(const struct tap_client *client, const char *message, const char *field,
                 const char *value)
{
    json_t *fields =
        json_pack("{s:s, s:s}", "service", tap_model_service(client->model), field, value);
    tap_log_write(client->log, TAP_LOG_WARN, tap_loop_wall(client->loop), message, fields);
    json_decref(fields);
}

static void warn_of_settings(const struct tap_client *client, const struct settings *settings)
{
    const char *mode = setting(settings, "AWS_RETRY_MODE", "retry_mode");
    enum tap_retry_mode known;
    if (mode && !settings->options->retry_mode && !tap_retry_mode_named(&known, mode))
        warn(client,
             "AWS_RETRY_MODE or retry_mode names a mode that is not supported; standard is used",
             "mode", mode);
    char *host = tap_endpoint_unencrypted_host(client->endpoints);
    if (host)
        warn(client, "requests leave this machine unencrypted", "host", host);
    tap_free(host);
}

static void read_credentials(struct tap_client *client, const struct settings *settings)
{
    const struct tap_credentials *given = settings->options->credentials;
    client->anonymous = settings->options->anonymous;
    if (given) {
        tap_credentials_set(&client->credentials, given->access_key, given->secret_key,
                            given->session_token);
        client->credentials.expires = given->expires;
        client->credentials.source = given->source;
    } else if (!client->anonymous) {
        client->provider = tap_provider_open(settings->profiles, settings->options->profile,
                                             client->log, tap_loop_wall(client->loop));
    }
}

static tap_err init(struct tap_client *client, const char *service, const struct settings *settings,
                    struct tap_error *err)
{
    const struct tap_client_options *options = settings->options;
    const char *region = region_of(settings);
    const char *ca_bundle = options->http.ca_bundle;
    client->region = tap_strdup(region ? region : "");
    client->http = options->http;
    client->http.ca_bundle =
        tap_strdup(ca_bundle ? ca_bundle : setting(settings, "AWS_CA_BUNDLE", "ca_bundle"));
    client->log = options->log;
    client->call_timeout_ms = options->call_timeout_ms;
    client->random = options->random_seed;
    tap_retry_bucket_init(&client->bucket);
    tap_retry_rate_init(&client->rate, tap_loop_now(client->loop));
    tap_err code = tap_model_load(&client->model, service, err);
    if (code == TAP_OK)
        code = tap_protocol_of(&client->protocol, client->model, err);
    if (code == TAP_OK)
        code = check_signing(client->model, err);
    if (code == TAP_OK)
        code = read_retry_mode(&client->retry_mode, settings, err);
    if (code == TAP_OK)
        code = read_max_attempts(&client->max_attempts, settings, err);
    if (code == TAP_OK)
        code = read_checksums(&client->sums_all, settings, "AWS_REQUEST_CHECKSUM_CALCULATION",
                              "request_checksum_calculation", err);
    if (code == TAP_OK)
        code = read_checksums(&client->checks_answers, settings, "AWS_RESPONSE_CHECKSUM_VALIDATION",
                              "response_checksum_validation", err);
    if (code == TAP_OK)
        code = tap_endpoint_settings_new(&client->endpoints, client->model, region,
                                         options->endpoint_url, options->context,
                                         profile_of(settings), err);
    if (code == TAP_OK) {
        read_credentials(client, settings);
        warn_of_settings(client, settings);
    }
    return code;
}

tap_err tap_client_new(struct tap_client **out, struct tap_loop *loop, const char *service,
                       const struct tap_client_options *options, struct tap_error *err)
{
    static const struct tap_client_options defaults;
    struct settings settings;
    struct tap_client *client = tap_alloc(sizeof *client);
    client->holders = 1;
    client->loop = loop;
    *out = NULL;
    tap_err code = read_profile(&settings, options ? options : &defaults, err);
    if (code == TAP_OK)
        code = init(client, service, &settings, err);
    if (code == TAP_OK)
        *out = client;
    else
        tap_client_free(client);
    tap_profiles_free(settings.profiles);
    return code;
}

void tap_client_release(struct tap_client *client)
{
    if (--client->holders)
        return;
    tap_endpoint_settings_free(client->endpoints);
    json_decref(client->bucket_regions);
    tap_last_answer_fini(&client->last);
    tap_credentials_fini(&client->credentials);
    tap_provider_close(client->provider);
    tap_free(client->region);
    tap_free((char *)client->http.ca_bundle);
    tap_free(client);
}

void tap_client_free(struct tap_client *client)
{
    if (client)
        tap_client_release(client);
}

const struct tap_model *tap_client_model(const struct tap_client *client)
{
    return client->model;
}

tap_err tap_client_usual_region(char **out, const char *profile, struct tap_error *err)
{
    const struct tap_client_options options = {.profile = profile};
    struct settings settings;
    tap_err code = read_profile(&settings, &options, err);
    *out = code ? NULL : tap_strdup(region_of(&settings));
    tap_profiles_free(settings.profiles);
    return code;
}

const char *tap_client_region(const struct tap_client *client)
{
    return client->region;
}
