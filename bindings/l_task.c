/*
 * tap.core.task: tasks and time as Lua primitives, on which scripts/tap/task.lua builds the
 * constructs that scripts use. `call` is the only way to make a task whose failure its parent does
 * not share, and it waits for it: nothing runs on unwatched.
 */
#include <signal.h>
#include <string.h>

#include "modules.h"
#include "scheduler.h"

/* ---- the tree ---- */

/* call(f, ...) -> f's results: runs f in a child task and waits until that and everything below it
 * has ended. Raises its error. */
static int l_call(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    tap_task_check(L);
    tap_task_spawn(L, tap_task_current(L), lua_gettop(L) - 1, false);
    return tap_task_join(L, 1);
}

/* task:spawn(f, ...) -> child: f runs as a child of the task, beside whatever else does. The task
 * ends only after it, and fails when it fails. */
static int l_spawn(lua_State *L)
{
    struct tap_task *parent = tap_task_arg(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (parent->state == TAP_TASK_DONE)
        tap_lua_fail(L, TAP_E_USAGE, "ScopeEnded", "the scope has ended: it takes no more tasks");
    tap_task_spawn(L, parent, lua_gettop(L) - 2, true);
    return 1;
}

/* task:wait() -> its results; raises its error. */
static int l_wait(lua_State *L)
{
    lua_settop(L, 1);
    return tap_task_join(L, 1);
}

/* task:cancel(): "Canceled" is raised where it waits, and in everything below it. Again: every
 * later wait of its clean-up raises at once, too. */
static int l_cancel(lua_State *L)
{
    tap_task_cancel(tap_scheduler(L), tap_task_arg(L, 1));
    return 0;
}

/* task:status() -> "ready", "running", "waiting", "ended" (children are still at work), "done",
 * "failed" or "canceled". */
static int l_status(lua_State *L)
{
    static const char *const names[] = {
        [TAP_TASK_READY] = "ready", [TAP_TASK_RUNNING] = "running", [TAP_TASK_WAITING] = "waiting",
        [TAP_TASK_ENDED] = "ended", [TAP_TASK_DONE] = "done",
    };
    const struct tap_task *task = tap_task_arg(L, 1);
    const char *name = names[task->state];
    if (task->state == TAP_TASK_DONE && task->failed) {
        lua_getiuservalue(L, 1, TAP_TASK_FAILURE);
        bool canceled = task->cancel != TAP_CANCEL_NONE && tap_task_is_canceled(L, -1);
        name = canceled ? "canceled" : "failed";
    }
    lua_pushstring(L, name);
    return 1;
}

/* task:traceback() -> string: where the error was raised that ended it; nil when none was. */
static int l_traceback(lua_State *L)
{
    tap_task_arg(L, 1);
    lua_getiuservalue(L, 1, TAP_TASK_TRACEBACK);
    return 1;
}

/* current() -> the task that runs. */
static int l_current(lua_State *L)
{
    tap_task_push(L, tap_task_current(L));
    return 1;
}

/* park(): waits until another task calls unpark for this one. */
static int l_park(lua_State *L)
{
    return tap_task_park(L);
}

static int l_unpark(lua_State *L)
{
    tap_task_unpark(tap_scheduler(L), tap_task_arg(L, 1));
    return 0;
}

/* ---- time and signals ---- */

static int l_sleep(lua_State *L)
{
    int64_t ms = tap_lua_check_seconds(L, 1);
    tap_task_check(L);
    return tap_task_wait(L, tap_timer_start(tap_task_loop(L), ms), NULL);
}

/* now() -> seconds since 1970 by the loop's clock. */
static int l_now(lua_State *L)
{
    tap_lua_push_seconds(L, tap_loop_wall(tap_task_loop(L)));
    return 1;
}

/* monotonic() -> seconds that never go back, by the loop's clock. */
static int l_monotonic(lua_State *L)
{
    tap_lua_push_seconds(L, tap_loop_now(tap_task_loop(L)));
    return 1;
}

/* clock() -> "real", "virtual" or "scaled"; clock("virtual"[, wall seconds]), clock("scaled",
 * factor), clock("real") choose. */
static int l_clock(lua_State *L)
{
    static const char *const names[] = {[TAP_CLOCK_REAL] = "real",
                                        [TAP_CLOCK_VIRTUAL] = "virtual",
                                        [TAP_CLOCK_SCALED] = "scaled",
                                        NULL};
    struct tap_loop *loop = tap_task_loop(L);
    enum tap_clock before = tap_loop_clock(loop);
    if (!lua_isnoneornil(L, 1)) {
        enum tap_clock clock = (enum tap_clock)tap_lua_check_word(L, 1, names);
        lua_Number factor = clock == TAP_CLOCK_SCALED ? luaL_checknumber(L, 2) : 1;
        luaL_argcheck(L, factor >= 1, 2, "a factor of 1 or more is expected");
        tap_loop_set_clock(loop, clock, factor);
        if (clock == TAP_CLOCK_VIRTUAL && !lua_isnoneornil(L, 2))
            tap_loop_set_time(loop, tap_lua_check_seconds(L, 2));
    }
    lua_pushstring(L, names[before]);
    return 1;
}

static const char *const signal_names[] = {"INT", "TERM", "HUP", "WINCH", "USR1", NULL};
static const int signal_numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGUSR1};
enum { SIGNALS = sizeof signal_numbers / sizeof *signal_numbers };

static tap_nresults push_signal(lua_State *L, struct tap_op *op)
{
    int number = tap_signal_number(op);
    for (int i = 0; i < SIGNALS; i++)
        if (signal_numbers[i] == number)
            lua_pushstring(L, signal_names[i]);
    return 1;
}

/* signal{ "INT", "TERM", ... } -> the name of the one that came. */
static int l_signal(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    int numbers[SIGNALS];
    size_t n = 0;
    for (lua_Integer i = 1; n < SIGNALS && lua_geti(L, 1, i) != LUA_TNIL; i++) {
        numbers[n++] = signal_numbers[tap_lua_check_word(L, -1, signal_names)];
        lua_pop(L, 1);
    }
    luaL_argcheck(L, n > 0, 1, "a list of signal names is expected");
    tap_task_check(L);
    return tap_task_wait(L, tap_signal_wait(tap_task_loop(L), numbers, n), push_signal);
}

int luaopen_tap_core_task(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"call", l_call},     {"current", l_current},     {"park", l_park},
        {"unpark", l_unpark}, {"sleep", l_sleep},         {"now", l_now},
        {"clock", l_clock},   {"monotonic", l_monotonic}, {"signal", l_signal},
        {NULL, NULL},
    };
    static const luaL_Reg methods[] = {
        {"spawn", l_spawn},   {"wait", l_wait},           {"cancel", l_cancel},
        {"status", l_status}, {"traceback", l_traceback}, {NULL, NULL},
    };
    luaL_getmetatable(L, TAP_TASK_TYPE);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
