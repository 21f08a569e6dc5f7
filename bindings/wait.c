/*
 * How a task waits, and how a wait ends early. A wait stores what it is for in the current task,
 * never in the coroutine that asks (which may be a script's own), and yields to the scheduler; the
 * continuation takes the result, or raises.
 *
 * Cancelling is an error raised once, at a wait: C has stopped the operation by then, and what the
 * task waits for afterwards is its clean-up and goes on undisturbed. A wait that has succeeded
 * before it could be cancelled gives its result all the same; the next one raises.
 */
#include <string.h>

#include "scheduler.h"

/* ---- cancelling ---- */

static bool is_below(const struct tap_task *task, const struct tap_task *ancestor)
{
    for (; task; task = task->parent)
        if (task == ancestor)
            return true;
    return false;
}

static void stop_waiting_for_target(struct tap_task *task)
{
    struct tap_task **link = &task->target->waiters;
    while (*link != task)
        link = &(*link)->next_waiter;
    *link = task->next_waiter;
    task->target = NULL;
}

/* Ends a wait early. A task that waits for one below itself goes on waiting: that one has been
 * cancelled as well, and its clean-up comes first. */
static void interrupt(struct tap_scheduler *scheduler, struct tap_task *task)
{
    if (task->state != TAP_TASK_WAITING || (task->target && is_below(task->target, task)))
        return;
    if (task->target)
        stop_waiting_for_target(task);
    if (task->waits_for)
        tap_op_cancel(task->waits_for);
    task->waits_for = NULL;
    tap_task_make_ready(scheduler, task);
}

/* A soft cancel of what is cancelled already changes nothing: it would hit the clean-up. */
void tap_task_stop(struct tap_scheduler *scheduler, struct tap_task *task, bool hard)
{
    if (task->cancel == TAP_CANCEL_HARD || (task->cancel != TAP_CANCEL_NONE && !hard))
        return;
    task->cancel = hard ? TAP_CANCEL_HARD : TAP_CANCEL_PENDING;
    tap_task_cancel_children(scheduler, task, hard);
    interrupt(scheduler, task);
}

void tap_task_cancel_children(struct tap_scheduler *scheduler, struct tap_task *task, bool hard)
{
    for (struct tap_task *child = task->children; child; child = child->next)
        tap_task_stop(scheduler, child, hard);
}

void tap_task_cancel(struct tap_scheduler *scheduler, struct tap_task *task)
{
    if (task->state != TAP_TASK_DONE)
        tap_task_stop(scheduler, task, task->cancel != TAP_CANCEL_NONE);
}

bool tap_task_is_canceled(lua_State *L, int index)
{
    if (!lua_istable(L, index))
        return false;
    index = lua_absindex(L, index);
    lua_pushliteral(L, "code");
    bool is = lua_rawget(L, index) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "Canceled") == 0;
    lua_pop(L, 1);
    return is;
}

void tap_task_push_canceled(lua_State *L, struct tap_task *task)
{
    struct tap_error err;
    tap_fail(&err, TAP_E_CANCELED, "Canceled", "canceled");
    tap_lua_push_error(L, &err);
    while (task && !task->failed)
        task = task->parent;
    if (task) {
        tap_task_get_value(L, task, TAP_TASK_FAILURE);
        lua_setfield(L, -2, "cause");
    }
}

/* Nothing is ready and nothing under way: some task below `task` waits for what cannot come. One of
 * them is told so. */
bool tap_task_break_deadlock(struct tap_scheduler *scheduler, struct tap_task *task)
{
    for (struct tap_task *child = task->children; child; child = child->next)
        if (tap_task_break_deadlock(scheduler, child))
            return true;
    interrupt(scheduler, task);
    task->deadlocked = task->state == TAP_TASK_READY;
    return task->deadlocked;
}

/* Raises why a wait has ended early.  [-0, +0, v] */
static _Noreturn void raise_interrupted(lua_State *L, struct tap_task *task)
{
    if (task->deadlocked) {
        task->deadlocked = false;
        tap_lua_fail(L, TAP_E_USAGE, "Deadlock",
                     "deadlock: every task waits for another one, and nothing is under way that "
                     "could wake any of them");
    }
    if (task->cancel == TAP_CANCEL_PENDING)
        task->cancel = TAP_CANCEL_RAISED;
    tap_task_push_canceled(L, task);
    lua_error(L);
    __builtin_unreachable();
}

/* Raises the error on top of the stack where a wait has failed; for a task that has been cancelled
 * meanwhile it is only the cause of why it stops.  [-1, +0, v] */
static _Noreturn void raise_failed_wait(lua_State *L, struct tap_task *task)
{
    if (task->cancel == TAP_CANCEL_PENDING) {
        task->cancel = TAP_CANCEL_RAISED;
        if (!tap_task_is_canceled(L, -1)) {
            tap_task_push_canceled(L, NULL);
            lua_insert(L, -2);
            lua_setfield(L, -2, "cause");
        }
    }
    lua_error(L);
    __builtin_unreachable();
}

/* ---- waiting ---- */

static const char *why_not(lua_State *L)
{
    const struct tap_scheduler *scheduler = tap_scheduler(L);
    if (!scheduler->current)
        return "cannot wait outside of a task";
    if (!lua_isyieldable(L) || scheduler->forbidden)
        return "cannot wait here: inside a table.sort comparator, a string.gsub callback, require "
               "(a module's top level), __gc, __tostring, a message handler or the <close> of a "
               "coroutine that is closed from outside";
    return NULL;
}

void tap_task_check(lua_State *L)
{
    const char *why = why_not(L);
    if (why)
        tap_lua_fail(L, TAP_E_USAGE, "CannotWait", "%s", why);
    struct tap_task *task = tap_scheduler(L)->current;
    if (task->cancel == TAP_CANCEL_PENDING || task->cancel == TAP_CANCEL_HARD)
        raise_interrupted(L, task);
}

static tap_nresults op_finished(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    struct tap_task *task = tap_scheduler(L)->current;
    if (!task->finished)
        raise_interrupted(L, task);
    const struct tap_error *err = tap_op_error(task->finished);
    if (err) {
        tap_lua_push_error(L, err);
        tap_task_free_finished(task);
        raise_failed_wait(L, task);
    }
    /* If this raises, the next wait or the task's end frees the operation. */
    tap_nresults n = task->result ? task->result(L, task->finished) : 0;
    tap_task_free_finished(task);
    return n;
}

tap_nresults tap_task_wait(lua_State *L, struct tap_op *op, tap_task_result *result)
{
    struct tap_task *task = tap_scheduler(L)->current;
    if (why_not(L) || task->cancel == TAP_CANCEL_PENDING || task->cancel == TAP_CANCEL_HARD) {
        tap_op_cancel(op);
        tap_task_check(L);
    }
    tap_task_free_finished(task);
    tap_op_set_user(op, task);
    task->waits_for = op;
    task->result = result;
    return tap_wait_yield(L, 0, op_finished);
}

static tap_nresults unparked(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    struct tap_task *task = tap_scheduler(L)->current;
    bool interrupted = task->parked;
    task->parked = false;
    if (interrupted)
        raise_interrupted(L, task);
    return 0;
}

tap_nresults tap_task_park(lua_State *L)
{
    tap_task_check(L);
    tap_task_current(L)->parked = true;
    return tap_wait_yield(L, 0, unparked);
}

void tap_task_unpark(struct tap_scheduler *scheduler, struct tap_task *task)
{
    if (task->state == TAP_TASK_WAITING && task->parked)
        tap_task_make_ready(scheduler, task);
    task->parked = false;
}

/* The outcome of the done task at `index`.  [-0, +n, e] */
static tap_nresults outcome(lua_State *L, int index)
{
    struct tap_task *task = tap_task_arg(L, index);
    if (task->failed) {
        lua_pushvalue(L, index);
        tap_task_set_value(L, tap_task_current(L), TAP_TASK_JOINED);
        lua_getiuservalue(L, index, TAP_TASK_FAILURE);
        raise_failed_wait(L, tap_task_current(L));
    }
    int n = lua_gettop(task->thread);
    luaL_checkstack(L, n, "too many results from a task");
    luaL_checkstack(task->thread, n, "too many results from a task");
    for (int i = 1; i <= n; i++)
        lua_pushvalue(task->thread, i);
    lua_xmove(task->thread, L, n);
    return n;
}

static tap_nresults target_done(lua_State *L, int status, lua_KContext index)
{
    (void)status;
    if (tap_task_arg(L, (int)index)->state != TAP_TASK_DONE)
        raise_interrupted(L, tap_task_current(L));
    return outcome(L, (int)index);
}

tap_nresults tap_task_join(lua_State *L, int index)
{
    struct tap_task *target = tap_task_arg(L, index);
    struct tap_task *task = tap_task_current(L);
    if (target->state == TAP_TASK_DONE)
        return outcome(L, index);
    tap_task_check(L);
    if (is_below(task, target))
        tap_lua_fail(L, TAP_E_USAGE, "Deadlock", "a task cannot wait for one that waits for it");
    task->target = target;
    task->next_waiter = target->waiters;
    target->waiters = task;
    return tap_wait_yield(L, index, target_done);
}
