/*
 * The loop: the lists of outstanding and of finished operations, the clock, and the one place that
 * waits (curl_multi_poll, over libcurl's sockets and the watched descriptors).
 *
 * tap_loop_next is the whole scheduler: hand out what has finished; else let timers fire, let
 * libcurl work, and wait for the next thing that can happen.
 */
#include "loop.h"

#include <assert.h>
#include <signal.h>
#include <time.h>

#include "mem.h"
#include "op.h"
#include "timers.h"

struct op_list {
    struct tap_op *first, *last;
    size_t n;
};

struct tap_loop {
    CURLM *multi; /* NULL before the first wait: see tap_loop_multi */
    struct op_list outstanding, finished;
    size_t inner; /* of those, owned by other operations */
    struct tap_timers timers;
    struct tap_watch *watches;
    size_t n_watches;
    struct curl_waitfd *waitfds; /* scratch for one poll */
    size_t cap_waitfds;
    struct tap_signals *signals;
    struct tap_reaper *reapers;
    int expected;

    enum tap_clock clock;
    double scale;
    int64_t real_base; /* real monotonic ms at which `now_base` was taken */
    int64_t now_base;  /* loop's ms at that moment */
    int64_t wall_minus_now;
};

/* ---- lists ---- */

static void list_append(struct op_list *list, struct tap_op *op)
{
    op->prev = list->last;
    op->next = NULL;
    *(list->last ? &list->last->next : &list->first) = op;
    list->last = op;
    list->n++;
}

static void list_remove(struct op_list *list, struct tap_op *op)
{
    *(op->prev ? &op->prev->next : &list->first) = op->next;
    *(op->next ? &op->next->prev : &list->last) = op->prev;
    list->n--;
}

/* ---- the clock ---- */

static int64_t clock_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t tap_loop_now(const struct tap_loop *loop)
{
    if (loop->clock == TAP_CLOCK_VIRTUAL)
        return loop->now_base;
    int64_t real = clock_ms(CLOCK_MONOTONIC) - loop->real_base;
    if (loop->clock == TAP_CLOCK_SCALED)
        real = (int64_t)((double)real * loop->scale);
    return loop->now_base + real;
}

int64_t tap_loop_wall(const struct tap_loop *loop)
{
    return tap_loop_now(loop) + loop->wall_minus_now;
}

enum tap_clock tap_loop_clock(const struct tap_loop *loop)
{
    return loop->clock;
}

void tap_loop_set_clock(struct tap_loop *loop, enum tap_clock clock, double scale)
{
    loop->now_base = tap_loop_now(loop);
    loop->real_base = clock_ms(CLOCK_MONOTONIC);
    loop->clock = clock;
    loop->scale = scale < 1 ? 1 : scale;
}

void tap_loop_set_time(struct tap_loop *loop, int64_t wall_ms)
{
    loop->wall_minus_now = wall_ms - tap_loop_now(loop);
}

/* ---- life ---- */

static void op_free(struct tap_op *op);

struct tap_loop *tap_loop_new(struct tap_error *err)
{
    signal(SIGPIPE, SIG_IGN);
    struct tap_loop *loop = tap_alloc(sizeof *loop);
    loop->real_base = clock_ms(CLOCK_MONOTONIC);
    loop->scale = 1;
    loop->wall_minus_now = clock_ms(CLOCK_REALTIME);
    loop->signals = tap_signals_new(loop, err);
    if (!loop->signals) {
        tap_loop_free(loop);
        return NULL;
    }
    return loop;
}

void tap_loop_free(struct tap_loop *loop)
{
    if (!loop)
        return;
    for (struct tap_op *op = loop->outstanding.first; op;) {
        /* Owners cancel what they own; begin again after each, since the list has changed. */
        if (op->owner) {
            op = op->next;
            continue;
        }
        tap_op_cancel(op);
        op = loop->outstanding.first;
    }
    while (loop->finished.first) {
        struct tap_op *op = loop->finished.first;
        list_remove(&loop->finished, op);
        op_free(op);
    }
    tap_reapers_free(loop);
    tap_signals_free(loop->signals);
    assert(!loop->timers.n && !loop->watches);
    tap_timers_fini(&loop->timers);
    tap_free(loop->waitfds);
    if (loop->multi)
        curl_multi_cleanup(loop->multi);
    tap_free(loop);
}

CURLM *tap_loop_multi(struct tap_loop *loop)
{
    if (!loop->multi) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        loop->multi = curl_multi_init();
    }
    return loop->multi;
}

struct tap_signals *tap_loop_signals(struct tap_loop *loop)
{
    return loop->signals;
}

struct tap_reaper **tap_loop_reapers(struct tap_loop *loop)
{
    return &loop->reapers;
}

void tap_loop_expect(struct tap_loop *loop, int change)
{
    loop->expected += change;
}

size_t tap_loop_outstanding(const struct tap_loop *loop)
{
    return loop->outstanding.n + loop->finished.n - loop->inner;
}

/* ---- operations ---- */

void tap_op_init(struct tap_op *op, struct tap_loop *loop, const struct tap_op_class *class)
{
    op->class = class;
    op->loop = loop;
    list_append(&loop->outstanding, op);
}

void tap_op_own(struct tap_op *owner, struct tap_op *op)
{
    assert(!op->owner);
    op->owner = owner;
    op->loop->inner++;
}

void tap_op_finish(struct tap_op *op, const struct tap_error *error)
{
    assert(!op->finished);
    if (error) {
        op->error = tap_alloc(sizeof *op->error);
        *op->error = *error;
    }
    if (op->class->stop)
        op->class->stop(op);
    op->finished = true;
    list_remove(&op->loop->outstanding, op);
    list_append(&op->loop->finished, op);
}

/* Frees an operation that is in neither list. */
static void op_free(struct tap_op *op)
{
    struct tap_error *error = op->error;
    op->class->free(op);
    tap_free(error);
}

void tap_op_free(struct tap_op *op)
{
    assert(op->finished);
    op_free(op);
}

void tap_op_cancel(struct tap_op *op)
{
    struct tap_loop *loop = op->loop;
    if (op->owner)
        loop->inner--;
    if (!op->finished && op->class->stop)
        op->class->stop(op);
    list_remove(op->finished ? &loop->finished : &loop->outstanding, op);
    op_free(op);
}

enum tap_op_kind tap_op_kind(const struct tap_op *op)
{
    return op->class->kind;
}

const struct tap_error *tap_op_error(const struct tap_op *op)
{
    return op->error;
}

void tap_op_set_user(struct tap_op *op, void *user)
{
    op->user = user;
}

void *tap_op_user(const struct tap_op *op)
{
    return op->user;
}

/* ---- timers and watches ---- */

void tap_timer_set(struct tap_loop *loop, struct tap_timer *timer, int64_t delay_ms)
{
    if (timer->index)
        tap_timers_remove(&loop->timers, timer);
    int64_t now = tap_loop_now(loop);
    timer->due = delay_ms > INT64_MAX - now ? INT64_MAX : now + delay_ms;
    tap_timers_add(&loop->timers, timer);
}

void tap_timer_clear(struct tap_loop *loop, struct tap_timer *timer)
{
    if (timer->index)
        tap_timers_remove(&loop->timers, timer);
}

void tap_watch_add(struct tap_loop *loop, struct tap_watch *watch)
{
    watch->prev = NULL;
    watch->next = loop->watches;
    if (loop->watches)
        loop->watches->prev = watch;
    loop->watches = watch;
    loop->n_watches++;
}

void tap_watch_remove(struct tap_loop *loop, struct tap_watch *watch)
{
    *(watch->prev ? &watch->prev->next : &loop->watches) = watch->next;
    if (watch->next)
        watch->next->prev = watch->prev;
    watch->prev = watch->next = NULL;
    loop->n_watches--;
}

static void fire_timers(struct tap_loop *loop)
{
    int64_t now = tap_loop_now(loop);
    for (struct tap_timer *timer; (timer = tap_timers_first(&loop->timers)) && timer->due <= now;) {
        tap_timers_remove(&loop->timers, timer);
        timer->fire(timer);
    }
}

/* ---- waiting ---- */

static void collect_transfers(struct tap_loop *loop)
{
    int running, left;
    curl_multi_perform(tap_loop_multi(loop), &running);
    for (CURLMsg *message; (message = curl_multi_info_read(tap_loop_multi(loop), &left));)
        if (message->msg == CURLMSG_DONE)
            tap_http_transfer_done(message->easy_handle, message->data.result);
}

/* Fills the scratch array for curl_multi_poll and shortens `wait_ms` to the watches' patience. */
static int list_watches(struct tap_loop *loop, int wait_ms)
{
    if (loop->n_watches > loop->cap_waitfds) {
        loop->cap_waitfds = loop->n_watches * 2;
        loop->waitfds = tap_realloc(loop->waitfds, loop->cap_waitfds * sizeof *loop->waitfds);
    }
    size_t i = 0;
    for (struct tap_watch *watch = loop->watches; watch; watch = watch->next) {
        loop->waitfds[i++] = (struct curl_waitfd){.fd = watch->fd, .events = watch->events};
        int patience = watch->patience ? watch->patience(watch) : -1;
        watch->impatient = patience >= 0 && patience <= wait_ms;
        if (watch->impatient)
            wait_ms = patience;
    }
    return wait_ms;
}

/* Serves the watches that became ready. Each may remove itself or others, so it is found again by
 * what it asked. */
static bool serve_watches(struct tap_loop *loop)
{
    bool served = false;
    size_t n = loop->n_watches;
    for (size_t i = 0; i < n; i++) {
        const struct curl_waitfd *asked = &loop->waitfds[i];
        struct tap_watch *watch = loop->watches;
        while (watch && !(watch->fd == asked->fd && watch->events == asked->events))
            watch = watch->next;
        if (!watch || !(asked->revents || watch->impatient))
            continue;
        watch->impatient = false;
        watch->ready(watch, asked->revents);
        served = true;
    }
    return served;
}

/* Polls for at most `wait_ms` of real time and serves what became ready. True when something did.
 */
static bool poll_once(struct tap_loop *loop, int wait_ms)
{
    int ready = 0;
    wait_ms = list_watches(loop, wait_ms);
    curl_multi_poll(tap_loop_multi(loop), loop->waitfds, (unsigned)loop->n_watches, wait_ms,
                    &ready);
    bool served = serve_watches(loop);
    collect_transfers(loop);
    return ready > 0 || served;
}

/* How long the next poll may take, in real ms; -1: for ever. */
static int64_t until_timer(const struct tap_loop *loop)
{
    const struct tap_timer *timer = tap_timers_first(&loop->timers);
    if (!timer)
        return -1;
    int64_t wait = timer->due - tap_loop_now(loop);
    if (wait <= 0)
        return 0;
    if (loop->clock == TAP_CLOCK_SCALED)
        wait = (int64_t)((double)wait / loop->scale) + 1;
    return wait;
}

static int requests_held(const struct tap_loop *loop)
{
    int held = 0;
    for (struct tap_watch *watch = loop->watches; watch; watch = watch->next)
        held += watch->held ? watch->held(watch) : 0;
    return held;
}

/* On the virtual clock: when nothing can happen before the next timer, it is that time now. */
static bool jump(struct tap_loop *loop)
{
    const struct tap_timer *timer = tap_timers_first(&loop->timers);
    if (loop->clock != TAP_CLOCK_VIRTUAL || !timer ||
        (loop->expected && loop->expected > requests_held(loop)))
        return false;
    if (timer->due > loop->now_base)
        loop->now_base = timer->due;
    return true;
}

static int clamp_wait(int64_t wait_ms, int64_t limit_ms)
{
    int64_t wait = wait_ms < 0 || (limit_ms >= 0 && limit_ms < wait_ms) ? limit_ms : wait_ms;
    /* "for ever" is asked again every so often: curl_multi_poll takes no -1 */
    if (wait < 0 || wait > 60 * 1000)
        return 60 * 1000;
    return (int)wait;
}

static void wait_for_something(struct tap_loop *loop, int64_t limit_ms)
{
    if (loop->clock != TAP_CLOCK_VIRTUAL) {
        poll_once(loop, clamp_wait(until_timer(loop), limit_ms));
        return;
    }
    if (poll_once(loop, 0) || loop->finished.first || jump(loop))
        return;
    poll_once(loop, clamp_wait(-1, limit_ms));
}

/* The next finished operation of the user; inner ones are handed to their owners on the way. */
static struct tap_op *take_finished(struct tap_loop *loop)
{
    for (struct tap_op *op; (op = loop->finished.first);) {
        list_remove(&loop->finished, op);
        if (!op->owner)
            return op;
        loop->inner--;
        op->owner->class->inner_done(op->owner, op);
    }
    return NULL;
}

struct tap_op *tap_loop_next(struct tap_loop *loop, int max_wait_ms)
{
    int64_t deadline = max_wait_ms < 0 ? -1 : clock_ms(CLOCK_MONOTONIC) + max_wait_ms;
    for (bool last = false;;) {
        fire_timers(loop);
        struct tap_op *op = take_finished(loop);
        if (op || last || !loop->outstanding.n)
            return op;
        int64_t left = deadline < 0 ? -1 : deadline - clock_ms(CLOCK_MONOTONIC);
        last = deadline >= 0 && left <= 0;
        wait_for_something(loop, last ? 0 : left);
    }
}

/* ---- the timer operation ---- */

struct timer_op {
    struct tap_op op;
    struct tap_timer timer;
};

static void timer_op_fire(struct tap_timer *timer)
{
    struct timer_op *self = (struct timer_op *)((char *)timer - offsetof(struct timer_op, timer));
    tap_op_finish(&self->op, NULL);
}

static void timer_op_stop(struct tap_op *op)
{
    tap_timer_clear(op->loop, &((struct timer_op *)op)->timer);
}

static void timer_op_free(struct tap_op *op)
{
    tap_free(op);
}

struct tap_op *tap_timer_start(struct tap_loop *loop, int64_t delay_ms)
{
    static const struct tap_op_class class = {TAP_OP_TIMER, timer_op_stop, timer_op_free, NULL};
    struct timer_op *self = tap_alloc(sizeof *self);
    self->timer.fire = timer_op_fire;
    tap_op_init(&self->op, loop, &class);
    tap_timer_set(loop, &self->timer, delay_ms < 0 ? 0 : delay_ms);
    return &self->op;
}
