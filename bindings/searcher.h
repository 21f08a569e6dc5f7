/*
 * Where the engine's own scripts are found. The first hit wins:
 *
 *   team      ./tap/                      workflows only, never the library (tap/..., sandbox/...)
 *   path      the folders of $TAP_PATH
 *   tree      scripts/ of the repository, for a binary that runs where it was built
 *   share     PREFIX/share/tapengine of PREFIX/bin/tapengine, for one that does not
 *   embedded  the copies in the binary
 *
 * Names are paths below those folders: "create.lua", "tap/stack.lua".
 */
#ifndef TAP_SEARCHER_H
#define TAP_SEARCHER_H

#include <lua.h>

#include "core/assets.h"
#include "core/buf.h"

extern const struct tap_asset_table tap_script_assets;
/* The same, compiled (vendor/mkchunks.c). */
extern const struct tap_asset_table tap_chunk_assets;
/* Facts of resource types, compiled (vendor/mkfacts.c): "cfn-schema/aws-ec2". */
extern const struct tap_asset_table tap_fact_assets;

enum { TAP_MAX_PLACES = 32 };

/* The folders that are there, in order. */
struct tap_places {
    struct {
        char *folder;
        const char *origin; /* "team", "path", "tree", "share" */
    } items[TAP_MAX_PLACES];
    size_t n;
};

/* `team`: with ./tap. Free with tap_places_fini. */
void tap_places_init(struct tap_places *places, bool team);
void tap_places_fini(struct tap_places *places);
/* The place's file of that name when it can be read, else NULL; the caller frees it. */
char *tap_places_file(const struct tap_places *places, size_t index, const char *name);
/* Does the name belong to the library rather than to a workflow? */
bool tap_is_library(const char *name);

/* The path of the running program; the caller frees it. NULL when the system does not tell. */
char *tap_executable(void);

/* Adds the searcher for `tap`, `tap.*`, `sandbox` and `sandbox.*` to package.searchers, before the
 * one that follows package.path, and the C modules to package.preload.  [-0, +0, e] */
void tap_searcher_open(lua_State *L);

#endif
