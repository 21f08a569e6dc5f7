/*
 * What a machine knows of itself: the credentials of a container's task and of an instance's role.
 * Both services stand beside the machine and are asked in clear text, so the container's address is
 * held to the hosts that the SDKs accept, and no proxy is used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "credentials_json.h"
#include "credentials_remote.h"
#include "file.h"
#include "json.h"
#include "mem.h"
#include "secret.h"
#include "text.h"
#include "url.h"

enum {
    MAX_TOKEN = 64 * 1024,
    TOKEN_STAGE = 0, /* of the instance: a token, the role's name, the role's credentials */
    ROLE_STAGE,
    CREDENTIALS_STAGE,
    OUTAGE_S = 20 * 60,
};

static const struct tap_credentials_members members = {
    .access_key = "AccessKeyId",
    .secret_key = "SecretAccessKey",
    .session_token = "Token",
    .expiration = "Expiration",
    .ticks_per_second = 1,
    .required = "Token Expiration",
};

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void fail(struct tap_fetch *fetch, const char *service, const char *what, const char *more)
{
    struct tap_error error;
    tap_fail(&error, TAP_E_CREDENTIALS, "NoCredentials", "%s (of %s) %s%s", service,
             fetch->source->origin, what, more);
    tap_fetch_fail(fetch, &error);
}

/* True when `response` is a document; else the fetch has failed. */
static bool accepted(struct tap_fetch *fetch, const char *service,
                     const struct tap_response *response)
{
    char status[64];
    if (response->status == 200)
        return true;
    snprintf(status, sizeof status, "HTTP status %d", response->status);
    fail(fetch, service, "answered with ", status);
    return false;
}

/* Reads the credentials that both services give in the same form. */
static bool read_document(struct tap_fetch *fetch, const char *service,
                          const struct tap_response *response)
{
    struct tap_error error;
    json_t *json = NULL;
    if (!accepted(fetch, service, response))
        return false;
    if (tap_json_parse(&json, tap_buf_text(&response->body), response->body.len, NULL, NULL)) {
        fail(fetch, service, "answered with something that is no JSON", "");
        return false;
    }
    bool is_read =
        tap_credentials_from_json(&fetch->result, json, &members, service, &error) == TAP_OK;
    json_decref(json);
    if (!is_read)
        tap_fetch_fail(fetch, &error);
    return is_read;
}

/* ---- the container ---- */

static const char container_service[] = "the container's credentials service";
static const struct tap_remote container_remote = {
    .attempts = 3, .timeout_ms = 2000, .direct = true};

/* Hosts that may be asked without TLS. */
static bool is_accepted_host(const char *url)
{
    static const char *const hosts[] = {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]",
                                        "localhost", "[::1]"};
    struct tap_url parts;
    char *address = tap_strndup(url, strcspn(url, "?"));
    bool is_accepted = false;
    if (!tap_url_split(&parts, address)) {
        is_accepted = strcmp(parts.scheme, "https") == 0 ||
                      (parts.is_ip && strncmp(parts.authority, "127.", 4) == 0);
        for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
            is_accepted |= strlen(hosts[i]) == parts.host_n &&
                           strncasecmp(hosts[i], parts.authority, parts.host_n) == 0;
    }
    tap_free(address);
    return is_accepted;
}

/* The Authorization header: of a file, which is replaced while we run, or of a variable. */
static tap_err add_authorization(struct tap_request *request, struct tap_error *err)
{
    const char *path = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *value = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    struct tap_buf token;
    tap_buf_init(&token, MAX_TOKEN);
    tap_err code = TAP_OK;
    if (path)
        code = tap_file_load(&token, path, err);
    else if (value)
        tap_buf_puts(&token, value);
    while (token.len && strchr("\r\n", token.data[token.len - 1]))
        tap_buf_cut(&token, token.len - 1);
    tap_secret_register(tap_buf_text(&token));
    if (code == TAP_OK && strpbrk(tap_buf_text(&token), "\r\n"))
        code = tap_fail(err, TAP_E_CREDENTIALS, "InvalidCredentials", "%s has a line break in it",
                        path ? path : "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (code == TAP_OK && token.len)
        tap_headers_set(&request->headers, "Authorization", tap_buf_text(&token));
    tap_buf_fini_secret(&token);
    return code;
}

static void container_begin(struct tap_fetch *fetch)
{
    static const char other_host[] =
        "is at an address that is not asked without TLS: AWS_CONTAINER_CREDENTIALS_FULL_URI must "
        "be https, a loopback address, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]";
    struct tap_error error;
    const char *relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    char *url =
        relative ? tap_sprintf("http://169.254.170.2%s", relative) : tap_strdup(full ? full : "");
    const char *defect = tap_remote_request(fetch, "GET", url, "");
    bool is_accepted = is_accepted_host(url);
    tap_free(url);
    if (defect) {
        fail(fetch, container_service, "has an address that cannot be used: ", defect);
    } else if (!is_accepted) {
        fail(fetch, container_service, other_host, "");
    } else if (add_authorization(&fetch->request, &error)) {
        fail(fetch, container_service, "cannot be asked: ", error.message);
    } else {
        tap_headers_set(&fetch->request.headers, "Accept", "application/json");
        tap_remote_send(fetch, &container_remote);
    }
}

static void container_proceed(struct tap_fetch *fetch, struct tap_op *inner)
{
    struct tap_response *response;
    struct tap_error error;
    switch (tap_remote_proceed(&response, fetch, inner, &container_remote, &error)) {
    case TAP_REMOTE_AGAIN: return;
    case TAP_REMOTE_FAILED:
        fail(fetch, container_service, "cannot be reached: ", error.message);
        return;
    case TAP_REMOTE_ANSWER:
        if (read_document(fetch, container_service, response))
            tap_fetch_succeed(fetch, "container");
    }
}

const struct tap_source_class tap_source_container = {container_begin, container_proceed};

/* ---- the instance ---- */

static const char instance_service[] = "the instance metadata service";
static const char roles_path[] = "/latest/meta-data/iam/security-credentials/";

/* A whole number from 1 to `most` of the environment; else `otherwise`. */
static int number(const char *name, int otherwise, int most)
{
    const char *text = variable(name);
    char *end = NULL;
    long value = text ? strtol(text, &end, 10) : 0;
    return text && !*end && value >= 1 && value <= most ? (int)value : otherwise;
}

static struct tap_remote instance_remote(void)
{
    return (struct tap_remote){
        .attempts = number("AWS_METADATA_SERVICE_NUM_ATTEMPTS", 1, 100),
        .timeout_ms = 1000 * (int64_t)number("AWS_METADATA_SERVICE_TIMEOUT", 1, 600),
        .direct = true,
    };
}

static const char *instance_url(void)
{
    const char *url = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    if (url)
        return url;
    return mode && strcasecmp(mode, "IPv6") == 0 ? "http://[fd00:ec2::254]"
                                                 : "http://169.254.169.254";
}

static void ask_instance(struct tap_fetch *fetch, const char *method, const char *path)
{
    const struct tap_remote remote = instance_remote();
    const char *defect = tap_remote_request(fetch, method, instance_url(), path);
    if (defect) {
        fail(fetch, instance_service, "has an address that cannot be used: ", defect);
        return;
    }
    if (fetch->token)
        tap_headers_set(&fetch->request.headers, "X-aws-ec2-metadata-token", fetch->token);
    else
        tap_headers_set(&fetch->request.headers, "X-aws-ec2-metadata-token-ttl-seconds", "21600");
    tap_remote_send(fetch, &remote);
}

static void instance_begin(struct tap_fetch *fetch)
{
    ask_instance(fetch, "PUT", "/latest/api/token");
}

/* A line of an answer, fit for a header and a path; NULL (and the fetch has failed) when it is not.
 * The caller frees it. */
static char *line_of(struct tap_fetch *fetch, const struct tap_response *response, const char *what)
{
    const char *text = tap_buf_text(&response->body);
    size_t n = strcspn(text, "\r\n");
    bool is_fit = n > 0;
    for (size_t i = 0; i < n; i++)
        is_fit &= text[i] > ' ' && text[i] < 0x7f;
    if (is_fit)
        return tap_strndup(text, n);
    fail(fetch, instance_service, "gave no ", what);
    return NULL;
}

static void ask_for_role(struct tap_fetch *fetch, const struct tap_response *response)
{
    if (!accepted(fetch, instance_service, response) ||
        !(fetch->token = line_of(fetch, response, "token")))
        return;
    tap_secret_register(fetch->token);
    fetch->stage = ROLE_STAGE;
    ask_instance(fetch, "GET", roles_path);
}

static void ask_for_credentials(struct tap_fetch *fetch, const struct tap_response *response)
{
    if (response->status == 404) {
        fail(fetch, instance_service, "knows of no role: attach one to this instance", "");
        return;
    }
    char *role = accepted(fetch, instance_service, response)
                     ? line_of(fetch, response, "role's name")
                     : NULL;
    if (!role)
        return;
    struct tap_buf path;
    tap_buf_init(&path, 4096);
    tap_buf_puts(&path, roles_path);
    tap_uri_encode(&path, role, strlen(role), "");
    fetch->stage = CREDENTIALS_STAGE;
    ask_instance(fetch, "GET", tap_buf_text(&path));
    tap_buf_fini(&path);
    tap_free(role);
}

/* The service gives old credentials again while it cannot make new ones, and AWS goes on accepting
 * them: they are used for a while before it is asked again. */
static void bear_outage(struct tap_fetch *fetch)
{
    int64_t soon = tap_loop_wall(fetch->op.loop) / 1000 + OUTAGE_S;
    if (fetch->result.expires < soon)
        fetch->result.expires = soon;
}

static void instance_proceed(struct tap_fetch *fetch, struct tap_op *inner)
{
    const struct tap_remote remote = instance_remote();
    struct tap_response *response;
    struct tap_error error;
    enum tap_remote_result result = tap_remote_proceed(&response, fetch, inner, &remote, &error);
    if (result == TAP_REMOTE_AGAIN)
        return;
    if (result == TAP_REMOTE_FAILED) {
        fail(fetch, instance_service, "cannot be reached: ", error.message);
    } else if (fetch->stage == TOKEN_STAGE) {
        ask_for_role(fetch, response);
    } else if (fetch->stage == ROLE_STAGE) {
        ask_for_credentials(fetch, response);
    } else if (read_document(fetch, instance_service, response)) {
        bear_outage(fetch);
        tap_fetch_succeed(fetch, "instance");
    }
}

const struct tap_source_class tap_source_instance = {instance_begin, instance_proceed};
