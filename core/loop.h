/*
 * The event loop: one completion queue. Everything that takes time is an operation (struct tap_op);
 * it is started, and later tap_loop_next returns it, once. There are no callbacks, so nothing can
 * re-enter, nothing completes before its owner waits for it, and nothing resumes too late.
 *
 * Ownership: from its start until tap_loop_next returns it, an operation belongs to the loop. Then
 * the caller reads its result and frees it with tap_op_free. An operation that is no longer wanted
 * is freed by tap_op_cancel. An operation never completes inside the call that starts it.
 *
 * The clock: real; virtual (time stands still while anything can happen and jumps to the next timer
 * when nothing can); or scaled (N times as fast as real time). All times handed in and out are of
 * this clock.
 */
#ifndef TAP_LOOP_H
#define TAP_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "api.h"
#include "error.h"

TAP_API_BEGIN

struct tap_loop;
struct tap_op;

enum tap_op_kind {
    TAP_OP_TIMER,       /* tap_timer_start */
    TAP_OP_SIGNAL,      /* tap_signal_wait */
    TAP_OP_FD,          /* tap_fd_wait */
    TAP_OP_HTTP,        /* http.h */
    TAP_OP_ACCEPT,      /* server.h */
    TAP_OP_PROC,        /* proc.h */
    TAP_OP_CALL,        /* client.h */
    TAP_OP_CREDENTIALS, /* credentials_fetch.h, credentials_provider.h */
    TAP_OP_DIGEST       /* digest_op.h */
};

enum tap_clock { TAP_CLOCK_REAL, TAP_CLOCK_VIRTUAL, TAP_CLOCK_SCALED };

/* One loop a process at a time (signals are the process's). SIGPIPE is ignored from here on: a peer
 * that has gone is an error of its operation. NULL and err when the system refuses the descriptors.
 */
struct tap_loop *tap_loop_new(struct tap_error *err);
/* Cancels every operation still outstanding. NULL is ignored. */
void tap_loop_free(struct tap_loop *loop);

/* Chooses the clock; `scale` (>= 1) counts for TAP_CLOCK_SCALED only. Time goes on from where it
 * is. */
void tap_loop_set_clock(struct tap_loop *loop, enum tap_clock clock, double scale);
/* Sets the wall clock of a virtual loop, for runs that must repeat exactly. */
void tap_loop_set_time(struct tap_loop *loop, int64_t wall_ms);
enum tap_clock tap_loop_clock(const struct tap_loop *loop);
/* Milliseconds since 1970 by the loop's clock. */
int64_t tap_loop_wall(const struct tap_loop *loop);
/* Milliseconds since the loop began by its clock; never goes back. */
int64_t tap_loop_now(const struct tap_loop *loop);

/* The next finished operation, which now belongs to the caller. Waits at most `max_wait_ms` of real
 * time (-1: as long as it takes). NULL when the wait is over, or at once when no operation is
 * outstanding. */
struct tap_op *tap_loop_next(struct tap_loop *loop, int max_wait_ms);
/* Operations started and not yet returned. */
size_t tap_loop_outstanding(const struct tap_loop *loop);

/* What was started, for a program that waits for several kinds. */
enum tap_op_kind tap_op_kind(const struct tap_op *op);
/* NULL when it succeeded. Valid after tap_loop_next returned the operation, until it is freed. */
const struct tap_error *tap_op_error(const struct tap_op *op);
/* A pointer for the owner's use. */
void tap_op_set_user(struct tap_op *op, void *user);
void *tap_op_user(const struct tap_op *op);
/* Frees an operation that tap_loop_next returned. */
void tap_op_free(struct tap_op *op);
/* Stops and frees an operation that has not been returned yet; it never will be. */
void tap_op_cancel(struct tap_op *op);

/* Completes `delay_ms` (>= 0) later. */
struct tap_op *tap_timer_start(struct tap_loop *loop, int64_t delay_ms);
/* Completes at the next of these signals (any of SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGUSR1). While
 * such an operation is outstanding or has ever been, the process does not die of that signal;
 * signals that arrive between two waits are kept. */
struct tap_op *tap_signal_wait(struct tap_loop *loop, const int *signals, size_t n);
int tap_signal_number(const struct tap_op *op);
/* Completes when the descriptor is readable or writable ('r' or 'w'), or closed by its peer. */
struct tap_op *tap_fd_wait(struct tap_loop *loop, int fd, char direction);

TAP_API_END

#endif
