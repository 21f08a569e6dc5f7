/*
 * tap.core.log: the run's log (core/log.h), one at a time, and the process's secrets.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "l_log.h"
#include "modules.h"
#include "task.h"
#include "value.h"

static const char current_key; /* registry: the handle of the log that is written to */
static const char opened_key;  /* registry: all that were ever opened, for clients borrow them */

static const char *const levels[] = {
    [TAP_LOG_DEBUG] = "debug",
    [TAP_LOG_INFO] = "info",
    [TAP_LOG_WARN] = "warn",
    [TAP_LOG_ERROR] = "error",
    NULL,
};

static void close_log(void *log)
{
    tap_log_close(log);
}

static const struct tap_handle_type type = {.name = "tap.log", .close = close_log};

struct tap_log *tap_lua_log(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &current_key);
    struct tap_log *log = lua_isnil(L, -1) ? NULL : *tap_handle_slot(L, -1, &type);
    lua_pop(L, 1);
    return log;
}

/* A level by its name in a field.  [-0, +0, e] */
static enum tap_log_level level_field(lua_State *L, int index, enum tap_log_level fallback)
{
    if (lua_getfield(L, index, "level") == LUA_TNIL)
        return fallback;
    return (enum tap_log_level)tap_lua_check_word(L, lua_gettop(L), levels);
}

static FILE *stream_field(lua_State *L, int index)
{
    static const char *const names[] = {"stdout", "stderr", NULL};
    if (lua_getfield(L, index, "stream") == LUA_TNIL)
        return NULL;
    return tap_lua_check_word(L, lua_gettop(L), names) == 0 ? stdout : stderr;
}

/* Keeps the handle on top of the stack, and makes it the current one.  [-1, +0, -] */
static void make_current(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &opened_key) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &opened_key);
    }
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &current_key);
}

/* open{ path =, level = "info", max_size = bytes, keep = files, stream = "stdout"|"stderr" }: from
 * here on log.write and the clients made later write there. */
static int l_open(lua_State *L)
{
    static const char *const names[] = {"path", "level", "max_size", "keep", "stream", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    tap_lua_check_options(L, 1, names);
    lua_Integer max_size = tap_lua_integer_field(L, 1, "max_size", 0);
    lua_Integer keep = tap_lua_integer_field(L, 1, "keep", 0);
    luaL_argcheck(L, max_size >= 0, 1, "option 'max_size': 0 or more is expected");
    luaL_argcheck(L, keep >= 0 && keep <= 1000, 1, "option 'keep': 0 to 1000 is expected");
    const struct tap_log_options options = {
        .path = tap_lua_string_field(L, 1, "path", NULL),
        .max_size = (size_t)max_size,
        .keep = (unsigned)keep,
        .level = level_field(L, 1, TAP_LOG_INFO),
        .stream = stream_field(L, 1),
    };
    void **slot = tap_handle_new(L, &type, 0);
    struct tap_log *log;
    struct tap_error err;
    if (tap_log_open(&log, &options, &err))
        tap_lua_raise(L, &err);
    *slot = log;
    make_current(L);
    return 0;
}

/* write(level, message[, fields]): nothing when no log is open. */
static int l_write(lua_State *L)
{
    enum tap_log_level level = (enum tap_log_level)tap_lua_check_word(L, 1, levels);
    const char *message = luaL_checkstring(L, 2);
    struct tap_log *log = tap_lua_log(L);
    if (!log)
        return 0;
    int64_t now = tap_loop_wall(tap_task_loop(L));
    json_t *fields = NULL;
    struct tap_error err;
    if (!lua_isnoneornil(L, 3) && tap_value_read(&fields, L, 3, (struct tap_shape){0}, &err))
        tap_lua_raise(L, &err);
    tap_log_write(log, level, now, message, fields);
    json_decref(fields);
    return 0;
}

/* field(name, value): on every later line; nil removes it. */
static int l_field(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const char *value = luaL_optstring(L, 2, NULL);
    struct tap_log *log = tap_lua_log(L);
    if (log)
        tap_log_set_field(log, name, value);
    return 0;
}

/* secret(text): it appears nowhere from here on. */
static int l_secret(lua_State *L)
{
    tap_secret_register(luaL_checkstring(L, 1));
    return 0;
}

/* redact(text) -> the text without the secrets that the process knows. */
static int l_redact(lua_State *L)
{
    char *text = tap_redact(luaL_checkstring(L, 1));
    tap_lua_push_owned(L, text, strlen(text));
    return 1;
}

int luaopen_tap_core_log(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"open", l_open},     {"write", l_write},   {"field", l_field},
        {"secret", l_secret}, {"redact", l_redact}, {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
