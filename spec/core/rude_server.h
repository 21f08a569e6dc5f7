/*
 * A server that does with each request what a row of the test says: answers late, breaks off,
 * resets, talks nonsense. Raw sockets in a thread of its own, because a proper HTTP server cannot
 * be made to do such things. Include after cmocka.h.
 */
#ifndef TAP_SPEC_RUDE_SERVER_H
#define TAP_SPEC_RUDE_SERVER_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"

/* What becomes of the connection after the answer. */
enum rude_end {
    RUDE_KEEP,   /* it waits for the next request */
    RUDE_CLOSE,  /* closed in order */
    RUDE_RESET,  /* closed by a reset */
    RUDE_SILENCE /* open, without another byte, until the client closes it */
};

struct rude_answer {
    const char *head;  /* status and headers, each with its line end: "200 OK\r\n"; the body's
                          length and an empty line are added. NULL: none */
    const char *first; /* bytes to send as they are, without a head. NULL: none */
    const char *body;  /* NULL: none */
    size_t promised;   /* by how much Content-Length is more than the body has */
    size_t times;      /* the body is sent that often; 0: once */
    int late_ms;       /* before the first byte */
    enum rude_end end;
};

enum { RUDE_MAX_ANSWERS = 8, RUDE_MAX_REQUESTS = 64, RUDE_MAX_REQUEST = 64 * 1024 };

struct rude_server {
    int fd, port;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    struct rude_answer answers[RUDE_MAX_ANSWERS];
    size_t n_answers; /* the last one is repeated */
    size_t at;        /* the row of the next request */
    size_t n_requests;
    char *requests[RUDE_MAX_REQUESTS];
};

/* Reads one request, its body included. False when the client has closed. */
static inline bool rude_read(int fd, char *text)
{
    size_t have = 0, want = RUDE_MAX_REQUEST;
    while (have < want) {
        ssize_t n = recv(fd, text + have, RUDE_MAX_REQUEST - 1 - have, 0);
        if (n <= 0)
            return false;
        have += (size_t)n;
        text[have] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        const char *length = strcasestr(text, "\r\nContent-Length:");
        if (end)
            want = (size_t)(end + 4 - text) + (length ? strtoul(length + 17, NULL, 10) : 0);
    }
    return true;
}

static inline void rude_send(int fd, const void *bytes, size_t n)
{
    for (const char *at = bytes; n;) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0) /* the client has had enough */
            return;
        at += sent;
        n -= (size_t)sent;
    }
}

static inline void rude_respond(int fd, const struct rude_answer *answer)
{
    const char *body = answer->body ? answer->body : "";
    size_t len = strlen(body);
    if (answer->late_ms)
        nanosleep(&(struct timespec){.tv_nsec = answer->late_ms * 1000000L}, NULL);
    if (answer->head) {
        char *head = tap_sprintf("HTTP/1.1 %sContent-Length: %zu\r\n\r\n", answer->head,
                                 len + answer->promised);
        rude_send(fd, head, strlen(head));
        tap_free(head);
    }
    if (answer->first)
        rude_send(fd, answer->first, strlen(answer->first));
    for (size_t i = 0; i < (answer->times ? answer->times : 1); i++)
        rude_send(fd, body, len);
}

/* Notes the request and says what to do with it. */
static inline struct rude_answer rude_note(struct rude_server *server, const char *request)
{
    static const struct rude_answer none = {.end = RUDE_CLOSE};
    struct rude_answer answer = none;
    pthread_mutex_lock(&server->lock);
    if (server->n_requests < RUDE_MAX_REQUESTS && server->n_answers) {
        server->requests[server->n_requests++] = tap_strdup(request);
        answer = server->answers[server->at];
        server->at += server->at + 1 < server->n_answers;
    }
    pthread_mutex_unlock(&server->lock);
    return answer;
}

static inline void rude_converse(struct rude_server *server, int fd, char *text)
{
    enum rude_end end = RUDE_KEEP;
    while (end == RUDE_KEEP && rude_read(fd, text)) {
        struct rude_answer answer = rude_note(server, text);
        rude_respond(fd, &answer);
        end = answer.end;
    }
    if (end == RUDE_SILENCE)
        while (recv(fd, text, RUDE_MAX_REQUEST, 0) > 0)
            ;
    if (end == RUDE_RESET)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                   sizeof(struct linger));
    close(fd);
}

static inline void *rude_serve(void *user)
{
    struct rude_server *server = user;
    char *text = tap_alloc(RUDE_MAX_REQUEST);
    for (int fd; (fd = accept(server->fd, NULL, NULL)) >= 0;) {
        rude_converse(server, fd, text);
    }
    tap_free(text);
    return NULL;
}

/* A socket that listens on a free port of loopback. */
static inline int rude_listen(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static inline void rude_start(struct rude_server *server)
{
    int port, fd = rude_listen(&port);
    *server = (struct rude_server){.fd = fd, .port = port};
    pthread_mutex_init(&server->lock, NULL);
    assert_int_equal(pthread_create(&server->thread, NULL, rude_serve, server), 0);
}

/* From now on requests are answered by these rows, at most RUDE_MAX_ANSWERS. */
static inline void rude_expect(struct rude_server *server, const struct rude_answer *answers,
                               size_t n)
{
    assert_true(n <= RUDE_MAX_ANSWERS);
    pthread_mutex_lock(&server->lock);
    memcpy(server->answers, answers, n * sizeof *answers);
    server->n_answers = n;
    server->at = 0;
    pthread_mutex_unlock(&server->lock);
}

static inline size_t rude_requests(struct rude_server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t n = server->n_requests;
    pthread_mutex_unlock(&server->lock);
    return n;
}

/* The text of a request; borrowed until the server stops. */
static inline const char *rude_request(struct rude_server *server, size_t i)
{
    pthread_mutex_lock(&server->lock);
    const char *text = i < server->n_requests ? server->requests[i] : NULL;
    pthread_mutex_unlock(&server->lock);
    assert_non_null(text);
    return text;
}

/* After its clients have closed their connections. */
static inline void rude_stop(struct rude_server *server)
{
    shutdown(server->fd, SHUT_RDWR); /* ends accept */
    pthread_join(server->thread, NULL);
    close(server->fd);
    for (size_t i = 0; i < server->n_requests; i++)
        tap_free(server->requests[i]);
    pthread_mutex_destroy(&server->lock);
}

#endif
