/*
 * The loop: operations complete once and in order, the clocks tell the time they promise, signals
 * and descriptors arrive, cancelled operations are gone.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/loop.h"

static int setup(void **state)
{
    struct tap_error err;
    struct tap_loop *loop = tap_loop_new(&err);
    assert_non_null(loop);
    *state = loop;
    return 0;
}

static int teardown(void **state)
{
    tap_loop_free(*state);
    return 0;
}

static void timer(struct tap_loop *loop, int64_t delay, const char *name)
{
    tap_op_set_user(tap_timer_start(loop, delay), (void *)(uintptr_t)name);
}

static void expect_next(struct tap_loop *loop, const char *name)
{
    struct tap_op *op = tap_loop_next(loop, -1);
    assert_non_null(op);
    assert_string_equal(tap_op_user(op), name);
    assert_null(tap_op_error(op));
    tap_op_free(op);
}

static void nothing_outstanding_returns_at_once(void **state)
{
    assert_null(tap_loop_next(*state, -1));
    assert_int_equal(tap_loop_outstanding(*state), 0);
}

static void timers_complete_in_time_order_and_then_in_the_order_they_were_set(void **state)
{
    struct tap_loop *loop = *state;
    tap_loop_set_clock(loop, TAP_CLOCK_VIRTUAL, 1);
    timer(loop, 300, "c");
    timer(loop, 100, "a1");
    timer(loop, 200, "b");
    timer(loop, 100, "a2");
    timer(loop, 100, "a3");
    assert_int_equal(tap_loop_outstanding(loop), 5);
    expect_next(loop, "a1");
    expect_next(loop, "a2");
    expect_next(loop, "a3");
    expect_next(loop, "b");
    expect_next(loop, "c");
    assert_null(tap_loop_next(loop, -1));
}

static void many_timers_keep_their_order_when_some_are_cancelled(void **state)
{
    struct tap_loop *loop = *state;
    enum { N = 2000 };
    static struct tap_op *ops[N];
    tap_loop_set_clock(loop, TAP_CLOCK_VIRTUAL, 1);
    for (uintptr_t i = 0; i < N; i++) {
        uintptr_t delay = (i * 7919) % N;
        ops[i] = tap_timer_start(loop, (int64_t)delay);
        tap_op_set_user(ops[i], (void *)(delay + 1));
    }
    for (size_t i = 0; i < N; i += 3)
        tap_op_cancel(ops[i]);
    uintptr_t before = 0;
    size_t n = 0;
    for (struct tap_op *op; (op = tap_loop_next(loop, -1)); n++) {
        uintptr_t now = (uintptr_t)tap_op_user(op);
        assert_true(now >= before);
        before = now;
        tap_op_free(op);
    }
    assert_int_equal(n, N - (N + 2) / 3);
}

static void an_operation_never_completes_inside_its_start(void **state)
{
    struct tap_loop *loop = *state;
    timer(loop, 0, "now");
    assert_int_equal(tap_loop_outstanding(loop), 1);
    expect_next(loop, "now");
}

static void the_virtual_clock_jumps_to_the_next_timer(void **state)
{
    struct tap_loop *loop = *state;
    tap_loop_set_clock(loop, TAP_CLOCK_VIRTUAL, 1);
    tap_loop_set_time(loop, 1000000000000);
    int64_t before = tap_loop_now(loop);
    timer(loop, 40 * 60 * 1000, "forty minutes");
    expect_next(loop, "forty minutes");
    assert_int_equal(tap_loop_now(loop) - before, 40 * 60 * 1000);
    assert_int_equal(tap_loop_wall(loop), 1000000000000 + 40 * 60 * 1000);
}

static void the_virtual_clock_stands_still_while_nobody_waits(void **state)
{
    struct tap_loop *loop = *state;
    tap_loop_set_clock(loop, TAP_CLOCK_VIRTUAL, 1);
    int64_t before = tap_loop_now(loop);
    usleep(5000);
    assert_int_equal(tap_loop_now(loop), before);
}

static void a_change_of_clock_does_not_turn_time_back(void **state)
{
    struct tap_loop *loop = *state;
    tap_loop_set_clock(loop, TAP_CLOCK_VIRTUAL, 1);
    timer(loop, 5000, "x");
    expect_next(loop, "x");
    int64_t then = tap_loop_now(loop);
    tap_loop_set_clock(loop, TAP_CLOCK_SCALED, 60);
    assert_true(tap_loop_now(loop) >= then);
    tap_loop_set_clock(loop, TAP_CLOCK_REAL, 1);
    assert_true(tap_loop_now(loop) >= then);
}

static void waiting_ends_when_the_callers_limit_is_over(void **state)
{
    struct tap_loop *loop = *state;
    struct tap_op *op = tap_timer_start(loop, 60 * 60 * 1000);
    assert_null(tap_loop_next(loop, 10));
    assert_int_equal(tap_loop_outstanding(loop), 1);
    tap_op_cancel(op);
    assert_int_equal(tap_loop_outstanding(loop), 0);
}

static void a_cancelled_operation_is_never_returned(void **state)
{
    struct tap_loop *loop = *state;
    struct tap_op *op = tap_timer_start(loop, 0);
    timer(loop, 1, "other");
    tap_op_cancel(op);
    expect_next(loop, "other");
    assert_null(tap_loop_next(loop, -1));
}

static void signals_complete_the_wait_that_names_them(void **state)
{
    struct tap_loop *loop = *state;
    struct tap_op *wait = tap_signal_wait(loop, (const int[]){SIGUSR1, SIGHUP}, 2);
    raise(SIGUSR1);
    assert_ptr_equal(tap_loop_next(loop, -1), wait);
    assert_int_equal(tap_signal_number(wait), SIGUSR1);
    tap_op_free(wait);
}

static void a_signal_between_two_waits_is_kept(void **state)
{
    struct tap_loop *loop = *state;
    tap_op_cancel(tap_signal_wait(loop, (const int[]){SIGUSR1}, 1));
    raise(SIGUSR1);
    timer(loop, 5, "meanwhile");
    expect_next(loop, "meanwhile");
    struct tap_op *wait = tap_signal_wait(loop, (const int[]){SIGUSR1}, 1);
    assert_ptr_equal(tap_loop_next(loop, -1), wait);
    tap_op_free(wait);
}

static void a_descriptor_completes_when_it_can_be_read(void **state)
{
    struct tap_loop *loop = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct tap_op *wait = tap_fd_wait(loop, ends[0], 'r');
    timer(loop, 5, "first");
    expect_next(loop, "first");
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_ptr_equal(tap_loop_next(loop, -1), wait);
    tap_op_free(wait);
    close(ends[0]);
    close(ends[1]);
}

static void a_loop_is_freed_with_operations_of_every_state(void **state)
{
    struct tap_loop *loop = *state;
    tap_timer_start(loop, 1000);
    tap_signal_wait(loop, (const int[]){SIGUSR1}, 1);
    tap_fd_wait(loop, STDIN_FILENO, 'r');
    tap_timer_start(loop, 0);
    tap_timer_start(loop, 0);
    struct tap_op *op =
        tap_loop_next(loop, 10); /* one returned, one finished and not yet returned */
    assert_non_null(op);
    tap_op_free(op);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_outstanding_returns_at_once),
        TEST(timers_complete_in_time_order_and_then_in_the_order_they_were_set),
        TEST(many_timers_keep_their_order_when_some_are_cancelled),
        TEST(an_operation_never_completes_inside_its_start),
        TEST(the_virtual_clock_jumps_to_the_next_timer),
        TEST(the_virtual_clock_stands_still_while_nobody_waits),
        TEST(a_change_of_clock_does_not_turn_time_back),
        TEST(waiting_ends_when_the_callers_limit_is_over),
        TEST(a_cancelled_operation_is_never_returned),
        TEST(signals_complete_the_wait_that_names_them),
        TEST(a_signal_between_two_waits_is_kept),
        TEST(a_descriptor_completes_when_it_can_be_read),
        TEST(a_loop_is_freed_with_operations_of_every_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
