/*
 * HTTP headers as Lua tables: { Name = "value", ["Set-Cookie"] = { "a=1", "b=2" } }.
 */
#ifndef TAP_BINDINGS_HEADERS_H
#define TAP_BINDINGS_HEADERS_H

#include <lua.h>

#include "core/error.h"
#include "core/message.h"

/* Pushes the headers; a name that stands more than once has a list. [-0, +1, -] */
void tap_headers_push(lua_State *L, const struct tap_headers *headers);

/* Adds the headers of the table at `index` (nil or none: no headers), sorted by name. Values are
 * text, numbers or lists of them. A name or value that would break the message is TAP_E_USAGE.
 * Never raises, so that `out` needs no anchor. [-0, +0, -] */
tap_err tap_headers_read(struct tap_headers *out, lua_State *L, int index, struct tap_error *err);

#endif
