/*
 * The inside of operations, for the modules of core that define kinds of them (loop, http, server,
 * proc, client). Not for users of the library: they see struct tap_op through loop.h only.
 *
 * An operation may own inner operations (a call owns an http request, then a retry's timer): their
 * completion is handed to the owner by the loop at its top level, never from within the call that
 * finishes them.
 */
#ifndef TAP_OP_H
#define TAP_OP_H

#include <curl/curl.h>
#include <stdbool.h>

#include "loop.h"

struct tap_op_class {
    enum tap_op_kind kind;
    /* Lets go of timers, descriptors, transfers and inner operations. Called once: when the
     * operation finishes or is cancelled. May be NULL. */
    void (*stop)(struct tap_op *op);
    /* Frees what the operation owns, its result included, and the operation. */
    void (*free)(struct tap_op *op);
    /* An inner operation has finished; the owner reads its result and frees it. NULL when there are
     * none. */
    void (*inner_done)(struct tap_op *op, struct tap_op *inner);
};

/* First member of every kind's struct. */
struct tap_op {
    const struct tap_op_class *class;
    struct tap_loop *loop;
    struct tap_error *error; /* NULL: none (yet) */
    struct tap_op *owner;    /* NULL: the user's */
    void *user;
    bool finished;
    struct tap_op *prev, *next; /* in the loop's list of outstanding or of finished operations */
};

void tap_op_init(struct tap_op *op, struct tap_loop *loop, const struct tap_op_class *class);
/* Completes an operation: with a copy of `error`, or successfully when it is NULL. Not twice. */
void tap_op_finish(struct tap_op *op, const struct tap_error *error);
/* Makes `op` an inner operation of `owner`. Right after its start. */
void tap_op_own(struct tap_op *owner, struct tap_op *op);

/* A point in the loop's time; embed it. Fires once, at the loop's top level. */
struct tap_timer {
    int64_t due;
    size_t index; /* place in the heap, 1-based; 0: not set */
    void (*fire)(struct tap_timer *timer);
};
void tap_timer_set(struct tap_loop *loop, struct tap_timer *timer, int64_t delay_ms);
void tap_timer_clear(struct tap_loop *loop, struct tap_timer *timer);

/* A descriptor that is polled beside libcurl's; embed it. `events` and `revents` are of
 * CURL_WAIT_POLLIN/OUT. */
struct tap_watch {
    int fd;
    short events;
    void (*ready)(struct tap_watch *watch, short revents);
    /* Real ms after which it wants `ready` with no events, -1: never. NULL: never. */
    int (*patience)(struct tap_watch *watch);
    /* Received requests whose answer is ours to give and whose sender still waits. NULL: none. */
    int (*held)(struct tap_watch *watch);
    bool impatient; /* scratch: its patience bounds the poll under way */
    struct tap_watch *prev, *next;
};
void tap_watch_add(struct tap_loop *loop, struct tap_watch *watch);
void tap_watch_remove(struct tap_loop *loop, struct tap_watch *watch);

/* What a virtual clock must know before it jumps: this counts work whose next event comes from
 * outside (a request sent, a child running). While more is expected than the watches hold (see
 * tap_watch.held), something may still happen, and time stands still. */
void tap_loop_expect(struct tap_loop *loop, int change);

/* libcurl's part of the loop, made when it is first asked for: what neither waits nor sends does
 * without. */
CURLM *tap_loop_multi(struct tap_loop *loop);
/* http.c: a transfer of the multi handle has ended. */
void tap_http_transfer_done(CURL *easy, CURLcode result);

/* signals.c: one self-pipe for the process. */
struct tap_signals;
struct tap_signals *tap_signals_new(struct tap_loop *loop, struct tap_error *err);
void tap_signals_free(struct tap_signals *signals);
struct tap_signals *tap_loop_signals(struct tap_loop *loop);

/* proc.c: cancelled children that have not ended yet. */
struct tap_reaper;
struct tap_reaper **tap_loop_reapers(struct tap_loop *loop);
void tap_reapers_free(struct tap_loop *loop);

#endif
