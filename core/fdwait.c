/*
 * Waiting for a descriptor that somebody else reads and writes (standard input, for a prompt).
 */
#include <assert.h>
#include <stddef.h>

#include "mem.h"
#include "op.h"

struct fd_op {
    struct tap_op op;
    struct tap_watch watch;
};

static void fd_ready(struct tap_watch *watch, short revents)
{
    (void)revents;
    struct fd_op *self = (struct fd_op *)((char *)watch - offsetof(struct fd_op, watch));
    tap_op_finish(&self->op, NULL);
}

static void fd_op_stop(struct tap_op *op)
{
    tap_watch_remove(op->loop, &((struct fd_op *)op)->watch);
    tap_loop_expect(op->loop, -1);
}

static void fd_op_free(struct tap_op *op)
{
    tap_free(op);
}

struct tap_op *tap_fd_wait(struct tap_loop *loop, int fd, char direction)
{
    static const struct tap_op_class class = {TAP_OP_FD, fd_op_stop, fd_op_free, NULL};
    assert(direction == 'r' || direction == 'w');
    struct fd_op *self = tap_alloc(sizeof *self);
    tap_op_init(&self->op, loop, &class);
    self->watch.fd = fd;
    self->watch.events = direction == 'r' ? CURL_WAIT_POLLIN : CURL_WAIT_POLLOUT;
    self->watch.ready = fd_ready;
    tap_watch_add(loop, &self->watch);
    tap_loop_expect(loop, 1);
    return &self->op;
}
