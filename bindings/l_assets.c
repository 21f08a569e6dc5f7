/*
 * tap.core.assets: the engine's scripts by name, wherever they are (searcher.h has the order), and
 * the facts of resource types.
 */
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "files.h"
#include "lua_util.h"
#include "modules.h"
#include "searcher.h"
#include "value.h"

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

/* Finds a service's facts of a kind ("cfn-schema", "aws-ec2"); NULL when there are none. */
static const struct tap_asset *find_facts(lua_State *L, const char *folder, const char *service)
{
    return tap_asset_find(&tap_fact_assets, lua_pushfstring(L, "%s/%s", folder, service));
}

static int mark_list(lua_State *L)
{
    tap_list_mark(L, 1);
    return 1;
}

/* fact(folder, service, kind, name) -> an entry of vendor/FOLDER/SERVICE.z, a new table (README.md
 * there has the forms); nil when there is none. */
static int l_fact(lua_State *L)
{
    const char *kind = luaL_checkstring(L, 3), *name = luaL_checkstring(L, 4);
    const struct tap_asset *facts = find_facts(L, luaL_checkstring(L, 1), luaL_checkstring(L, 2));
    const char *index = facts ? (const char *)facts->data : "";
    const char *start = lua_pushfstring(L, "\n%s\t%s\t", kind, name);
    const char *line = strstr(index, start);
    if (!line) {
        lua_pushnil(L);
        return 1;
    }
    line += strlen(start);
    char *rest;
    size_t offset = strtoul(line, &rest, 10), size = strtoul(rest, NULL, 10);
    const char *chunk = index + strlen(index) + 1 + offset;
    if (luaL_loadbufferx(L, chunk, size, "=facts", "b") != LUA_OK)
        return lua_error(L);
    lua_pushcfunction(L, mark_list);
    lua_pushlightuserdata(L, NULL);
    lua_call(L, 2, 1);
    return 1;
}

/* Appends the names of a kind in an index to the list at the top. [-0, +0, m] */
static void add_names(lua_State *L, const char *index, const char *start)
{
    for (const char *line = index; (line = strstr(line, start));) {
        line += strlen(start);
        lua_pushlstring(L, line, strcspn(line, "\t"));
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
}

/* fact_names(folder, kind) -> the names of all entries of a kind, by service and in their order
 * there. */
static int l_fact_names(lua_State *L)
{
    const char *folder = luaL_checkstring(L, 1);
    const char *start = lua_pushfstring(L, "\n%s\t", luaL_checkstring(L, 2));
    lua_newtable(L);
    for (size_t i = 0; i < tap_fact_assets.n; i++) {
        const struct tap_asset *facts = &tap_fact_assets.items[i];
        size_t n = strlen(folder);
        if (strncmp(facts->path, folder, n) == 0 && facts->path[n] == '/')
            add_names(L, (const char *)facts->data, start);
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
        {"list", l_list},       {"read", l_read}, {"find", l_find},
        {"folders", l_folders}, {"fact", l_fact}, {"fact_names", l_fact_names},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
