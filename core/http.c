/*
 * One HTTP request as an operation: a libcurl easy handle on the loop's multi handle. See http.h.
 *
 * Deadlines are the loop's timers, so that on a virtual clock a slow server is as quick to give up
 * on as everything else; libcurl's own timeouts stand behind them in real time, so that a peer that
 * is really gone ends too.
 */
#include "http.h"

#include <assert.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "op.h"

enum {
    CONNECT_TIMEOUT_MS = 10 * 1000,
    FIRST_BYTE_TIMEOUT_MS = 60 * 1000,
    TOTAL_TIMEOUT_MS = 300 * 1000,
    MAX_RESPONSE = 64 * 1024 * 1024,
    MAX_HEADER_BYTES = 256 * 1024,
    STREAM_BUFFER = 256 * 1024, /* bytes that libcurl takes or gives at once */
};

struct http_op {
    struct tap_op op;
    CURL *easy;
    struct curl_slist *headers;
    char *url;
    struct tap_buf body;         /* of the request; libcurl reads it from here */
    struct tap_stretch *stretch; /* or from here */
    int64_t sent;                /* of the stretch */
    struct tap_sink *sink;       /* the response's body goes there when it is one to keep */
    struct tap_response response;
    size_t max_response, header_bytes;
    struct tap_timer first_byte; /* of what streams: until something moves */
    struct tap_timer total;
    int64_t first_byte_ms, total_ms; /* total_ms 0: none */
    bool expecting;                  /* counted in tap_loop_expect */
    bool too_large, unsent;
    unsigned sendings;
    struct tap_error file; /* why the stretch or the sink failed; its code TAP_OK: it did not */
    char reason[CURL_ERROR_SIZE];
};

static bool is_stream(const struct http_op *self)
{
    return self->stretch || self->sink;
}

/* ---- what libcurl hands us ---- */

/* Something moves. */
static void moves(struct http_op *self)
{
    if (is_stream(self))
        tap_timer_set(self->op.loop, &self->first_byte, self->first_byte_ms);
}

/* Errors are read into memory, whoever wants the answer. */
static bool goes_into_sink(const struct http_op *self)
{
    long status = 0;
    curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE, &status);
    return self->sink && status >= 200 && status < 300;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user)
{
    struct http_op *self = user;
    size *= n;
    moves(self);
    if (goes_into_sink(self))
        return tap_sink_write(self->sink, bytes, size, &self->file) ? 0 : size;
    if (self->response.body.len + size > self->max_response) {
        self->too_large = true;
        return 0;
    }
    tap_buf_add(&self->response.body, bytes, size);
    return size;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *user)
{
    struct http_op *self = user;
    size *= n;
    if (is_stream(self))
        moves(self);
    else
        tap_timer_clear(self->op.loop, &self->first_byte);
    self->header_bytes += size;
    if (self->header_bytes > MAX_HEADER_BYTES) {
        self->too_large = true;
        return 0;
    }
    if (size > 5 && strncmp(bytes, "HTTP/", 5) == 0) {
        /* A new status line: what came before was a 1xx or a proxy's answer to CONNECT. */
        tap_headers_fini(&self->response.headers);
        return size;
    }
    const char *colon = memchr(bytes, ':', size);
    if (!colon)
        return size;
    char *name = tap_strndup(bytes, (size_t)(colon - bytes));
    const char *start = colon + 1, *end = bytes + size;
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && strchr(" \t\r\n", end[-1]))
        end--;
    char *value = tap_strndup(start, (size_t)(end - start));
    tap_headers_add(&self->response.headers, name, value);
    tap_free(name);
    tap_free(value);
    return size;
}

/* The next bytes of the request's body. */
static size_t on_read(char *bytes, size_t size, size_t n, void *user)
{
    struct http_op *self = user;
    ssize_t got = tap_stretch_read(self->stretch, self->sent, bytes, size * n, &self->file);
    if (got < 0)
        return CURL_READFUNC_ABORT;
    moves(self);
    self->sent += got;
    return (size_t)got;
}

/* libcurl sends it again: a kept connection was closed. */
static int on_seek(void *user, curl_off_t offset, int origin)
{
    struct http_op *self = user;
    if (origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    self->sent = offset;
    return CURL_SEEKFUNC_OK;
}

/* A connection is there, and the request will go out. */
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static int on_send(void *user, char *to, char *from, int to_port, int from_port)
{
    struct http_op *self = user;
    (void)to, (void)from, (void)to_port, (void)from_port;
    self->sendings++;
    return CURL_PREREQFUNC_OK;
}

/* ---- deadlines ---- */

/* The URL as an error may show it: without its query. */
static void hide_query(char *url)
{
    char *query = strchr(url, '?');
    if (query)
        *query = '\0';
}

static void give_up(struct http_op *self, const char *what, int64_t after_ms)
{
    struct tap_error error;
    hide_query(self->url);
    tap_fail(&error, TAP_E_TIMEOUT, "Timeout", "%s: %s within %g s", self->url, what,
             (double)after_ms / 1000);
    tap_op_finish(&self->op, &error);
}

static void on_first_byte_timeout(struct tap_timer *timer)
{
    struct http_op *self = (struct http_op *)((char *)timer - offsetof(struct http_op, first_byte));
    give_up(self, is_stream(self) ? "nothing moved" : "no answer", self->first_byte_ms);
}

static void on_total_timeout(struct tap_timer *timer)
{
    struct http_op *self = (struct http_op *)((char *)timer - offsetof(struct http_op, total));
    give_up(self, "the answer was not complete", self->total_ms);
}

/* ---- the operation ---- */

static void http_stop(struct tap_op *op)
{
    struct http_op *self = (struct http_op *)op;
    tap_timer_clear(op->loop, &self->first_byte);
    tap_timer_clear(op->loop, &self->total);
    if (self->expecting) {
        tap_loop_expect(op->loop, -1);
        curl_multi_remove_handle(tap_loop_multi(op->loop), self->easy);
        self->expecting = false;
    }
}

static void http_free(struct tap_op *op)
{
    struct http_op *self = (struct http_op *)op;
    curl_easy_cleanup(self->easy);
    curl_slist_free_all(self->headers);
    tap_free_secret(self->url); /* a presigned URL carries its signature */
    tap_buf_fini(&self->body);
    tap_stretch_release(self->stretch);
    tap_response_fini(&self->response);
    tap_free(self);
}

static const struct tap_op_class http_class = {TAP_OP_HTTP, http_stop, http_free, NULL};

/* Why there is no response. */
static void explain(struct tap_error *error, const struct http_op *self, CURLcode result)
{
    const char *reason = self->reason[0] ? self->reason : curl_easy_strerror(result);
    if (self->file.code)
        *error = self->file;
    else if (self->header_bytes > MAX_HEADER_BYTES)
        tap_fail(error, TAP_E_LIMIT, "ResponseTooLarge", "%s: more than %d bytes of headers",
                 self->url, MAX_HEADER_BYTES);
    else if (self->too_large)
        tap_fail(error, TAP_E_LIMIT, "ResponseTooLarge",
                 "%s: the response is larger than %zu bytes", self->url, self->max_response);
    else if (result == CURLE_OPERATION_TIMEDOUT)
        tap_fail(error, TAP_E_TIMEOUT, "Timeout", "%s: %s", self->url, reason);
    else if (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE)
        tap_fail(error, TAP_E_NETWORK, "CertificateError", "%s: %s", self->url, reason);
    else
        tap_fail(error, TAP_E_NETWORK, "NetworkError", "%s: %s", self->url, reason);
}

void tap_http_transfer_done(CURL *easy, CURLcode result)
{
    struct http_op *self = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&self);
    long status = 0, sent = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    self->unsent = sent == 0;
    if (result == CURLE_OK) {
        self->response.status = (int)status;
        tap_op_finish(&self->op, NULL);
        return;
    }
    struct tap_error error;
    hide_query(self->url);
    explain(&error, self, result);
    tap_op_finish(&self->op, &error);
}

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

static void add_headers(struct http_op *self, const struct tap_headers *headers)
{
    struct tap_buf line;
    tap_buf_init(&line, MAX_HEADER_BYTES);
    for (size_t i = 0; i < headers->n; i++) {
        const struct tap_header *header = &headers->items[i];
        /* libcurl: "Name;" is a header with an empty value, "Name:" takes one away */
        tap_buf_printf(&line, *header->value ? "%s: %s" : "%s;%s", header->name, header->value);
        self->headers = curl_slist_append(self->headers, tap_buf_text(&line));
        tap_buf_reset(&line);
    }
    static const char *const unwanted[] = {"Expect", "Accept", "Content-Type", "User-Agent"};
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++) {
        if (tap_headers_get(headers, unwanted[i]))
            continue;
        tap_buf_printf(&line, "%s:", unwanted[i]);
        self->headers = curl_slist_append(self->headers, tap_buf_text(&line));
        tap_buf_reset(&line);
    }
    tap_buf_fini_secret(&line);
}

static void set_stretch(struct http_op *self, struct tap_stretch *stretch)
{
    CURL *easy = self->easy;
    self->stretch = tap_stretch_hold(stretch);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)tap_stretch_size(stretch));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, self);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, self);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)STREAM_BUFFER);
}

static void set_method(struct http_op *self, const struct tap_request *request)
{
    CURL *easy = self->easy;
    bool has_body = request->body.len || strcmp(request->method, "POST") == 0 ||
                    strcmp(request->method, "PUT") == 0;
    if (request->stretch) {
        set_stretch(self, request->stretch);
    } else if (has_body) {
        tap_buf_init(&self->body, TAP_MAX_BODY);
        tap_buf_add(&self->body, tap_buf_text(&request->body), request->body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, tap_buf_text(&self->body));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)self->body.len);
    } else if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_deadlines(struct http_op *self, const struct tap_http_options *options)
{
    int64_t connect_ms = or_default(options->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    self->first_byte_ms = or_default(options->first_byte_timeout_ms, FIRST_BYTE_TIMEOUT_MS);
    self->total_ms = or_default(options->total_timeout_ms, is_stream(self) ? 0 : TOTAL_TIMEOUT_MS);
    self->first_byte.fire = on_first_byte_timeout;
    self->total.fire = on_total_timeout;
    tap_timer_set(self->op.loop, &self->first_byte, self->first_byte_ms);
    if (self->total_ms)
        tap_timer_set(self->op.loop, &self->total, self->total_ms);
    curl_easy_setopt(self->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(self->easy, CURLOPT_TIMEOUT_MS, (long)self->total_ms);
    if (is_stream(self)) {
        curl_easy_setopt(self->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(self->easy, CURLOPT_LOW_SPEED_TIME,
                         (long)(self->first_byte_ms / 1000 + 1));
    }
}

/* A libcurl that resolves names while its caller waits would stop everything else. */
static tap_err check_library(struct tap_error *err)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    if (curl->features & CURL_VERSION_ASYNCHDNS)
        return TAP_OK;
    return tap_fail(err, TAP_E_UNSUPPORTED, "LibcurlBlocks",
                    "this libcurl (%s) resolves names blockingly; one built with an asynchronous "
                    "resolver is needed",
                    curl->version);
}

struct tap_op *tap_http_start(struct tap_loop *loop, const struct tap_request *request,
                              const struct tap_http_options *options)
{
    static const struct tap_http_options defaults;
    if (!options)
        options = &defaults;
    struct http_op *self = tap_alloc(sizeof *self);
    tap_op_init(&self->op, loop, &http_class);
    tap_response_init(&self->response);
    self->max_response = options->max_response ? options->max_response : MAX_RESPONSE;
    self->sink = options->sink;
    self->url = tap_sprintf("%s://%s%s", request->scheme, request->host, request->target);
    struct tap_error error;
    if (check_library(&error)) {
        tap_op_finish(&self->op, &error);
        return &self->op;
    }

    CURLM *multi = tap_loop_multi(loop);
    CURL *easy = self->easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_PRIVATE, self);
    curl_easy_setopt(easy, CURLOPT_URL, self->url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* the path is signed as it stands */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, self->reason);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, self);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, self);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, self);
    const char *ca_bundle = options->ca_bundle ? options->ca_bundle : getenv("AWS_CA_BUNDLE");
    if (ca_bundle && *ca_bundle)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_bundle);
    if (options->direct)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (options->sink)
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)STREAM_BUFFER);
    set_method(self, request);
    add_headers(self, &request->headers);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, self->headers);
    set_deadlines(self, options);

    tap_loop_expect(loop, 1);
    self->expecting = true;
    curl_multi_add_handle(multi, easy);
    return &self->op;
}

struct tap_response *tap_http_response(struct tap_op *op)
{
    assert(op->class == &http_class && op->finished && !op->error);
    return &((struct http_op *)op)->response;
}

bool tap_http_unsent(const struct tap_op *op)
{
    assert(op->class == &http_class && op->finished);
    return ((const struct http_op *)op)->unsent;
}

bool tap_http_resent(const struct tap_op *op)
{
    assert(op->class == &http_class && op->finished);
    return ((const struct http_op *)op)->sendings > 1;
}
