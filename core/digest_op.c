/*
 * Checksums of files. See digest_op.h.
 */
#include "digest_op.h"

#include <assert.h>
#include <stddef.h>

#include "mem.h"
#include "op.h"

enum { SLICE = 1024 * 1024 };

struct digest_op {
    struct tap_op op;
    struct tap_stretch *stretch;
    struct tap_digest *digests[TAP_MAX_DIGESTS];
    int64_t at;
    struct tap_timer next; /* slice */
    char bytes[SLICE];
};

static void digest_stop(struct tap_op *op)
{
    tap_timer_clear(op->loop, &((struct digest_op *)op)->next);
}

static void digest_free(struct tap_op *op)
{
    struct digest_op *self = (struct digest_op *)op;
    uint8_t ignored[TAP_MAX_DIGEST];
    for (size_t i = 0; i < TAP_MAX_DIGESTS; i++)
        if (self->digests[i])
            tap_digest_end(self->digests[i], ignored);
    tap_stretch_release(self->stretch);
    tap_free(self);
}

static const struct tap_op_class digest_class = {TAP_OP_DIGEST, digest_stop, digest_free, NULL};

static void read_slice(struct tap_timer *timer)
{
    struct digest_op *self = (struct digest_op *)((char *)timer - offsetof(struct digest_op, next));
    struct tap_error error;
    ssize_t n = tap_stretch_read(self->stretch, self->at, self->bytes, sizeof self->bytes, &error);
    if (n <= 0) {
        tap_op_finish(&self->op, n < 0 ? &error : NULL);
        return;
    }
    for (size_t i = 0; i < TAP_MAX_DIGESTS; i++)
        if (self->digests[i])
            tap_digest_add(self->digests[i], self->bytes, (size_t)n);
    self->at += n;
    tap_timer_set(self->op.loop, &self->next, 0);
}

struct tap_op *tap_digest_start(struct tap_loop *loop, struct tap_stretch *stretch,
                                const char *const algorithms[TAP_MAX_DIGESTS])
{
    struct digest_op *self = tap_alloc(sizeof *self);
    tap_op_init(&self->op, loop, &digest_class);
    self->stretch = tap_stretch_hold(stretch);
    for (size_t i = 0; i < TAP_MAX_DIGESTS; i++)
        self->digests[i] = algorithms[i] ? tap_digest_new(algorithms[i]) : NULL;
    self->next.fire = read_slice;
    tap_timer_set(loop, &self->next, 0);
    return &self->op;
}

size_t tap_digest_sum(struct tap_op *op, size_t index, uint8_t out[TAP_MAX_DIGEST])
{
    struct digest_op *self = (struct digest_op *)op;
    assert(op->class == &digest_class && op->finished && !op->error && self->digests[index]);
    size_t n = tap_digest_end(self->digests[index], out);
    self->digests[index] = NULL;
    return n;
}
