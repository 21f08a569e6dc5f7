/*
 * The exchange userdata (l_server.c), for the modules that read what a server received.
 */
#ifndef TAP_BINDINGS_EXCHANGE_H
#define TAP_BINDINGS_EXCHANGE_H

#include <lua.h>

#include "core/message.h"

/* The request of the exchange at `index`, borrowed until it is answered; one that has been answered
 * is an argument error. [-0, +0, e] */
const struct tap_request *tap_exchange_check_request(lua_State *L, int index);

#endif
