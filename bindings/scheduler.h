/*
 * The scheduler's own structures, shared by its parts: task.c (the tree of tasks and the run loop),
 * wait.c (waiting and cancelling), coroutine.c (scripts' coroutines, which a wait must pass
 * through) and l_task.c (what Lua sees). Everybody else includes task.h.
 */
#ifndef TAP_SCHEDULER_H
#define TAP_SCHEDULER_H

#include "task.h"

#define TAP_TASK_TYPE "tap.task" /* its metatable's name */

/* One a Lua state, found through the state's extra space. */
struct tap_scheduler {
    struct tap_loop *loop;    /* NULL until somebody needs it */
    struct tap_task *current; /* the one that runs; NULL at the top level */
    struct tap_task *first_ready, *last_ready;
    int forbidden; /* > 0: below a coroutine.resume or close that cannot pass a wait on */
};

enum tap_task_state {
    TAP_TASK_READY,   /* in the ready queue */
    TAP_TASK_RUNNING, /* the current one */
    TAP_TASK_WAITING, /* for an operation, another task, or to be unparked */
    TAP_TASK_ENDED,   /* its body has returned; children are still at work */
    TAP_TASK_DONE     /* nothing can change any more */
};

/* A cancel is raised once, at a wait; what is waited for after that (clean-up) goes on. Hard: every
 * wait raises. */
enum tap_task_cancel { TAP_CANCEL_NONE, TAP_CANCEL_PENDING, TAP_CANCEL_RAISED, TAP_CANCEL_HARD };

/* A userdata. Anchored in the registry until it is done; its parent lives at least as long. */
struct tap_task {
    lua_State *thread; /* its coroutine, held by a user value; keeps the results when it is done */
    struct tap_op *waits_for; /* an operation of the loop */
    struct tap_op *finished;  /* the same after the loop returned it, until it has been read */
    tap_task_result *result;  /* reads it */

    struct tap_task *parent, *children, *previous, *next; /* the tree */
    struct tap_task *target;                              /* the task that it waits for */
    struct tap_task *waiters, *next_waiter;               /* the tasks that wait for it */
    struct tap_task *next_ready;

    enum tap_task_state state;
    enum tap_task_cancel cancel;
    bool started;  /* its body */
    bool attached; /* its failure is its parent's */
    bool failed;   /* its outcome is an error, in user value TAP_TASK_FAILURE */
    bool threw;    /* its body has ended with an error */
    bool parked;
    bool deadlocked; /* its wait was ended because it could not */
};

enum { /* user values */
       TAP_TASK_THREAD = 1,
       TAP_TASK_FAILURE,   /* the error that is its outcome */
       TAP_TASK_TRACEBACK, /* where that was raised: a string */
       TAP_TASK_JOINED,    /* the last failed task that it waited for */
       TAP_TASK_USER_VALUES = TAP_TASK_JOINED
};

struct tap_scheduler *tap_scheduler(lua_State *L);

/* ---- task.c ---- */

/* The task at `index`.  [-0, +0, e] */
struct tap_task *tap_task_arg(lua_State *L, int index);
/* The task that runs; raises outside of any.  [-0, +0, e] */
struct tap_task *tap_task_current(lua_State *L);
/* Pushes the userdata of a task that is not done.  [-0, +1, -] */
void tap_task_push(lua_State *L, struct tap_task *task);
/* Makes a ready task of the function below its `nargs` arguments, a child of `parent` (not done).
 * [-(nargs + 1), +1, -] */
struct tap_task *tap_task_spawn(lua_State *L, struct tap_task *parent, int nargs, bool attached);
/* Pops a value into, and pushes, a user value of a task that is not done.  [-1, +0, -] */
void tap_task_set_value(lua_State *L, struct tap_task *task, int which);
/* [-0, +1, -] */
void tap_task_get_value(lua_State *L, struct tap_task *task, int which);
/* Appends the task to the ready queue. */
void tap_task_make_ready(struct tap_scheduler *scheduler, struct tap_task *task);
/* Frees the operation that the task last waited for, if it is still there. */
void tap_task_free_finished(struct tap_task *task);

/* ---- wait.c ---- */

/* Waits until the task at `index` is done; its results, or its error raised.  [-0, +n, e] */
tap_nresults tap_task_join(lua_State *L, int index);
/* Waits until tap_task_unpark is called for the current task.  [-0, +0, e] */
tap_nresults tap_task_park(lua_State *L);
void tap_task_unpark(struct tap_scheduler *scheduler, struct tap_task *task);
/* Cancels a task and everything below it, for a script: the second time hard. */
void tap_task_cancel(struct tap_scheduler *scheduler, struct tap_task *task);
/* The same for the scheduler, which knows what it wants. */
void tap_task_stop(struct tap_scheduler *scheduler, struct tap_task *task, bool hard);
void tap_task_cancel_children(struct tap_scheduler *scheduler, struct tap_task *task, bool hard);
/* Ends, with an error, one wait of `task` or below it that can never end by itself; false when
 * there is none. */
bool tap_task_break_deadlock(struct tap_scheduler *scheduler, struct tap_task *task);
/* Pushes the error that a cancelled task sees; its cause is the failure that it is cancelled for.
 * [-0, +1, -] */
void tap_task_push_canceled(lua_State *L, struct tap_task *task);
/* Is the value at `index` such an error?  [-0, +0, -] */
bool tap_task_is_canceled(lua_State *L, int index);

/* ---- coroutine.c ---- */

/* Replaces the functions of the table `coroutine` that must know of waits.  [-0, +0, -] */
void tap_coroutine_open(lua_State *L);
/* Yields from here, through any coroutines of the script, to the scheduler.  [-?, +?, v] */
tap_nresults tap_wait_yield(lua_State *L, lua_KContext context, lua_KFunction k);
/* Is the coroutine suspended by that? Then one value is on top of its stack, to be popped before it
 * is resumed. */
bool tap_wait_yielded(lua_State *co);

#endif
