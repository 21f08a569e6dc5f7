/*
 * Looking up a file that is part of the program. See assets.h.
 */
#include "assets.h"

#include <stdlib.h>
#include <string.h>

static int by_path(const void *path, const void *item)
{
    const struct tap_asset *asset = item;
    return strcmp(path, asset->path);
}

const struct tap_asset *tap_asset_find(const struct tap_asset_table *table, const char *path)
{
    return bsearch(path, table->items, table->n, sizeof *table->items, by_path);
}
