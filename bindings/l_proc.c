/*
 * tap.core.proc: child processes, started without a shell and waited for on the loop.
 */
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/proc.h"
#include "modules.h"
#include "task.h"

/* Pushes a block of memory that lives as long as it is on the stack.  [-0, +1, -] */
static const char **push_array(lua_State *L, size_t n)
{
    const char **array = lua_newuserdatauv(L, (n + 1) * sizeof *array, 0);
    memset((void *)array, 0, (n + 1) * sizeof *array);
    return array;
}

/* The program and its arguments: the list part of the options. The table holds the texts. */
static const char *const *push_argv(lua_State *L)
{
    size_t n = (size_t)luaL_len(L, 1);
    luaL_argcheck(L, n > 0, 1, "a program is expected");
    const char **argv = push_array(L, n);
    for (size_t i = 0; i < n; i++) {
        if (lua_geti(L, 1, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_argerror(L, 1, "the program and its arguments are strings");
        argv[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    return argv;
}

static bool names_same(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return strncmp(a, b, n) == 0 && b[n] == '=';
}

/* Adds "NAME=value", in the place of another value of that name. Returns the new length. */
static size_t put(const char **env, size_t n, const char *entry)
{
    size_t i = 0;
    while (i < n && !names_same(entry, env[i]))
        i++;
    env[i] = entry;
    return i == n ? n + 1 : n;
}

/* This process's environment with what the table `env` adds to it; NULL when there is none. Pushes
 * what holds the texts. */
static const char *const *push_env(lua_State *L)
{
    if (lua_getfield(L, 1, "env") == LUA_TNIL)
        return NULL;
    luaL_argcheck(L, lua_istable(L, -1), 1, "option 'env': table expected");
    int table = lua_gettop(L);
    size_t n = 0, added = 0;
    while (environ && environ[n])
        n++;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
        added++;
    const char **env = push_array(L, n + added);
    if (n > 0)
        memcpy((void *)env, environ, n * sizeof *env);
    lua_newtable(L); /* holds the new entries' texts */
    int texts = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
            luaL_argerror(L, 1, "option 'env': names and values are strings");
        const char *entry = lua_pushfstring(L, "%s=%s", lua_tostring(L, -2), lua_tostring(L, -1));
        lua_rawseti(L, texts, (lua_Integer)lua_rawlen(L, texts) + 1);
        n = put(env, n, entry);
    }
    return env;
}

static tap_nresults push_result(lua_State *L, struct tap_op *op)
{
    struct tap_proc_result *result = tap_proc_result(op);
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, result->exit_code);
    lua_setfield(L, -2, "code");
    if (result->signal) {
        lua_pushinteger(L, result->signal);
        lua_setfield(L, -2, "signal");
    }
    lua_pushlstring(L, tap_buf_text(&result->out), result->out.len);
    lua_setfield(L, -2, "out");
    lua_pushlstring(L, tap_buf_text(&result->err), result->err.len);
    lua_setfield(L, -2, "err");
    return 1;
}

/* run{ program, argument..., cwd =, env = { NAME = value added }, input =, inherit = boolean,
 * max_output = bytes } -> { code =, signal =, out =, err = }
 *
 * `code` is -1 when a signal ended the child. With `inherit` its output is this process's. */
static int l_run(lua_State *L)
{
    static const char *const names[] = {"cwd", "env", "input", "inherit", "max_output", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    tap_lua_check_options(L, 1, names);
    lua_Integer max_output = tap_lua_integer_field(L, 1, "max_output", 0);
    luaL_argcheck(L, max_output >= 0, 1, "option 'max_output': 0 or more is expected");
    size_t input_len;
    const char *input = tap_lua_string_field(L, 1, "input", &input_len);
    struct tap_proc_options options = {
        .argv = push_argv(L),
        .env = push_env(L),
        .cwd = tap_lua_string_field(L, 1, "cwd", NULL),
        .input = input,
        .input_len = input_len,
        .max_output = (size_t)max_output,
        .inherit = tap_lua_boolean_field(L, 1, "inherit"),
    };
    tap_task_check(L);
    return tap_task_wait(L, tap_proc_start(tap_task_loop(L), &options), push_result);
}

int luaopen_tap_core_proc(lua_State *L)
{
    static const luaL_Reg functions[] = {{"run", l_run}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
