/*
 * The run's log, for the bindings that write to it.
 */
#ifndef TAP_L_LOG_H
#define TAP_L_LOG_H

#include <lua.h>

#include "core/log.h"

/* The log that log.open opened last; NULL when there is none. It lives as long as the state.
 * [-0, +0, -] */
struct tap_log *tap_lua_log(lua_State *L);

#endif
