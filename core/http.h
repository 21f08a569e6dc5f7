/*
 * HTTP requests on the loop, by libcurl's multi interface: connections are reused, names resolve
 * without blocking, proxies come from the usual environment variables (HTTPS_PROXY, NO_PROXY, ...).
 * Redirects are not followed and nothing is retried: that is decided above.
 */
#ifndef TAP_HTTP_H
#define TAP_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"
#include "loop.h"
#include "message.h"
#include "sink.h"

TAP_API_BEGIN

struct tap_http_options {
    int64_t connect_timeout_ms;    /* 0: 10 s; real time */
    int64_t first_byte_timeout_ms; /* from the start of the request to the response's first byte; 0:
                                      60 s */
    int64_t total_timeout_ms;      /* whole request; 0: 300 s */
    size_t max_response;           /* bytes of body; 0: 64 MiB; more is TAP_E_LIMIT */
    const char *ca_bundle;         /* PEM file; NULL: AWS_CA_BUNDLE, else the system's */
    bool direct;                   /* not through a proxy, whatever the environment says */
    struct tap_sink *sink;         /* takes the body of an answer of status 2xx; NULL: memory does.
                                      Has to be there until the operation is freed */
};

/* Starts a request; `request` is copied as far as needed and may be freed at once. `options` may be
 * NULL. A request with a stretch, or a sink, takes as long as something moves: it ends when nothing
 * has for first_byte_timeout_ms, and after total_timeout_ms only when that is given. A response of
 * any status completes the operation without error; TAP_E_NETWORK
 * ("NetworkError", "CertificateError": the peer's is not trusted or not for this host),
 * TAP_E_TIMEOUT or TAP_E_LIMIT say that there is none; TAP_E_IO that the
 * stretch could not be read or the sink not written. TAP_E_UNSUPPORTED: libcurl has no
 * asynchronous resolver. */
struct tap_op *tap_http_start(struct tap_loop *loop, const struct tap_request *request,
                              const struct tap_http_options *options);
/* Of a finished operation without error; borrowed. */
struct tap_response *tap_http_response(struct tap_op *op);
/* True when the failure came before any byte of the request was sent: sending it again cannot act
 * twice. */
bool tap_http_unsent(const struct tap_op *op);
/* True when libcurl had to send it once more: a kept connection closed just as it was used again.
 */
bool tap_http_resent(const struct tap_op *op);

TAP_API_END

#endif
