/*
 * What every binding uses: raising the core's errors as Lua error tables, reading option tables,
 * and userdata that own one core pointer.
 *
 * Memory never fails here: the Lua state allocates by core/mem.h's rule (main.c), so a lua_* call
 * that the manual marks [m] does not raise. What it marks [v] or [e] can; no core allocation may be
 * held by a C local alone across such a call: put it in a handle (below) first.
 *
 * [-o, +p, x] after a function reads as in the Lua manual: it pops o values, pushes p, and raises
 * always (v), sometimes (e) or never (-).
 */
#ifndef TAP_LUA_UTIL_H
#define TAP_LUA_UTIL_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"

/* The number of results that a C function leaves on the stack. */
typedef int tap_nresults;

/* ---- errors ---- */

/* Pushes the error table of `err` (module tap.core.error).  [-0, +1, -] */
void tap_lua_push_error(lua_State *L, const struct tap_error *err);
/* Raises it.  [-0, +0, v] */
_Noreturn void tap_lua_raise(lua_State *L, const struct tap_error *err);
/* Raises an error that is born here; `name` is its `code` field.  [-0, +0, v] */
_Noreturn void tap_lua_fail(lua_State *L, tap_err code, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Gives the table on top of the stack the shared metatable of errors.  [-0, +0, -] */
void tap_lua_set_error_mt(lua_State *L);

/* ---- arguments ---- */

/* A number of seconds (>= 0) as milliseconds.  [-0, +0, e] */
int64_t tap_lua_check_seconds(lua_State *L, int index);
/* Pushes milliseconds as seconds, a float.  [-0, +1, -] */
void tap_lua_push_seconds(lua_State *L, int64_t ms);
/* The place of a word in a NULL-terminated list; another word raises, naming the nearest.
 * [-0, +0, e] */
int tap_lua_check_word(lua_State *L, int index, const char *const words[]);

/* Option tables: argument `index` is a table or nothing (then every field is absent). A value of
 * the wrong type raises an error that names the field. */

/* Raises when the table has a key that is not in the NULL-terminated `names`, with the nearest.
 * Positive integer keys are let through.  [-0, +0, e] */
void tap_lua_check_options(lua_State *L, int index, const char *const names[]);
/* NULL when absent. Borrowed: valid while the table holds it.  [-0, +0, e] */
const char *tap_lua_string_field(lua_State *L, int index, const char *name, size_t *len);
lua_Integer tap_lua_integer_field(lua_State *L, int index, const char *name, lua_Integer fallback);
bool tap_lua_boolean_field(lua_State *L, int index, const char *name);
/* Seconds in the table, milliseconds here; 0 when absent.  [-0, +0, e] */
int64_t tap_lua_seconds_field(lua_State *L, int index, const char *name);

/* ---- strings ---- */

/* Pushes n bytes and frees them (tap_free).  [-0, +1, -] */
void tap_lua_push_owned(lua_State *L, char *text, size_t n);
/* Pushes what the buffer holds and frees it; raises TAP_E_LIMIT when it has overflowed.
 * [-0, +1, e] */
void tap_lua_push_buf(lua_State *L, struct tap_buf *buf);

/* ---- handles: a userdata that owns one core pointer ---- */

/* Born closed (pointer NULL, metatable set), so that whatever is raised between that and the
 * pointer's arrival leaves nothing behind. __gc, __close and the method `close` all close it, once.
 */
struct tap_handle_type {
    const char *name;         /* "tap.client": in errors and tostring */
    void (*close)(void *ptr); /* frees what the handle owns */
    const luaL_Reg *methods;  /* besides close; may be NULL */
};

/* Pushes a closed handle; store the pointer with *slot = ptr when you have it. Further
 * `user_values` (usually 0) keep Lua values alive that the pointer borrows from.  [-0, +1, -] */
void **tap_handle_new(lua_State *L, const struct tap_handle_type *type, int user_values);
/* The pointer of an open handle; an argument error otherwise.  [-0, +0, e] */
void *tap_handle_check(lua_State *L, int index, const struct tap_handle_type *type);
/* The slot of a handle, open or closed (*slot is NULL then); to take the pointer away set it to
 * NULL.  [-0, +0, e] */
void **tap_handle_slot(lua_State *L, int index, const struct tap_handle_type *type);

#endif
