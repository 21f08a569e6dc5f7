/*
 * The command: a Lua state, the engine's modules in it, and one root task that runs what the
 * command line names. What the words mean is the library's business (scripts/tap/cli.lua); here are
 * only those that must work without it:
 *
 *   tapengine version            answered before anything is set up
 *   tapengine -e CODE [words]    a chunk
 *   tapengine - [words]          a chunk from standard input
 *
 * The root task's first result, a number, is the exit code.
 */
#include <lauxlib.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/credentials_provider.h"
#include "core/mem.h"
#include "core/secret.h"
#include "core/version.h"
#include "memory.h"
#include "searcher.h"
#include "task.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

static void open_libraries(lua_State *L)
{
    luaL_openlibs(L);
    tap_task_open(L);
    tap_searcher_open(L);
}

/* ---- what to run ---- */

/* The global `arg`, as in the lua command: words[0] at 0, the script's words from 1, and what
 * stands before them below 0.  [-0, +0, -] */
static void set_arg(lua_State *L, char *const *argv, int argc, int script)
{
    lua_createtable(L, argc, script + 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_seti(L, -2, i - script);
    }
    lua_setglobal(L, "arg");
}

/* Pushes argv[first] and what follows.  [-0, +n, e] */
static int push_words(lua_State *L, char *const *argv, int argc, int first)
{
    int n = argc > first ? argc - first : 0;
    luaL_checkstack(L, n, "too many words");
    for (int i = 0; i < n; i++)
        lua_pushstring(L, argv[first + i]);
    return n;
}

/* Pushes the chunk and its words.  [-0, +n + 1, e] */
static int push_chunk(lua_State *L, char *const *argv, int argc)
{
    bool from_stdin = strcmp(argv[1], "-") == 0;
    int script = from_stdin ? 1 : 2;
    if (script >= argc)
        tap_lua_fail(L, TAP_E_USAGE, "BadArguments", "-e: code is missing");
    int status = from_stdin ? luaL_loadfilex(L, NULL, "t") : luaL_loadstring(L, argv[script]);
    if (status != LUA_OK)
        tap_lua_fail(L, TAP_E_USAGE, "BadScript", "%s", lua_tostring(L, -1));
    set_arg(L, argv, argc, script);
    return push_words(L, argv, argc, script + 1);
}

/* Pushes tap.cli's main and the list of words.  [-0, +2, e] */
static int push_command(lua_State *L, char *const *argv, int argc)
{
    set_arg(L, argv, argc, 0);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tap.cli");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "main");
    lua_remove(L, -2);
    lua_createtable(L, argc, 0);
    for (int i = 1; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_seti(L, -2, i);
    }
    return 1;
}

/* ---- how it went ---- */

/* Replaces the value on top of the stack by module.function(value).  [-1, +1, e] */
static void apply(lua_State *L, const char *module, const char *function)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, function);
    lua_replace(L, -2);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
}

/* The exit code of the error at index 1, by the library's contract.  [-0, +1, e] */
static int code_of_error(lua_State *L)
{
    lua_settop(L, 1);
    apply(L, "tap.error", "from");
    apply(L, "tap.exit", "code");
    luaL_checkinteger(L, -1);
    return 1;
}

static void print_error(const char *text)
{
    char *clean = tap_redact(text);
    fprintf(stderr, "tapengine: %s\n", clean);
    tap_free(clean);
}

/* Says what went wrong, with the traceback where the error is no table (those speak for
 * themselves). Stack: error, traceback. Pushes the exit code.  [-0, +1, e] */
static int report(lua_State *L)
{
    const char *text = luaL_tolstring(L, 1, NULL);
    if (!lua_istable(L, 1) && lua_rawlen(L, 2) > 0)
        text = lua_pushfstring(L, "%s\n%s", text, lua_tostring(L, 2));
    print_error(text);
    lua_pushcfunction(L, code_of_error);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK)
        lua_pushinteger(L, EXIT_FAILED);
    return 1;
}

/* true and nil: 0; false: 1; a number: that.  [-0, +0, -] */
static int code_of_result(lua_State *L, int index)
{
    if (lua_isinteger(L, index))
        return (int)lua_tointeger(L, index);
    return lua_isboolean(L, index) && !lua_toboolean(L, index) ? EXIT_FAILED : EXIT_SUCCESS;
}

/* Runs the command line (argc, argv); pushes the exit code.  [-0, +1, e] */
static int protected_main(lua_State *L)
{
    int argc = (int)lua_tointeger(L, 1);
    char *const *argv = lua_touserdata(L, 2);
    lua_settop(L, 0);
    open_libraries(L);
    bool is_chunk = argc > 1 && (strcmp(argv[1], "-e") == 0 || strcmp(argv[1], "-") == 0);
    int nargs = is_chunk ? push_chunk(L, argv, argc) : push_command(L, argv, argc);
    bool ok = tap_task_run(L, nargs);
    fflush(stdout);
    if (!ok)
        return report(L);
    lua_pushinteger(L, code_of_result(L, 1));
    return 1;
}

/* A step by less than nothing: the collector starts when this much more has been allocated. A short
 * command, such as the lint of a small template, has ended by then, and has not looked through its
 * modules three times for garbage. */
enum { CREDIT_KB = 4 * 1024 };

static int run(int argc, char **argv)
{
    struct tap_memory *memory = tap_memory_new();
    lua_State *L = lua_newstate(tap_memory_allocate, memory);
    lua_gc(L, LUA_GCSTEP, -CREDIT_KB);
    lua_pushcfunction(L, protected_main);
    lua_pushinteger(L, argc);
    lua_pushlightuserdata(L, argv);
    int code = EXIT_USAGE;
    if (lua_pcall(L, 2, 1, 0) == LUA_OK)
        code = (int)lua_tointeger(L, -1);
    else
        print_error(luaL_tolstring(L, -1, NULL));
    lua_close(L);
    tap_memory_free(memory);
    tap_providers_clear();
    tap_secrets_clear();
    return code;
}

static bool asks_for_version(int argc, char **argv)
{
    return argc == 2 && (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0);
}

int main(int argc, char **argv)
{
    if (asks_for_version(argc, argv)) {
        puts("tapengine " TAP_VERSION);
        return EXIT_SUCCESS;
    }
    signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an error of the write */
    return run(argc, argv);
}
