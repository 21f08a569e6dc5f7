/*
 * Values between the core's tree (json_t) and Lua, both ways, with one meaning each way:
 *
 *   object   table; of documents and of json.decode the order of the keys is remembered beside it
 *   array    table with the metatable "tap.list", so that an empty one stays an array
 *   null     lightuserdata NULL, as lua-cjson's null
 *   integer  Lua integer; real: Lua float; a float with an integral value stays a real
 *
 * Both walks are linear in the size of the value and refuse what nests deeper than TAP_MAX_DEPTH.
 * Indexes in paths are Lua's, from 1.
 */
#ifndef TAP_BINDINGS_VALUE_H
#define TAP_BINDINGS_VALUE_H

#include <jansson.h>
#include <lua.h>
#include <stdbool.h>

#include "core/error.h"
#include "shape.h"

enum tap_key_order { TAP_KEYS_FORGET, TAP_KEYS_REMEMBER };

/* Both functions never raise, so that a tree may be held by a C local between them and the core.
 * `shape` is what a model says of the value ((struct tap_shape){0}: nothing). */

/* Pushes a value. TAP_E_LIMIT when it nests too deeply, TAP_E_PROTOCOL when a blob in it is not
 * base64; then nothing is pushed. [-0, +1|0, -] */
tap_err tap_value_push(lua_State *L, const json_t *value, enum tap_key_order order,
                       struct tap_shape shape, struct tap_error *err);

/* Reads the value at `index`; the caller owns *out. What has no place in a tree (a function, NaN,
 * text that is not UTF-8, a cycle, a list with holes, ...) is TAP_E_USAGE with its path:
 * "Parameters[2].x: ...". An empty table is an object unless it is marked or its shape is a list.
 * Keys whose order is remembered come first, in that order, then the others, sorted. [-0, +0, -] */
tap_err tap_value_read(json_t **out, lua_State *L, int index, struct tap_shape shape,
                       struct tap_error *err);

/* tap_value_push for a tree that the caller owns: frees it, and raises what goes wrong.
 * [-0, +1, e] */
void tap_value_push_owned(lua_State *L, json_t *value, enum tap_key_order order,
                          struct tap_shape shape);

/* Marks the table at `index` as a list. [-0, +0, -] */
void tap_list_mark(lua_State *L, int index);
/* Pushes a list of n texts. [-0, +1, -] */
void tap_list_push_texts(lua_State *L, const char *const *texts, size_t n);
/* Marked, or has an element 1. [-0, +0, -] */
bool tap_is_list(lua_State *L, int index);
/* Is marked. [-0, +0, -] */
bool tap_is_marked_list(lua_State *L, int index);

/* Remembers the array of texts on top (each once) as the keys of the table at `index`, in that
 * order. The array is kept, not copied. [-1, +0, -] */
void tap_keys_remember(lua_State *L, int index);
/* Pushes the remembered keys of the table at `index`, an array, or nil; returns the type of what it
 * pushed. [-0, +1, -] */
int tap_keys_push(lua_State *L, int index);

#endif
