/*
 * The scheduler: a tree of tasks over one loop. Only tap_task_run, at the top level, resumes a
 * task: it drains the ready queue, then asks the loop for the next finished operation, whose task
 * becomes ready. So nothing re-enters, and everything else in this file only moves tasks between
 * states.
 *
 * The tree is the guarantee. A task is done when its body and all its children are; when it fails,
 * or a child of it does, everything below it is cancelled and awaited, and the first error is its
 * outcome. Nothing runs on behind anybody's back.
 *
 * A body runs below lua_pcallk inside its coroutine (base), for only so are the <close> variables
 * of a body that fails closed where they can wait.
 */
#include <string.h>

#include "scheduler.h"

static const char live_key; /* registry: the tasks that are not done, by address */

struct tap_scheduler *tap_scheduler(lua_State *L)
{
    return *(struct tap_scheduler **)lua_getextraspace(L);
}

struct tap_loop *tap_task_loop(lua_State *L)
{
    struct tap_scheduler *scheduler = tap_scheduler(L);
    struct tap_error err;
    if (!scheduler->loop && !(scheduler->loop = tap_loop_new(&err)))
        tap_lua_raise(L, &err);
    return scheduler->loop;
}

/* ---- tasks as Lua values ---- */

void tap_task_push(lua_State *L, struct tap_task *task)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &live_key);
    lua_rawgetp(L, -1, task);
    lua_remove(L, -2);
}

/* Stores the userdata on top of the stack as live.  [-0, +0, -] */
static void anchor(lua_State *L, struct tap_task *task)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &live_key);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, -2, task);
    lua_pop(L, 1);
}

/* Lets go of it: whoever has a reference keeps it.  [-0, +0, -] */
static void release(lua_State *L, struct tap_task *task)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &live_key);
    lua_pushnil(L);
    lua_rawsetp(L, -2, task);
    lua_pop(L, 1);
}

/* Pops a value into a user value of a live task.  [-1, +0, -] */
void tap_task_set_value(lua_State *L, struct tap_task *task, int which)
{
    tap_task_push(L, task);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, which);
    lua_pop(L, 1);
}

/* Pushes a user value of a live task.  [-0, +1, -] */
void tap_task_get_value(lua_State *L, struct tap_task *task, int which)
{
    tap_task_push(L, task);
    lua_getiuservalue(L, -1, which);
    lua_remove(L, -2);
}

void tap_task_free_finished(struct tap_task *task)
{
    if (task->finished)
        tap_op_free(task->finished);
    task->finished = NULL;
}

/* Only when the state is closed under a task that has not ended. */
static int task_gc(lua_State *L)
{
    struct tap_task *task = luaL_checkudata(L, 1, TAP_TASK_TYPE);
    tap_task_free_finished(task);
    if (task->waits_for)
        tap_op_cancel(task->waits_for);
    task->waits_for = NULL;
    return 0;
}

static int scheduler_gc(lua_State *L)
{
    struct tap_scheduler *scheduler = lua_touserdata(L, 1);
    tap_loop_free(scheduler->loop);
    scheduler->loop = NULL;
    return 0;
}

void tap_task_open(lua_State *L)
{
    /* The first finalizer set is the last one run: the loop outlives all that stands on it. */
    struct tap_scheduler *scheduler = lua_newuserdatauv(L, sizeof *scheduler, 0);
    memset(scheduler, 0, sizeof *scheduler);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, scheduler_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, scheduler);
    *(struct tap_scheduler **)lua_getextraspace(L) = scheduler; /* new threads inherit it */
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &live_key);
    luaL_newmetatable(L, TAP_TASK_TYPE); /* its methods are set by l_task.c */
    lua_pushcfunction(L, task_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    tap_coroutine_open(L);
}

struct tap_task *tap_task_arg(lua_State *L, int index)
{
    return luaL_checkudata(L, index, TAP_TASK_TYPE);
}

struct tap_task *tap_task_current(lua_State *L)
{
    struct tap_task *task = tap_scheduler(L)->current;
    if (!task)
        tap_lua_fail(L, TAP_E_USAGE, "NoTask", "this works only inside of a task");
    return task;
}

/* ---- a task's life ---- */

void tap_task_make_ready(struct tap_scheduler *scheduler, struct tap_task *task)
{
    task->state = TAP_TASK_READY;
    task->next_ready = NULL;
    if (scheduler->last_ready)
        scheduler->last_ready->next_ready = task;
    else
        scheduler->first_ready = task;
    scheduler->last_ready = task;
}

/* Message handler: keeps the traceback, and returns the error untouched. Where an awaited task's
 * error is raised again, that task's traceback comes first. A task that has failed already (by a
 * child) keeps that failure's. */
static int keep_traceback(lua_State *L)
{
    struct tap_task *task = tap_scheduler(L)->current;
    lua_settop(L, 1);
    if (task->failed)
        return 1;
    luaL_traceback(L, L, NULL, 1);
    tap_task_get_value(L, task, TAP_TASK_JOINED);
    if (!lua_isnil(L, 3)) {
        lua_getiuservalue(L, 3, TAP_TASK_FAILURE);
        lua_getiuservalue(L, 3, TAP_TASK_TRACEBACK);
        if (lua_rawequal(L, 1, 4) && lua_isstring(L, 5)) {
            lua_pushfstring(L, "%s\nawaited by a task with %s", lua_tostring(L, 5),
                            lua_tostring(L, 2));
            lua_replace(L, 2);
        }
    }
    lua_settop(L, 2);
    tap_task_set_value(L, task, TAP_TASK_TRACEBACK);
    return 1;
}

static tap_nresults body_returned(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - 1; /* all but the message handler */
    tap_scheduler(L)->current->threw = true;
    return 1;
}

/* The C function at the bottom of each task's coroutine: the body and its arguments are its
 * arguments. */
static tap_nresults base(lua_State *L)
{
    lua_pushcfunction(L, keep_traceback);
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, body_returned);
    return body_returned(L, status, 0);
}

/* A child that is born while its parent is being stopped never begins; one that a clean-up makes
 * does. */
static enum tap_task_cancel inherited_cancel(const struct tap_task *parent)
{
    if (parent->cancel == TAP_CANCEL_RAISED || parent->cancel == TAP_CANCEL_NONE)
        return parent->failed && parent->state == TAP_TASK_ENDED ? TAP_CANCEL_PENDING
                                                                 : TAP_CANCEL_NONE;
    return parent->cancel;
}

struct tap_task *tap_task_spawn(lua_State *L, struct tap_task *parent, int nargs, bool attached)
{
    struct tap_task *task = lua_newuserdatauv(L, sizeof *task, TAP_TASK_USER_VALUES);
    memset(task, 0, sizeof *task);
    luaL_setmetatable(L, TAP_TASK_TYPE);
    task->thread = lua_newthread(L);
    lua_setiuservalue(L, -2, TAP_TASK_THREAD);
    anchor(L, task);

    lua_insert(L, -(nargs + 2));
    luaL_checkstack(task->thread, nargs + 2, "too many arguments to a task");
    lua_pushcfunction(task->thread, base);
    lua_xmove(L, task->thread, nargs + 1);

    task->attached = attached;
    if (parent) {
        task->parent = parent;
        task->next = parent->children;
        if (task->next)
            task->next->previous = task;
        parent->children = task;
        task->cancel = inherited_cancel(parent);
    }
    tap_task_make_ready(tap_scheduler(L), task);
    return task;
}

/* Makes the error on top of the stack the outcome, unless there was an earlier one. `from` (may be
 * NULL) is the child that it comes from.  [-1, +0, -] */
static void fail(lua_State *L, struct tap_task *task, struct tap_task *from)
{
    struct tap_scheduler *scheduler = tap_scheduler(L);
    if (task->failed) {
        lua_pop(L, 1);
        return;
    }
    task->failed = true;
    tap_task_set_value(L, task, TAP_TASK_FAILURE);
    if (from) {
        tap_task_get_value(L, from, TAP_TASK_TRACEBACK);
        tap_task_set_value(L, task, TAP_TASK_TRACEBACK);
    }
    tap_task_cancel_children(scheduler, task, false);
    if (task->state != TAP_TASK_ENDED)
        tap_task_stop(scheduler, task, false);
}

/* A task that was told to stop, and did.  [-0, +0, -] */
static bool was_canceled(lua_State *L, struct tap_task *task)
{
    if (task->cancel == TAP_CANCEL_NONE)
        return false;
    tap_task_get_value(L, task, TAP_TASK_FAILURE);
    bool canceled = tap_task_is_canceled(L, -1);
    lua_pop(L, 1);
    return canceled;
}

static void unlink_from_parent(struct tap_task *task)
{
    if (task->previous)
        task->previous->next = task->next;
    else
        task->parent->children = task->next;
    if (task->next)
        task->next->previous = task->previous;
}

static void wake_waiters(struct tap_scheduler *scheduler, struct tap_task *task)
{
    while (task->waiters) {
        struct tap_task *waiter = task->waiters;
        task->waiters = waiter->next_waiter;
        waiter->target = NULL;
        tap_task_make_ready(scheduler, waiter);
    }
}

/* Does what is to be done when nothing of the task is at work any more; then perhaps its parent is
 * done, too. */
static void settle(lua_State *L, struct tap_task *task)
{
    while (task && task->state == TAP_TASK_ENDED && !task->children) {
        struct tap_task *parent = task->parent;
        task->state = TAP_TASK_DONE;
        if (parent)
            unlink_from_parent(task);
        if (parent && task->attached && task->failed && !was_canceled(L, task)) {
            tap_task_get_value(L, task, TAP_TASK_FAILURE);
            fail(L, parent, task);
        }
        wake_waiters(tap_scheduler(L), task);
        task->parent = NULL;
        release(L, task);
        task = parent;
    }
}

/* The body has returned, or thrown: its results or its error are all that its stack holds. */
static void end_body(lua_State *L, struct tap_task *task)
{
    tap_task_free_finished(task);
    task->state = TAP_TASK_ENDED;
    if (task->threw) {
        lua_xmove(task->thread, L, 1);
        fail(L, task, NULL);
    }
    if (task->failed)
        lua_settop(task->thread, 0);
    settle(L, task);
}

/* Ends the body with an error from here, closing its coroutine.  [-0, +0, -] */
static void kill(struct tap_task *task, const char *message)
{
    lua_resetthread(task->thread);
    lua_settop(task->thread, 0);
    lua_pushstring(task->thread, message);
    task->threw = true;
}

static void step(lua_State *L, struct tap_task *task)
{
    struct tap_scheduler *scheduler = tap_scheduler(L);
    lua_State *co = task->thread;
    int n = lua_gettop(co) - 1;
    int status;
    task->state = TAP_TASK_RUNNING;
    if (!task->started && task->cancel != TAP_CANCEL_NONE) {
        lua_settop(co, 0);
        tap_task_push_canceled(co, task);
        task->threw = true;
        status = LUA_OK;
    } else {
        if (task->started) {
            n = 0;
            lua_pop(co, 1); /* the mark of its wait */
        }
        task->started = true;
        scheduler->current = task;
        status = lua_resume(co, L, n, &n);
        scheduler->current = NULL;
    }
    if (status == LUA_YIELD && tap_wait_yielded(co)) {
        task->state = TAP_TASK_WAITING;
        return;
    }
    if (status == LUA_YIELD)
        kill(task, "a C function yielded from a task, not to the scheduler");
    else if (status != LUA_OK)
        task->threw = true;
    end_body(L, task);
}

/* ---- the run loop ---- */

static struct tap_task *next_ready(struct tap_scheduler *scheduler)
{
    struct tap_task *task = scheduler->first_ready;
    if (!task)
        return NULL;
    scheduler->first_ready = task->next_ready;
    if (!scheduler->first_ready)
        scheduler->last_ready = NULL;
    return task;
}

/* Takes what the loop has finished; false when nothing is under way that could ever finish. */
static bool wait_for_operation(struct tap_scheduler *scheduler)
{
    if (!scheduler->loop || tap_loop_outstanding(scheduler->loop) == 0)
        return false;
    struct tap_op *op = tap_loop_next(scheduler->loop, -1);
    if (!op)
        return true;
    struct tap_task *task = tap_op_user(op);
    task->finished = op;
    task->waits_for = NULL;
    tap_task_make_ready(scheduler, task);
    return true;
}

bool tap_task_run(lua_State *L, int nargs)
{
    struct tap_scheduler *scheduler = tap_scheduler(L);
    struct tap_task *root = tap_task_spawn(L, NULL, nargs, false);
    int index = lua_gettop(L);
    while (root->state != TAP_TASK_DONE) {
        struct tap_task *task = next_ready(scheduler);
        if (task)
            step(L, task);
        else if (!wait_for_operation(scheduler))
            tap_task_break_deadlock(scheduler, root);
    }
    if (root->failed) {
        lua_getiuservalue(L, index, TAP_TASK_FAILURE);
        if (lua_getiuservalue(L, index, TAP_TASK_TRACEBACK) != LUA_TSTRING) {
            lua_pop(L, 1);
            lua_pushliteral(L, "");
        }
    } else {
        int n = lua_gettop(root->thread);
        luaL_checkstack(L, n, "too many results");
        lua_xmove(root->thread, L, n);
    }
    lua_remove(L, index);
    return !root->failed;
}
