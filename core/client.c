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

static const char *environment(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value ? value : NULL;
}

static const char *region_of(const struct tap_client_options *options)
{
    if (options->region && *options->region)
        return options->region;
    const char *region = environment("AWS_REGION");
    return region ? region : environment("AWS_DEFAULT_REGION");
}

static tap_err read_max_attempts(int *out, const struct tap_client_options *options,
                                 struct tap_error *err)
{
    const char *variable = environment("AWS_MAX_ATTEMPTS");
    *out = options->max_attempts;
    if (*out > 0)
        return TAP_OK;
    if (*out < 0)
        return tap_fail(err, TAP_E_USAGE, "InvalidMaxAttempts",
                        "the number of attempts is %d; 1 or more is needed", *out);
    *out = TAP_RETRY_ATTEMPTS;
    if (!variable)
        return TAP_OK;
    char *end;
    errno = 0;
    long value = strtol(variable, &end, 10);
    if (errno || *end || value < 1 || value > INT_MAX)
        return tap_fail(err, TAP_E_USAGE, "InvalidMaxAttempts",
                        "AWS_MAX_ATTEMPTS is '%s'; a whole number of 1 or more is needed",
                        variable);
    *out = (int)value;
    return TAP_OK;
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

static void warn_of_settings(const struct tap_client *client)
{
    const char *mode = environment("AWS_RETRY_MODE");
    if (mode && strcasecmp(mode, "standard") != 0)
        warn(client, "AWS_RETRY_MODE is not supported in this mode; standard is used", "mode",
             mode);
    char *host = tap_endpoint_unencrypted_host(client->endpoints);
    if (host)
        warn(client, "requests leave this machine unencrypted", "host", host);
    tap_free(host);
}

static void read_credentials(struct tap_client *client, const struct tap_credentials *given)
{
    if (given) {
        tap_credentials_set(&client->credentials, given->access_key, given->secret_key,
                            given->session_token);
        client->credentials.expires = given->expires;
        client->credentials.source = given->source;
    } else {
        tap_credentials_from_environment(&client->credentials, &client->no_credentials);
    }
}

tap_err tap_client_new(struct tap_client **out, struct tap_loop *loop, const char *service,
                       const struct tap_client_options *options, struct tap_error *err)
{
    static const struct tap_client_options defaults;
    if (!options)
        options = &defaults;
    *out = NULL;
    const char *region = region_of(options);
    struct tap_client *client = tap_alloc(sizeof *client);
    client->holders = 1;
    client->loop = loop;
    client->region = tap_strdup(region ? region : "");
    client->http = options->http;
    client->http.ca_bundle = tap_strdup(options->http.ca_bundle);
    client->log = options->log;
    tap_retry_bucket_init(&client->bucket);

    tap_err code = tap_model_load(&client->model, service, err);
    if (code == TAP_OK)
        code = tap_protocol_of(&client->protocol, client->model, err);
    if (code == TAP_OK)
        code = check_signing(client->model, err);
    if (code == TAP_OK)
        code = read_max_attempts(&client->max_attempts, options, err);
    if (code == TAP_OK)
        code = tap_endpoint_settings_new(&client->endpoints, client->model, region,
                                         options->endpoint_url, options->context, err);
    if (code) {
        tap_client_free(client);
        return code;
    }
    read_credentials(client, options->credentials);
    warn_of_settings(client);
    *out = client;
    return TAP_OK;
}

void tap_client_release(struct tap_client *client)
{
    if (--client->holders)
        return;
    tap_endpoint_settings_free(client->endpoints);
    tap_credentials_fini(&client->credentials);
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

const char *tap_client_region(const struct tap_client *client)
{
    return client->region;
}
