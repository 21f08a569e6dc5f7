/*
 * Scripts' own coroutines. A wait inside of one yields to the scheduler, not to whoever resumed the
 * coroutine: so the yield carries a mark, and `resume` and `wrap` here pass a marked yield on and
 * later go back in. A script sees nothing of it.
 *
 * The mark stays on the coroutine's stack while it waits; a resume or close from another task in
 * the meantime finds it there and is refused.
 */
#include "scheduler.h"

static const char mark;

tap_nresults tap_wait_yield(lua_State *L, lua_KContext context, lua_KFunction k)
{
    lua_pushlightuserdata(L, (void *)&mark);
    return lua_yieldk(L, 1, context, k);
}

bool tap_wait_yielded(lua_State *co)
{
    return lua_status(co) == LUA_YIELD && lua_gettop(co) > 0 && lua_touserdata(co, -1) == &mark;
}

/* Is L the coroutine at a task's base? To its script that is the main program, as in plain Lua. */
static bool is_base(lua_State *L)
{
    const struct tap_task *task = tap_scheduler(L)->current;
    return task && task->thread == L;
}

/* Runs the coroutine's pending <close> variables; there nothing can wait. */
static int close_thread(lua_State *L, lua_State *co)
{
    struct tap_scheduler *scheduler = tap_scheduler(L);
    scheduler->forbidden++;
    int status = lua_resetthread(co);
    scheduler->forbidden--;
    return status;
}

/* ---- resume and wrap ---- */

enum style { RESUME, WRAP }; /* what a caller gets: true or false first; or errors raised */

/* RESUME has its coroutine as first argument, WRAP as upvalue. */
static lua_State *subject(lua_State *L, enum style style)
{
    lua_State *co = lua_tothread(L, style == WRAP ? lua_upvalueindex(1) : 1);
    luaL_argexpected(L, co, 1, "coroutine");
    return co;
}

/* Moves the coroutine's n top values here.  [-0, +n, e] */
static void take(lua_State *L, lua_State *co, int n)
{
    if (!lua_checkstack(L, n + 1)) {
        lua_pop(co, n);
        luaL_error(L, "too many results from a coroutine");
    }
    lua_xmove(co, L, n);
}

/* What a wrapped coroutine's error becomes: it is closed, and a message gets the caller's place.
 * [-1, +0, v] */
static int raise_from_wrap(lua_State *L, lua_State *co)
{
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(L, co, 1); /* the error is where lua_resetthread looks for it */
        close_thread(L, co);
        lua_xmove(co, L, 1);
    }
    if (lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static tap_nresults finish(lua_State *L, lua_State *co, enum style style, int status, int n)
{
    bool failed = status != LUA_OK && status != LUA_YIELD;
    if (failed)
        n = 1;
    take(L, co, n);
    if (style == WRAP)
        return failed ? raise_from_wrap(L, co) : n;
    lua_pushboolean(L, !failed);
    lua_insert(L, -(n + 1));
    return n + 1;
}

static tap_nresults go_back_in(lua_State *L, int status, lua_KContext style);

/* Resumes the coroutine with the n values on its stack, until it yields to the script or ends. */
static tap_nresults drive(lua_State *L, lua_State *co, enum style style, int n)
{
    struct tap_scheduler *scheduler = tap_scheduler(L);
    int forbidden = lua_isyieldable(L) ? 0 : 1; /* Lua would not tell the coroutine */
    scheduler->forbidden += forbidden;
    int status = lua_resume(co, L, n, &n);
    scheduler->forbidden -= forbidden;
    if (status == LUA_YIELD && tap_wait_yielded(co))
        return tap_wait_yield(L, style, go_back_in);
    return finish(L, co, style, status, n);
}

static tap_nresults go_back_in(lua_State *L, int status, lua_KContext style)
{
    (void)status;
    lua_State *co = subject(L, (enum style)style);
    lua_pop(co, 1); /* the mark */
    return drive(L, co, (enum style)style, 0);
}

static tap_nresults refuse(lua_State *L, enum style style, const char *why)
{
    if (style == WRAP)
        return luaL_error(L, "%s", why);
    lua_pushboolean(L, false);
    lua_pushstring(L, why);
    return 2;
}

static tap_nresults start(lua_State *L, enum style style, int n)
{
    lua_State *co = subject(L, style);
    if (tap_wait_yielded(co))
        return refuse(L, style, "cannot resume a coroutine that waits in another task");
    if (!lua_checkstack(co, n))
        return refuse(L, style, "too many arguments to resume");
    lua_xmove(L, co, n);
    return drive(L, co, style, n);
}

static int co_resume(lua_State *L)
{
    return start(L, RESUME, lua_gettop(L) - 1);
}

static int call_wrapped(lua_State *L)
{
    return start(L, WRAP, lua_gettop(L));
}

static int co_wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

/* ---- the others ---- */

static int co_close(lua_State *L)
{
    lua_State *co = subject(L, RESUME);
    if (tap_wait_yielded(co))
        return luaL_error(L, "cannot close a coroutine that waits in another task");
    int status = lua_status(co);
    lua_Debug frame;
    bool active = status == LUA_OK && lua_getstack(co, 0, &frame);
    if (co == L || active)
        return luaL_error(L, "cannot close a %s coroutine", co == L ? "running" : "normal");
    status = close_thread(L, co);
    lua_pushboolean(L, status == LUA_OK);
    if (status == LUA_OK)
        return 1;
    lua_xmove(co, L, 1);
    return 2;
}

static int co_yield (lua_State *L)
{
    if (is_base(L))
        return luaL_error(L, "attempt to yield from outside a coroutine");
    return lua_yield(L, lua_gettop(L));
}

static int co_running(lua_State *L)
{
    bool main = lua_pushthread(L) == 1 || is_base(L);
    lua_pushboolean(L, main);
    return 2;
}

static int co_isyieldable(lua_State *L)
{
    lua_State *co = lua_isnone(L, 1) ? L : subject(L, RESUME);
    lua_pushboolean(L, lua_isyieldable(co) && !is_base(co));
    return 1;
}

void tap_coroutine_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"resume", co_resume}, {"wrap", co_wrap},       {"close", co_close},
        {"yield", co_yield },  {"running", co_running}, {"isyieldable", co_isyieldable},
        {NULL, NULL}};
    lua_getglobal(L, "coroutine");
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
