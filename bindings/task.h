/*
 * Tasks: what a binding needs to wait, and what main() needs to run one. Each task is a coroutine
 * whose waiting is an operation of the loop (core/loop.h); the scheduler in task.c resumes it when
 * that operation has finished. A task ends when its body and all its children have.
 */
#ifndef TAP_TASK_H
#define TAP_TASK_H

#include "core/loop.h"
#include "lua_util.h"

/* Prepares the state: to be called once, before any other function here.  [-0, +0, -] */
void tap_task_open(lua_State *L);

/* The process's loop; made by the first call.  [-0, +0, e] */
struct tap_loop *tap_task_loop(lua_State *L);

/* Raises when the caller cannot wait: outside a task, below a C function that cannot yield (a sort
 * comparator, a gsub callback, require, __gc, ...), or because the task has been cancelled. A
 * binding calls it before it starts what it will wait for.  [-0, +0, e] */
void tap_task_check(lua_State *L);

/* Pushes the results of an operation that succeeded and returns their number. It is called on the
 * stack of the function that waits: that function's arguments are still there. It may raise, and
 * it may wait for something more (`return tap_task_wait(...)`). The operation is borrowed: it is
 * freed afterwards, in any case. */
typedef tap_nresults tap_task_result(lua_State *L, struct tap_op *op);

/* Lets the current task wait for `op`, which belongs to the task from here on, even when this
 * raises. An operation that failed is raised as an error table; one that succeeded is given to
 * `result` (NULL: there are no results). To be called last, as `return tap_task_wait(...)`.
 *
 *     static int l_sleep(lua_State *L)
 *     {
 *         int64_t ms = tap_lua_check_seconds(L, 1);
 *         tap_task_check(L);
 *         return tap_task_wait(L, tap_timer_start(tap_task_loop(L), ms), NULL);
 *     }
 */
tap_nresults tap_task_wait(lua_State *L, struct tap_op *op, tap_task_result *result);

/* Runs the function below its `nargs` arguments as the root task, until it and everything that it
 * started has ended. True: its results are pushed. False: its error and the traceback (a string)
 * are pushed.  [-(nargs + 1), +n | +2, -] */
bool tap_task_run(lua_State *L, int nargs);

#endif
