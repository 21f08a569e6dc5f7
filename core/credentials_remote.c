/*
 * Requests for credentials and their attempts. See credentials_remote.h.
 */
#include "credentials_remote.h"

#include <string.h>

#include "mem.h"
#include "url.h"

enum { PAUSE_MS = 1000, MAX_RESPONSE = 256 * 1024 };

const char *tap_remote_request(struct tap_fetch *fetch, const char *method, const char *url,
                               const char *path)
{
    struct tap_url parts;
    const char *query = strchr(url, '?');
    char *address = tap_strndup(url, query ? (size_t)(query - url) : strlen(url));
    const char *defect = tap_url_split(&parts, address);
    struct tap_request *request = &fetch->request;
    if (!defect) {
        tap_request_fini(request);
        tap_request_init(request);
        size_t base = strlen(parts.path);
        while (*path == '/' && base && parts.path[base - 1] == '/')
            base--;
        request->host = tap_strndup(parts.authority, parts.authority_n);
        request->target = tap_sprintf("%.*s%s%s", (int)base, parts.path, path, query ? query : "");
        if (!*request->target)
            tap_set(&request->target, "/");
        tap_set(&request->method, method);
        tap_set(&request->scheme, parts.scheme);
    }
    tap_free(address);
    return defect;
}

static void start_attempt(struct tap_fetch *fetch, const struct tap_remote *remote)
{
    const struct tap_http_options options = {
        .connect_timeout_ms = remote->timeout_ms,
        .first_byte_timeout_ms = remote->timeout_ms,
        .total_timeout_ms = 2 * remote->timeout_ms,
        .max_response = MAX_RESPONSE,
        .direct = remote->direct,
    };
    tap_fetch_wait(fetch, tap_http_start(fetch->op.loop, &fetch->request, &options));
}

void tap_remote_send(struct tap_fetch *fetch, const struct tap_remote *remote)
{
    fetch->attempt = 1;
    start_attempt(fetch, remote);
}

static bool is_passing(int status)
{
    return status == 429 || status >= 500;
}

enum tap_remote_result tap_remote_proceed(struct tap_response **response, struct tap_fetch *fetch,
                                          struct tap_op *inner, const struct tap_remote *remote,
                                          struct tap_error *err)
{
    if (!inner) { /* the pause is over */
        start_attempt(fetch, remote);
        return TAP_REMOTE_AGAIN;
    }
    const struct tap_error *error = tap_op_error(inner);
    *response = error ? NULL : tap_http_response(inner);
    if (*response && !is_passing((*response)->status))
        return TAP_REMOTE_ANSWER;
    if (fetch->attempt < remote->attempts) {
        fetch->attempt++;
        tap_timer_set(fetch->op.loop, &fetch->timer, PAUSE_MS);
        return TAP_REMOTE_AGAIN;
    }
    if (!error)
        return TAP_REMOTE_ANSWER;
    *err = *error;
    return TAP_REMOTE_FAILED;
}
