/*
 * The preloaded C modules, each in its own file: the one list of them. `require "tap.core.NAME"`
 * opens a module when it is first wanted, so that start-up pays for none.
 */
#ifndef TAP_MODULES_H
#define TAP_MODULES_H

#include <lua.h>

#define TAP_MODULES(MODULE)                                                                        \
    MODULE(assets)                                                                                 \
    MODULE(client)                                                                                 \
    MODULE(crypto)                                                                                 \
    MODULE(document)                                                                               \
    MODULE(error)                                                                                  \
    MODULE(http)                                                                                   \
    MODULE(jmespath)                                                                               \
    MODULE(json)                                                                                   \
    MODULE(log)                                                                                    \
    MODULE(model)                                                                                  \
    MODULE(pages)                                                                                  \
    MODULE(proc)                                                                                   \
    MODULE(protocol)                                                                               \
    MODULE(server)                                                                                 \
    MODULE(sigv4)                                                                                  \
    MODULE(sqlite)                                                                                 \
    MODULE(sys)                                                                                    \
    MODULE(task)                                                                                   \
    MODULE(text)                                                                                   \
    MODULE(waiter)

#define TAP_DECLARE_MODULE(name) int luaopen_tap_core_##name(lua_State *L);
TAP_MODULES(TAP_DECLARE_MODULE)
#undef TAP_DECLARE_MODULE

#endif
