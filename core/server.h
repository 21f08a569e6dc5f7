/*
 * An HTTP listener on the loop, by libmicrohttpd: each complete request is an accept operation's
 * result and waits, its connection suspended, until it is answered. Limits on connections, header
 * and body sizes and slow senders are kept here.
 */
#ifndef TAP_SERVER_H
#define TAP_SERVER_H

#include <stdbool.h>

#include "loop.h"
#include "message.h"

struct tap_server;
struct tap_exchange; /* one request and the answer that it waits for */

struct tap_server_options {
    size_t max_body;          /* 0: 64 MiB; more is answered with 413 */
    unsigned max_connections; /* 0: 1024 */
    unsigned idle_timeout_s;  /* 0: 75; real time */
};

/* Listens on an address literal ("127.0.0.1", "::1"); port 0 takes a free one. `options` may be
 * NULL. */
tap_err tap_server_listen(struct tap_server **out, struct tap_loop *loop, const char *address,
                          int port, const struct tap_server_options *options,
                          struct tap_error *err);
int tap_server_port(const struct tap_server *server);
/* Closes the listener and its connections. Exchanges that were taken stay valid; answering them
 * does nothing. An outstanding accept completes with TAP_E_CANCELED. */
void tap_server_close(struct tap_server *server);

/* Completes with the next request. At most one accept is outstanding a server. */
struct tap_op *tap_server_accept(struct tap_server *server);
bool tap_server_accepting(const struct tap_server *server);
/* Of a finished accept, once; the caller owns the exchange until it answers. */
struct tap_exchange *tap_accept_take(struct tap_op *op);

/* The request; borrowed from the exchange. */
const struct tap_request *tap_exchange_request(const struct tap_exchange *exchange);
/* Answers and frees the exchange. Takes what `response` holds (it is empty afterwards). */
void tap_exchange_respond(struct tap_exchange *exchange, struct tap_response *response);
/* Cuts the connection: after `response`'s first `cut_after` bytes of body when response is not NULL
 * (its Content-Length still promises all), else without a byte. Frees the exchange. */
void tap_exchange_abort(struct tap_exchange *exchange, struct tap_response *response,
                        size_t cut_after);

#endif
