/*
 * The listener: libmicrohttpd in its external-loop form (one epoll descriptor that our loop
 * watches). A request that has arrived whole suspends its connection and waits in a queue for an
 * accept; its answer resumes it. See server.h.
 *
 * An exchange has two holders, the connection and the user, either of which may go first.
 */
#include "server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "mem.h"
#include "op.h"
#include "timestamp.h"

enum {
    MAX_BODY = 64 * 1024 * 1024,
    MAX_CONNECTIONS = 1024,
    IDLE_TIMEOUT_S = 75,
    CONNECTION_MEMORY = 128 * 1024, /* request line and headers */
};

enum exchange_state {
    RECEIVING, /* libmicrohttpd's */
    WAITING,   /* complete: in the queue, or the user's */
    ANSWERED,  /* `answer` is set; without one the connection is cut */
};

struct tap_exchange {
    struct tap_server *server;         /* NULL: closed meanwhile */
    struct MHD_Connection *connection; /* NULL: gone */
    enum exchange_state state;
    bool taken; /* the user holds it */
    struct tap_request request;
    struct MHD_Response *answer;
    unsigned status;
    struct tap_exchange *prev, *next; /* of the server's list */
    struct tap_exchange *next_queued;
};

struct accept_op {
    struct tap_op op;
    struct tap_server *server;
    struct tap_exchange *exchange;
};

struct tap_server {
    struct tap_loop *loop;
    struct MHD_Daemon *daemon;
    struct tap_watch watch;
    bool resumed; /* since its last run: it does not wake up by itself for that */
    size_t max_body;
    struct accept_op *accept;       /* the outstanding one, or NULL */
    struct tap_exchange *exchanges; /* all whose connection lives */
    struct tap_exchange *queue, **queue_end;
};

/* ---- exchanges ---- */

static struct tap_exchange *exchange_new(struct tap_server *server,
                                         struct MHD_Connection *connection, const char *target)
{
    struct tap_exchange *exchange = tap_alloc(sizeof *exchange);
    exchange->server = server;
    exchange->connection = connection;
    tap_request_init(&exchange->request);
    exchange->request.body.limit = server->max_body;
    tap_set(&exchange->request.target, target);
    exchange->next = server->exchanges;
    if (server->exchanges)
        server->exchanges->prev = exchange;
    server->exchanges = exchange;
    return exchange;
}

/* Frees it when neither the connection nor the user holds it any more. */
static void exchange_release(struct tap_exchange *exchange)
{
    if (exchange->connection || exchange->taken)
        return;
    tap_request_fini(&exchange->request);
    if (exchange->answer)
        MHD_destroy_response(exchange->answer);
    tap_free(exchange);
}

/* Takes the next exchange of the queue whose connection still lives. */
static struct tap_exchange *dequeue(struct tap_server *server)
{
    struct tap_exchange *exchange = server->queue;
    if (!exchange)
        return NULL;
    server->queue = exchange->next_queued;
    if (!server->queue)
        server->queue_end = &server->queue;
    exchange->taken = true;
    return exchange;
}

static void serve_accept(struct tap_server *server)
{
    struct accept_op *accept = server->accept;
    if (!accept || !server->queue)
        return;
    accept->exchange = dequeue(server);
    tap_op_finish(&accept->op, NULL);
}

/* ---- libmicrohttpd's side ---- */

static void *on_uri(void *user, const char *uri, struct MHD_Connection *connection)
{
    return exchange_new(user, connection, uri);
}

/* The target is signed as it stands: libmicrohttpd must not decode it. */
static size_t leave_escaped(void *user, struct MHD_Connection *connection, char *text)
{
    (void)user;
    (void)connection;
    return strlen(text);
}

static enum MHD_Result add_header(void *user, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    tap_headers_add(user, name, value ? value : "");
    return MHD_YES;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    (void)url;
    (void)version;
    struct tap_server *server = user;
    struct tap_exchange *exchange = *state;
    struct tap_request *request = &exchange->request;

    if (!request->method) { /* the headers are in */
        tap_set(&request->method, method);
        MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &request->headers);
        tap_set(&request->host, tap_headers_get(&request->headers, "Host"));
        return MHD_YES;
    }
    if (*upload_size) {
        tap_buf_add(&request->body, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    switch (exchange->state) {
    case RECEIVING:
        if (request->body.overflow)
            return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE,
                          "the request's body is too large\n");
        exchange->state = WAITING;
        *server->queue_end = exchange;
        server->queue_end = &exchange->next_queued;
        MHD_suspend_connection(connection);
        serve_accept(server);
        return MHD_YES;
    case ANSWERED:
        return exchange->answer ? MHD_queue_response(connection, exchange->status, exchange->answer)
                                : MHD_NO;
    case WAITING: break; /* suspended: libmicrohttpd does not call */
    }
    return MHD_NO;
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    (void)connection;
    (void)why;
    struct tap_server *server = user;
    struct tap_exchange *exchange = *state;
    if (!exchange)
        return;
    *(exchange->prev ? &exchange->prev->next : &server->exchanges) = exchange->next;
    if (exchange->next)
        exchange->next->prev = exchange->prev;
    exchange->connection = NULL;
    exchange_release(exchange);
    *state = NULL;
}

/* ---- the loop's side ---- */

static void daemon_ready(struct tap_watch *watch, short revents)
{
    (void)revents;
    struct tap_server *server =
        (struct tap_server *)((char *)watch - offsetof(struct tap_server, watch));
    server->resumed = false;
    MHD_run(server->daemon);
}

static int daemon_patience(struct tap_watch *watch)
{
    struct tap_server *server =
        (struct tap_server *)((char *)watch - offsetof(struct tap_server, watch));
    MHD_UNSIGNED_LONG_LONG ms;
    if (server->resumed)
        return 0;
    if (MHD_get_timeout(server->daemon, &ms) != MHD_YES)
        return -1;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* A suspended connection is not read, so its end is not noticed: look for it. */
static bool sender_waits(const struct tap_exchange *exchange)
{
    char byte;
    int fd = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
                 ->connect_fd;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

static int exchanges_held(struct tap_watch *watch)
{
    struct tap_server *server =
        (struct tap_server *)((char *)watch - offsetof(struct tap_server, watch));
    int held = 0;
    for (const struct tap_exchange *exchange = server->exchanges; exchange;
         exchange = exchange->next)
        held += exchange->state == WAITING && sender_waits(exchange);
    return held;
}

/* An address literal and a port as a socket address; its length, or 0 when it is not one. */
static socklen_t socket_address(struct sockaddr_storage *out, const char *address, int port)
{
    memset(out, 0, sizeof *out);
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return sizeof *v6;
    }
    return 0;
}

tap_err tap_server_listen(struct tap_server **out, struct tap_loop *loop, const char *address,
                          int port, const struct tap_server_options *options, struct tap_error *err)
{
    static const struct tap_server_options defaults;
    if (!options)
        options = &defaults;
    struct sockaddr_storage socket;
    socklen_t socket_len = socket_address(&socket, address, port);
    if (!socket_len || port < 0 || port > UINT16_MAX)
        return tap_fail(err, TAP_E_USAGE, "InvalidAddress",
                        "cannot listen on '%s' port %d: an IPv4 or IPv6 address and a port of 0 to "
                        "65535 are needed",
                        address, port);
    struct tap_server *server = tap_alloc(sizeof *server);
    server->loop = loop;
    server->max_body = options->max_body ? options->max_body : MAX_BODY;
    server->queue_end = &server->queue;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    if (socket.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    server->daemon = MHD_start_daemon(
        flags, (uint16_t)port, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR, &socket,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, server, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped,
        NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_CONNECTION_LIMIT,
        options->max_connections ? options->max_connections : MAX_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT,
        options->idle_timeout_s ? options->idle_timeout_s : IDLE_TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    if (!server->daemon) {
        int why = errno;
        tap_free(server);
        return tap_fail(err, TAP_E_IO, "CannotListen", "cannot listen on %s port %d: %s", address,
                        port, strerror(why));
    }
    server->watch.fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    server->watch.events = CURL_WAIT_POLLIN;
    server->watch.ready = daemon_ready;
    server->watch.patience = daemon_patience;
    server->watch.held = exchanges_held;
    tap_watch_add(loop, &server->watch);
    *out = server;
    return TAP_OK;
}

int tap_server_port(const struct tap_server *server)
{
    return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

/* The exchange's answer is decided: wakes its connection, if that still lives. */
static void answer(struct tap_exchange *exchange, struct MHD_Response *response, unsigned status)
{
    assert(exchange->state == WAITING);
    exchange->state = ANSWERED;
    exchange->answer = response;
    exchange->status = status;
    exchange->taken = false;
    if (exchange->server)
        exchange->server->resumed = true;
    if (exchange->connection)
        MHD_resume_connection(exchange->connection);
    exchange_release(exchange);
}

void tap_server_close(struct tap_server *server)
{
    if (server->accept) { /* somebody waits for it */
        struct tap_error closed;
        tap_fail(&closed, TAP_E_CANCELED, "ServerClosed", "the server was closed");
        tap_op_finish(&server->accept->op, &closed);
    }
    /* libmicrohttpd can only stop when no connection is suspended. */
    for (struct tap_exchange *exchange; (exchange = dequeue(server));)
        answer(exchange, NULL, 0);
    for (struct tap_exchange *exchange = server->exchanges; exchange; exchange = exchange->next) {
        if (exchange->state == WAITING)
            MHD_resume_connection(exchange->connection);
        exchange->server = NULL;
    }
    tap_watch_remove(server->loop, &server->watch);
    MHD_stop_daemon(server->daemon);
    tap_free(server);
}

/* ---- accepting and answering ---- */

static void accept_stop(struct tap_op *op)
{
    ((struct accept_op *)op)->server->accept = NULL;
}

static void accept_free(struct tap_op *op)
{
    struct accept_op *self = (struct accept_op *)op;
    if (self->exchange)
        tap_exchange_abort(self->exchange, NULL, 0);
    tap_free(self);
}

static const struct tap_op_class accept_class = {TAP_OP_ACCEPT, accept_stop, accept_free, NULL};

struct tap_op *tap_server_accept(struct tap_server *server)
{
    assert(!server->accept);
    struct accept_op *self = tap_alloc(sizeof *self);
    self->server = server;
    tap_op_init(&self->op, server->loop, &accept_class);
    server->accept = self;
    serve_accept(server);
    return &self->op;
}

bool tap_server_accepting(const struct tap_server *server)
{
    return server->accept != NULL;
}

struct tap_exchange *tap_accept_take(struct tap_op *op)
{
    assert(op->class == &accept_class && op->finished);
    struct accept_op *self = (struct accept_op *)op;
    struct tap_exchange *exchange = self->exchange;
    self->exchange = NULL;
    return exchange;
}

const struct tap_request *tap_exchange_request(const struct tap_exchange *exchange)
{
    return &exchange->request;
}

/* libmicrohttpd writes Content-Length and Date would be of its own clock: ours is the loop's. */
static void add_headers(struct MHD_Response *answer_to, const struct tap_exchange *exchange,
                        const struct tap_headers *headers)
{
    for (size_t i = 0; i < headers->n; i++)
        if (strcasecmp(headers->items[i].name, "Content-Length") != 0)
            MHD_add_response_header(answer_to, headers->items[i].name, headers->items[i].value);
    if (tap_headers_get(headers, "Date") || !exchange->server)
        return;
    char date[TAP_TIME_SIZE];
    tap_time_http(date, (double)tap_loop_wall(exchange->server->loop) / 1000);
    MHD_add_response_header(answer_to, MHD_HTTP_HEADER_DATE, date);
}

void tap_exchange_respond(struct tap_exchange *exchange, struct tap_response *response)
{
    size_t len;
    char *body = tap_buf_take(&response->body, &len);
    struct MHD_Response *out =
        MHD_create_response_from_buffer_with_free_callback(len, body, tap_free);
    add_headers(out, exchange, &response->headers);
    unsigned status = (unsigned)response->status;
    tap_response_fini(response);
    answer(exchange, out, status);
}

static ssize_t read_partial(void *user, uint64_t pos, char *out, size_t max)
{
    const struct tap_response *partial = user;
    size_t left = partial->body.len - (size_t)pos;
    if (!left)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t n = left < max ? left : max;
    memcpy(out, partial->body.data + pos, n);
    return (ssize_t)n;
}

static void free_partial(void *user)
{
    tap_response_fini(user);
    tap_free(user);
}

void tap_exchange_abort(struct tap_exchange *exchange, struct tap_response *response,
                        size_t cut_after)
{
    if (!response) {
        answer(exchange, NULL, 0);
        return;
    }
    struct tap_response *partial = tap_alloc(sizeof *partial);
    *partial = *response;
    tap_response_init(response);
    size_t promised = partial->body.len;
    if (cut_after < promised)
        partial->body.len = cut_after;
    struct MHD_Response *out = MHD_create_response_from_callback(
        promised + (cut_after >= promised), 4096, read_partial, partial, free_partial);
    add_headers(out, exchange, &partial->headers);
    answer(exchange, out, (unsigned)partial->status);
}
