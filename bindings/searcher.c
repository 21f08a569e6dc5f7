/*
 * The module search: `require "tap.stack"` by searcher.h's order, so that files on disk win over
 * the copies in the binary and a developer's edit counts at once.
 */
#include "searcher.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "files.h"
#include "lua_util.h"
#include "modules.h"

char *tap_executable(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    return n > 0 ? tap_strndup(path, (size_t)n) : NULL;
}

/* ---- places ---- */

/* Takes `folder`. */
static void add_place(struct tap_places *places, char *folder, const char *origin)
{
    struct stat st;
    if (places->n == TAP_MAX_PLACES || stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        tap_free(folder);
        return;
    }
    places->items[places->n].folder = folder;
    places->items[places->n].origin = origin;
    places->n++;
}

static void add_path(struct tap_places *places, const char *list)
{
    while (list && *list) {
        size_t n = strcspn(list, ":");
        if (n > 0)
            add_place(places, tap_strndup(list, n), "path");
        list += n + (list[n] == ':');
    }
}

/* Cuts the last component off; false when there is none. */
static bool parent_folder(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return false;
    *slash = '\0';
    return true;
}

/* A build puts the binary one or two folders below the repository (build/, build/release/). */
static bool add_tree(struct tap_places *places, const char *bin)
{
    char *folder = tap_strdup(bin);
    bool found = false;
    for (int up = 0; up < 2 && !found && parent_folder(folder); up++) {
        char *scripts = tap_sprintf("%s/scripts", folder);
        char *proof = tap_sprintf("%s/tap/init.lua", scripts);
        found = access(proof, R_OK) == 0;
        tap_free(proof);
        if (found)
            add_place(places, scripts, "tree");
        else
            tap_free(scripts);
    }
    tap_free(folder);
    return found;
}

void tap_places_init(struct tap_places *places, bool team)
{
    places->n = 0;
    if (team)
        add_place(places, tap_strdup("./tap"), "team");
    add_path(places, getenv("TAP_PATH"));
    char *bin = tap_executable();
    if (bin && parent_folder(bin) && !add_tree(places, bin) && parent_folder(bin))
        add_place(places, tap_sprintf("%s/share/tapengine", bin), "share");
    tap_free(bin);
}

void tap_places_fini(struct tap_places *places)
{
    for (size_t i = 0; i < places->n; i++)
        tap_free(places->items[i].folder);
    places->n = 0;
}

char *tap_places_file(const struct tap_places *places, size_t index, const char *name)
{
    char *path = tap_sprintf("%s/%s", places->items[index].folder, name);
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, R_OK) == 0)
        return path;
    tap_free(path);
    return NULL;
}

bool tap_is_library(const char *name)
{
    static const char *const folders[] = {"tap/", "sandbox/", "lint/"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (strncmp(name, folders[i], strlen(folders[i])) == 0)
            return true;
    return false;
}

/* ---- require ---- */

/* What the build compiled of the same text, or NULL: a file on disk may have been edited since. */
static const struct tap_asset *compiled(const char *name, const char *text, size_t n)
{
    const struct tap_asset *source = tap_asset_find(&tap_script_assets, name);
    const char *own =
        source ? (const char *)source->data : NULL; /* not read when it is `text` itself */
    bool same = own && source->size == n && (own == text || memcmp(own, text, n) == 0);
    return same ? tap_asset_find(&tap_chunk_assets, name) : NULL;
}

struct wanted {
    const char *module; /* tap.stack */
    const char *name;   /* tap/stack.lua */
};

/* Loads a chunk and pushes it with its path, as a searcher answers; raises when it is broken.
 * [-0, +2, e] */
static int push_loader(lua_State *L, struct wanted wanted, const char *path, const char *text,
                       size_t n)
{
    const struct tap_asset *chunk = compiled(wanted.name, text, n);
    const char *bytes = chunk ? (const char *)chunk->data : text;
    const char *label = lua_pushfstring(L, "@%s", path);
    if (luaL_loadbufferx(L, bytes, chunk ? chunk->size : n, label, chunk ? "b" : "t") != LUA_OK)
        return luaL_error(L, "error loading module '%s':\n\t%s", wanted.module,
                          lua_tostring(L, -1));
    lua_pushstring(L, path);
    return 2;
}

/* Pushes the path and the text of the first file of that name among the places; false, with nothing
 * pushed, when none can be read. [-0, +2, e] */
static bool push_file(lua_State *L, const struct tap_places *places, const char *name)
{
    for (size_t i = 0; i < places->n; i++) {
        struct tap_buf text;
        struct tap_error err;
        const char *path = lua_pushfstring(L, "%s/%s", places->items[i].folder, name);
        if (!tap_file_read(&text, path, &err)) {
            tap_lua_push_buf(L, &text);
            return true;
        }
        lua_pop(L, 1);
    }
    return false;
}

/* Pushes the loader of the first file or asset of that name; 0 when there is none. */
static int load_first(lua_State *L, struct wanted wanted)
{
    const struct tap_places *places = lua_touserdata(L, lua_upvalueindex(1));
    if (push_file(L, places, wanted.name)) {
        size_t n;
        const char *text = lua_tolstring(L, -1, &n);
        return push_loader(L, wanted, lua_tostring(L, -2), text, n);
    }
    const struct tap_asset *asset = tap_asset_find(&tap_script_assets, wanted.name);
    if (!asset)
        return 0;
    return push_loader(L, wanted, lua_pushfstring(L, "embedded:%s", wanted.name),
                       (const char *)asset->data, asset->size);
}

static int search(lua_State *L)
{
    const char *module = luaL_checkstring(L, 1);
    const char *stem = luaL_gsub(L, module, ".", "/");
    const char *file = lua_pushfstring(L, "%s.lua", stem);
    const char *folder = lua_pushfstring(L, "%s/init.lua", stem);
    if (!tap_is_library(folder))
        return 0;
    int n = load_first(L, (struct wanted){module, file});
    if (n == 0)
        n = load_first(L, (struct wanted){module, folder});
    if (n == 0) {
        lua_pushfstring(L, "no file '%s' among the engine's scripts", file);
        n = 1;
    }
    return n;
}

static int free_places(lua_State *L)
{
    tap_places_fini(lua_touserdata(L, 1));
    return 0;
}

/* Pushes the places of the library: looked for once, not for every module. [-0, +1, m] */
static void push_places(lua_State *L)
{
    struct tap_places *places = lua_newuserdatauv(L, sizeof *places, 0);
    tap_places_init(places, false);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, free_places);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
}

void tap_searcher_open(lua_State *L)
{
#define MODULE(name) {"tap.core." #name, luaopen_tap_core_##name},
    static const luaL_Reg modules[] = {TAP_MODULES(MODULE){NULL, NULL}};
#undef MODULE
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    luaL_setfuncs(L, modules, 0);
    lua_pop(L, 1);
    lua_getfield(L, -1, "searchers");
    for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) { /* room after package.preload's */
        lua_geti(L, -1, i);
        lua_seti(L, -2, i + 1);
    }
    push_places(L);
    lua_pushcclosure(L, search, 1);
    lua_seti(L, -2, 2);
    lua_pop(L, 2);
}
