/*
 * tap.core.assets: the engine's scripts by name, wherever they are (searcher.h has the order), and
 * the schema facts of resource types.
 */
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "files.h"
#include "lua_util.h"
#include "modules.h"
#include "searcher.h"

/* list() -> the names of the embedded scripts, sorted. */
static int l_list(lua_State *L)
{
    lua_createtable(L, (int)tap_script_assets.n, 0);
    for (size_t i = 0; i < tap_script_assets.n; i++) {
        lua_pushstring(L, tap_script_assets.items[i].path);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* read(name) -> the embedded script's text; nil when there is none of that name. */
static int l_read(lua_State *L)
{
    const struct tap_asset *asset = tap_asset_find(&tap_script_assets, luaL_checkstring(L, 1));
    if (asset)
        lua_pushlstring(L, (const char *)asset->data, asset->size);
    else
        lua_pushnil(L);
    return 1;
}

/* Pushes the text of FOLDER/SERVICE.z among the schemas, or nil.  [-0, +1, e] */
static int push_schema(lua_State *L, const char *folder, const char *service)
{
    const char *path = lua_pushfstring(L, "%s/%s.z", folder, service);
    const struct tap_asset *asset = tap_asset_find(&tap_schema_assets, path);
    if (!asset) {
        lua_pushnil(L);
        return 1;
    }
    struct tap_buf text;
    tap_buf_init(&text, TAP_MAX_DOCUMENT);
    tap_asset_inflate(&text, asset);
    tap_lua_push_buf(L, &text);
    return 1;
}

/* schema(service) -> the schema facts of a service's resource types ("aws-ec2"), as text of the
 * form that vendor/README.md describes; nil when there is no such service. */
static int l_schema(lua_State *L)
{
    return push_schema(L, "cfn-schema", luaL_checkstring(L, 1));
}

/* constraints(service) -> what the types' values have to be, in the same way. */
static int l_constraints(lua_State *L)
{
    return push_schema(L, "cfn-constraints", luaL_checkstring(L, 1));
}

/* schemas() -> the names of the services that schema() knows, sorted. */
static int l_schemas(lua_State *L)
{
    static const char before[] = "cfn-schema/", after[] = ".z";
    lua_newtable(L);
    lua_Integer n = 0;
    for (size_t i = 0; i < tap_schema_assets.n; i++) {
        const char *path = tap_schema_assets.items[i].path;
        if (strncmp(path, before, sizeof before - 1) != 0)
            continue;
        const char *name = path + sizeof before - 1;
        lua_pushlstring(L, name, strlen(name) - (sizeof after - 1));
        lua_seti(L, -2, ++n);
    }
    return 1;
}

/* Pushes { path =, origin = }.  [-0, +1, -] */
static void push_place(lua_State *L, const char *path, const char *origin)
{
    lua_createtable(L, 0, 2);
    lua_pushstring(L, path);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, origin);
    lua_setfield(L, -2, "origin");
}

/* folders() -> { { path =, origin = }, ... }: the folders on disk that are searched for workflows,
 * in order. */
static int l_folders(lua_State *L)
{
    struct tap_places places;
    tap_places_init(&places, true);
    lua_createtable(L, (int)places.n, 0);
    for (size_t i = 0; i < places.n; i++) {
        push_place(L, places.items[i].folder, places.items[i].origin);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    tap_places_fini(&places);
    return 1;
}

/* Pushes a list of all that have the name, first hit first: { path =, origin = }, ...
 * [-0, +1, -] */
static void push_hits(lua_State *L, const char *name)
{
    lua_newtable(L);
    lua_Integer n = 0;
    struct tap_places places;
    tap_places_init(&places, !tap_is_library(name));
    for (size_t i = 0; i < places.n; i++) {
        char *path = tap_places_file(&places, i, name);
        if (path) {
            push_place(L, path, places.items[i].origin);
            lua_seti(L, -2, ++n);
        }
        tap_free(path);
    }
    tap_places_fini(&places);
    if (tap_asset_find(&tap_script_assets, name)) {
        push_place(L, name, "embedded");
        lua_seti(L, -2, ++n);
    }
}

/* find(name) -> path, text, origin, shadowed: the script that wins; `path` is nil for an embedded
 * one; `shadowed` lists { path =, origin = } of those that it hides. Nothing when there is none. */
static int l_find(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    push_hits(L, name);
    lua_Integer n = luaL_len(L, 2);
    if (n == 0)
        return 0;
    lua_geti(L, 2, 1);
    for (lua_Integer i = 1; i <= n; i++) { /* the rest moves up; after the last comes nil */
        lua_geti(L, 2, i + 1);
        lua_seti(L, 2, i);
    }
    lua_getfield(L, 3, "path");
    lua_getfield(L, 3, "origin");
    if (strcmp(lua_tostring(L, 5), "embedded") == 0) {
        const struct tap_asset *asset = tap_asset_find(&tap_script_assets, name);
        lua_pushnil(L);
        lua_pushlstring(L, (const char *)asset->data, asset->size);
    } else {
        struct tap_buf text;
        struct tap_error err;
        if (tap_file_read(&text, lua_tostring(L, 4), &err))
            tap_lua_raise(L, &err);
        lua_pushvalue(L, 4);
        tap_lua_push_buf(L, &text);
    }
    lua_pushvalue(L, 5);
    lua_pushvalue(L, 2);
    return 4;
}

int luaopen_tap_core_assets(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"list", l_list},
        {"read", l_read},
        {"find", l_find},
        {"folders", l_folders},
        {"schema", l_schema},
        {"schemas", l_schemas},
        {"constraints", l_constraints},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
