/*
 * A binary heap of timers, the earliest on top. Timers know their place, so that one can be taken
 * out in O(log n). Equal times fire in the order in which they were set: a run on the virtual clock
 * repeats exactly.
 */
#ifndef TAP_TIMERS_H
#define TAP_TIMERS_H

#include "op.h"

struct tap_timer_slot {
    struct tap_timer *timer;
    uint64_t order;
};

struct tap_timers {
    struct tap_timer_slot *heap; /* heap[0] is unused: children of i are 2i and 2i+1 */
    size_t n, cap;
    uint64_t next_order;
};

void tap_timers_add(struct tap_timers *timers, struct tap_timer *timer);
void tap_timers_remove(struct tap_timers *timers, struct tap_timer *timer);
/* The earliest, or NULL. */
struct tap_timer *tap_timers_first(const struct tap_timers *timers);
void tap_timers_fini(struct tap_timers *timers);

#endif
