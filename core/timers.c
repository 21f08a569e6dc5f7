/*
 * The timer heap. See timers.h.
 */
#include "timers.h"

#include <string.h>

#include "mem.h"

static bool earlier(const struct tap_timer_slot *a, const struct tap_timer_slot *b)
{
    if (a->timer->due != b->timer->due)
        return a->timer->due < b->timer->due;
    return a->order < b->order;
}

static void put(struct tap_timers *timers, size_t i, struct tap_timer_slot slot)
{
    timers->heap[i] = slot;
    slot.timer->index = i;
}

static void sift_up(struct tap_timers *timers, size_t i, struct tap_timer_slot slot)
{
    while (i > 1 && earlier(&slot, &timers->heap[i / 2])) {
        put(timers, i, timers->heap[i / 2]);
        i /= 2;
    }
    put(timers, i, slot);
}

static void sift_down(struct tap_timers *timers, size_t i, struct tap_timer_slot slot)
{
    for (;;) {
        size_t child = 2 * i;
        if (child > timers->n)
            break;
        if (child < timers->n && earlier(&timers->heap[child + 1], &timers->heap[child]))
            child++;
        if (!earlier(&timers->heap[child], &slot))
            break;
        put(timers, i, timers->heap[child]);
        i = child;
    }
    put(timers, i, slot);
}

void tap_timers_add(struct tap_timers *timers, struct tap_timer *timer)
{
    timers->heap = tap_grow(timers->heap, timers->n + 1, &timers->cap, sizeof *timers->heap);
    struct tap_timer_slot slot = {timer, timers->next_order++};
    timers->n++;
    sift_up(timers, timers->n, slot);
}

void tap_timers_remove(struct tap_timers *timers, struct tap_timer *timer)
{
    size_t i = timer->index;
    timer->index = 0;
    struct tap_timer_slot last = timers->heap[timers->n];
    timers->n--;
    if (i > timers->n)
        return;
    if (i > 1 && earlier(&last, &timers->heap[i / 2]))
        sift_up(timers, i, last);
    else
        sift_down(timers, i, last);
}

struct tap_timer *tap_timers_first(const struct tap_timers *timers)
{
    return timers->n ? timers->heap[1].timer : NULL;
}

void tap_timers_fini(struct tap_timers *timers)
{
    tap_free(timers->heap);
    memset(timers, 0, sizeof *timers);
}
