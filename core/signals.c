/*
 * Signals as operations. A handler may do almost nothing, so it writes the signal's number into a
 * pipe that the loop polls; numbers that arrive while nobody waits are kept until somebody does.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "op.h"

enum { MAX_SIGNAL = 65 };

struct signal_op {
    struct tap_op op;
    bool wanted[MAX_SIGNAL];
    int number;
    struct signal_op *next;
};

struct tap_signals {
    struct tap_watch watch;
    struct tap_loop *loop;
    struct signal_op *waiting;
    unsigned pending[MAX_SIGNAL];
    struct sigaction before[MAX_SIGNAL];
    bool caught[MAX_SIGNAL];
};

/* Process-wide by nature: a signal has one handler. -1 while there is no loop. */
static int pipe_in = -1;

static void handler(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t written = write(pipe_in, &byte, 1);
    (void)written; /* a full pipe already holds enough to wake the loop */
    errno = saved;
}

/* Hands pending signals to the operations that wait for them, oldest operation first. */
static void deliver(struct tap_signals *signals)
{
    for (int number = 1; number < MAX_SIGNAL; number++) {
        while (signals->pending[number]) {
            struct signal_op **at = &signals->waiting;
            while (*at && !(*at)->wanted[number])
                at = &(*at)->next;
            struct signal_op *self = *at;
            if (!self)
                break;
            signals->pending[number]--;
            self->number = number;
            tap_op_finish(&self->op, NULL);
        }
    }
}

static void pipe_ready(struct tap_watch *watch, short revents)
{
    (void)revents;
    struct tap_signals *signals =
        (struct tap_signals *)((char *)watch - offsetof(struct tap_signals, watch));
    unsigned char bytes[64];
    for (ssize_t n; (n = read(watch->fd, bytes, sizeof bytes)) > 0;)
        for (ssize_t i = 0; i < n; i++)
            signals->pending[bytes[i]]++;
    deliver(signals);
}

struct tap_signals *tap_signals_new(struct tap_loop *loop, struct tap_error *err)
{
    assert(pipe_in < 0); /* one loop a process */
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        tap_fail(err, TAP_E_IO, "Pipe", "cannot create a pipe: %s", strerror(errno));
        return NULL;
    }
    struct tap_signals *signals = tap_alloc(sizeof *signals);
    signals->loop = loop;
    signals->watch =
        (struct tap_watch){.fd = ends[0], .events = CURL_WAIT_POLLIN, .ready = pipe_ready};
    tap_watch_add(loop, &signals->watch);
    pipe_in = ends[1];
    return signals;
}

void tap_signals_free(struct tap_signals *signals)
{
    if (!signals)
        return;
    for (int number = 1; number < MAX_SIGNAL; number++)
        if (signals->caught[number])
            sigaction(number, &signals->before[number], NULL);
    tap_watch_remove(signals->loop, &signals->watch);
    close(signals->watch.fd);
    close(pipe_in);
    pipe_in = -1;
    tap_free(signals);
}

static void catch_signal(struct tap_signals *signals, int number)
{
    if (signals->caught[number])
        return;
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, &signals->before[number]);
    signals->caught[number] = true;
}

static void signal_op_stop(struct tap_op *op)
{
    struct signal_op **at = &tap_loop_signals(op->loop)->waiting;
    while (*at != (struct signal_op *)op)
        at = &(*at)->next;
    *at = (*at)->next;
}

static void signal_op_free(struct tap_op *op)
{
    tap_free(op);
}

struct tap_op *tap_signal_wait(struct tap_loop *loop, const int *numbers, size_t n)
{
    static const struct tap_op_class class = {TAP_OP_SIGNAL, signal_op_stop, signal_op_free, NULL};
    struct tap_signals *signals = tap_loop_signals(loop);
    struct signal_op *self = tap_alloc(sizeof *self);
    tap_op_init(&self->op, loop, &class);
    for (size_t i = 0; i < n; i++) {
        assert(numbers[i] > 0 && numbers[i] < MAX_SIGNAL);
        self->wanted[numbers[i]] = true;
        catch_signal(signals, numbers[i]);
    }
    struct signal_op **end = &signals->waiting;
    while (*end)
        end = &(*end)->next;
    *end = self;
    deliver(signals);
    return &self->op;
}

int tap_signal_number(const struct tap_op *op)
{
    assert(op->class->kind == TAP_OP_SIGNAL && op->finished);
    return ((const struct signal_op *)op)->number;
}
