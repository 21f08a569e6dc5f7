/*
 * Child processes: their output and their end arrive, however much they write and however they die.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/proc.h"

static int setup(void **state)
{
    struct tap_error err;
    *state = tap_loop_new(&err);
    assert_non_null(*state);
    return 0;
}

static int teardown(void **state)
{
    tap_loop_free(*state);
    return 0;
}

static struct tap_op *shell(struct tap_loop *loop, const char *command,
                            struct tap_proc_options options)
{
    const char *const argv[] = {"sh", "-c", command, NULL};
    options.argv = argv;
    return tap_proc_start(loop, &options);
}

static struct tap_proc_result *finish(struct tap_loop *loop, struct tap_op *op)
{
    assert_ptr_equal(tap_loop_next(loop, 10000), op);
    assert_null(tap_op_error(op));
    return tap_proc_result(op);
}

static void both_streams_and_the_exit_code_arrive(void **state)
{
    struct tap_op *op =
        shell(*state, "echo out; echo err >&2; exit 3", (struct tap_proc_options){0});
    struct tap_proc_result *result = finish(*state, op);
    assert_int_equal(result->exit_code, 3);
    assert_string_equal(tap_buf_text(&result->out), "out\n");
    assert_string_equal(tap_buf_text(&result->err), "err\n");
    tap_op_free(op);
}

static void input_larger_than_a_pipe_goes_through(void **state)
{
    enum { SIZE = 1000000 };
    static char input[SIZE];
    memset(input, 'x', SIZE);
    struct tap_op *op =
        shell(*state, "cat", (struct tap_proc_options){.input = input, .input_len = SIZE});
    assert_int_equal(finish(*state, op)->out.len, SIZE);
    tap_op_free(op);
}

static void a_child_that_ignores_its_input_does_not_hang(void **state)
{
    static char input[200000];
    struct tap_op *op = shell(*state, "exit 0",
                              (struct tap_proc_options){.input = input, .input_len = sizeof input});
    assert_int_equal(finish(*state, op)->exit_code, 0);
    tap_op_free(op);
}

static void without_input_standard_input_is_empty(void **state)
{
    struct tap_op *op = shell(*state, "cat; echo end", (struct tap_proc_options){0});
    assert_string_equal(tap_buf_text(&finish(*state, op)->out), "end\n");
    tap_op_free(op);
}

static void folder_and_environment_are_the_childs(void **state)
{
    static const char *const env[] = {"PATH=/usr/bin:/bin", "WHO=child", NULL};
    struct tap_op *op =
        shell(*state, "pwd; echo $WHO", (struct tap_proc_options){.cwd = "/usr", .env = env});
    assert_string_equal(tap_buf_text(&finish(*state, op)->out), "/usr\nchild\n");
    tap_op_free(op);
}

static void a_death_by_signal_is_told(void **state)
{
    struct tap_op *op = shell(*state, "kill -KILL $$", (struct tap_proc_options){0});
    struct tap_proc_result *result = finish(*state, op);
    assert_int_equal(result->exit_code, -1);
    assert_int_equal(result->signal, SIGKILL);
    tap_op_free(op);
}

static void a_program_that_is_not_there_is_an_error_of_the_operation(void **state)
{
    static const char *const argv[] = {"no-such-program-anywhere", NULL};
    struct tap_op *op = tap_proc_start(*state, &(struct tap_proc_options){.argv = argv});
    assert_ptr_equal(tap_loop_next(*state, 10000), op);
    assert_int_equal(tap_op_error(op)->code, TAP_E_IO);
    assert_non_null(strstr(tap_op_error(op)->message, "no-such-program-anywhere"));
    tap_op_free(op);
}

static void output_past_its_limit_ends_the_child(void **state)
{
    struct tap_op *op = shell(*state, "yes", (struct tap_proc_options){.max_output = 10000});
    assert_ptr_equal(tap_loop_next(*state, 10000), op);
    assert_int_equal(tap_op_error(op)->code, TAP_E_LIMIT);
    tap_op_free(op);
}

static void a_grandchild_that_keeps_the_pipe_does_not_hold_the_operation(void **state)
{
    struct tap_op *op = shell(*state, "sleep 60 & echo started", (struct tap_proc_options){0});
    assert_string_equal(tap_buf_text(&finish(*state, op)->out), "started\n");
    tap_op_free(op);
}

static void a_cancelled_child_is_ended_and_reaped(void **state)
{
    struct tap_op *op = shell(*state, "sleep 60", (struct tap_proc_options){0});
    tap_op_cancel(op);
    struct tap_op *pause = tap_timer_start(*state, 300);
    assert_ptr_equal(tap_loop_next(*state, 10000), pause);
    tap_op_free(pause);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void a_loop_is_freed_with_a_stubborn_child(void **state)
{
    struct tap_op *op =
        shell(*state, "trap '' TERM; echo ready; sleep 60", (struct tap_proc_options){0});
    assert_null(tap_loop_next(*state, 100));
    tap_op_cancel(op);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(both_streams_and_the_exit_code_arrive),
        TEST(input_larger_than_a_pipe_goes_through),
        TEST(a_child_that_ignores_its_input_does_not_hang),
        TEST(without_input_standard_input_is_empty),
        TEST(folder_and_environment_are_the_childs),
        TEST(a_death_by_signal_is_told),
        TEST(a_program_that_is_not_there_is_an_error_of_the_operation),
        TEST(output_past_its_limit_ends_the_child),
        TEST(a_grandchild_that_keeps_the_pipe_does_not_hold_the_operation),
        TEST(a_cancelled_child_is_ended_and_reaped),
        TEST(a_loop_is_freed_with_a_stubborn_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
