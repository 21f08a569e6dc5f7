/*
 * Looking up a file that is part of the program, and reading it. See assets.h.
 */
#include "assets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static int by_path(const void *path, const void *item)
{
    const struct tap_asset *asset = item;
    return strcmp(path, asset->path);
}

const struct tap_asset *tap_asset_find(const struct tap_asset_table *table, const char *path)
{
    return bsearch(path, table->items, table->n, sizeof *table->items, by_path);
}

void tap_asset_inflate(struct tap_buf *text, const struct tap_asset *asset)
{
    unsigned char chunk[32 * 1024];
    z_stream stream = {.next_in = (z_const Bytef *)asset->data, .avail_in = (uInt)asset->size};
    int state = inflateInit(&stream);
    while (state == Z_OK) {
        stream.next_out = chunk;
        stream.avail_out = sizeof chunk;
        state = inflate(&stream, Z_NO_FLUSH);
        tap_buf_add(text, chunk, sizeof chunk - stream.avail_out);
    }
    inflateEnd(&stream);
    assert(state == Z_STREAM_END && !text->overflow); /* it is a part of this program */
}
