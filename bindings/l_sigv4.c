/*
 * tap.core.sigv4: what a received request claims about its sender, and whether that is true.
 *
 *     local claim = sigv4.claim(exchange)
 *     claim.access_key, claim.region, claim.service, claim.form     -- "headers" or "query"
 *     sigv4.verify(exchange, claim, secret_of[claim.access_key], task.now())
 *
 * Both raise the error that AWS would answer with (code, message, status).
 */
#include "core/sigv4.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "exchange.h"
#include "lua_util.h"
#include "modules.h"

static const struct tap_handle_type claim_type;

/* claim(exchange) -> claim */
static tap_nresults l_claim(lua_State *L)
{
    const struct tap_request *request = tap_exchange_check_request(L, 1);
    struct tap_error err;
    void **slot = tap_handle_new(L, &claim_type, 0);
    struct tap_sigv4_claim *claim = *slot = tap_alloc(sizeof *claim);
    if (tap_sigv4_claim(claim, request, &err))
        tap_lua_raise(L, &err);
    return 1;
}

/* verify(exchange, claim, secret_key, now): `now` in seconds since 1970. */
static tap_nresults l_verify(lua_State *L)
{
    const struct tap_request *request = tap_exchange_check_request(L, 1);
    const struct tap_sigv4_claim *claim = tap_handle_check(L, 2, &claim_type);
    const char *secret_key = luaL_checkstring(L, 3);
    double now = floor(luaL_checknumber(L, 4));
    luaL_argcheck(L, fabs(now) < 1e15, 4, "seconds since 1970");
    struct tap_error err;
    if (tap_sigv4_verify(request, claim, secret_key, (int64_t)now, &err))
        tap_lua_raise(L, &err);
    return 0;
}

static void close_claim(void *ptr)
{
    struct tap_sigv4_claim *claim = ptr;
    tap_free(claim->arena);
    tap_free(claim);
}

/* The fields of a claim: those of struct tap_sigv4_claim. */
static tap_nresults claim_index(lua_State *L)
{
    const struct tap_sigv4_claim *claim = tap_handle_check(L, 1, &claim_type);
    const char *name = luaL_checkstring(L, 2);
    const struct {
        const char *name, *value;
    } fields[] = {
        {"access_key", claim->access_key},
        {"date", claim->date},
        {"region", claim->region},
        {"service", claim->service},
        {"amz_date", claim->amz_date},
        {"signed_headers", claim->signed_headers},
        {"session_token", claim->session_token},
        {"form", claim->form == TAP_SIGN_QUERY ? "query" : "headers"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(name, fields[i].name) == 0) {
            lua_pushstring(L, fields[i].value);
            return 1;
        }
    }
    return 0;
}

static const struct tap_handle_type claim_type = {"tap.claim", close_claim, NULL};

/* Claims have fields where other handles have methods. */
static void add_claim_fields(lua_State *L)
{
    tap_handle_new(L, &claim_type, 0);
    lua_getmetatable(L, -1);
    lua_pushcfunction(L, claim_index);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 2);
}

int luaopen_tap_core_sigv4(lua_State *L)
{
    static const luaL_Reg functions[] = {{"claim", l_claim}, {"verify", l_verify}, {NULL, NULL}};
    add_claim_fields(L);
    luaL_newlib(L, functions);
    return 1;
}
