/*
 * An arena is a chain of blocks. See arena.h. What is larger than a block gets one of its own.
 */
#include "arena.h"

#include <stdalign.h>
#include <string.h>

#include "mem.h"

enum {
    SMALLEST = 4 * 1024,   /* bytes of the first block; each has twice as many as the one before */
    LARGEST = 1024 * 1024, /* bytes of a usual block */
    GRAIN = alignof(max_align_t),
};

struct tap_arena_block {
    struct tap_arena_block *next;
    size_t size; /* of bytes */
    alignas(max_align_t) char bytes[];
};

static size_t next_size(const struct tap_arena *arena)
{
    size_t last = arena->blocks ? arena->blocks->size : SMALLEST / 2;
    return last < LARGEST ? last * 2 : LARGEST;
}

static void add_block(struct tap_arena *arena, size_t n)
{
    size_t usual = next_size(arena);
    size_t size = n > usual ? n + GRAIN - n % GRAIN : usual;
    struct tap_arena_block *block = tap_realloc(NULL, sizeof *block + size);
    block->next = arena->blocks;
    block->size = size;
    arena->blocks = block;
    arena->left = size;
}

static char *take(struct tap_arena *arena, size_t n)
{
    if (!arena->blocks || arena->left < n)
        add_block(arena, n);
    char *taken = arena->blocks->bytes + arena->blocks->size - arena->left;
    arena->left -= n;
    return taken;
}

void *tap_arena_take(struct tap_arena *arena, size_t n)
{
    arena->left -= arena->left % GRAIN;
    return take(arena, n);
}

char *tap_arena_text(struct tap_arena *arena, const char *text, size_t n)
{
    char *copy = take(arena, n + 1);
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

void tap_arena_free(struct tap_arena *arena)
{
    for (struct tap_arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        tap_free(block);
    }
    *arena = (struct tap_arena){0};
}
