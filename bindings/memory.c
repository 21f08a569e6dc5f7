/*
 * Small blocks out of slabs. See memory.h. Under AddressSanitizer every block is malloc's, so that
 * it sees who writes beyond one.
 */
#include "memory.h"

#include <stdbool.h>
#include <string.h>

#include "core/mem.h"

enum {
    GRAIN = 16,       /* bytes: what any type may need to be aligned to */
    LARGEST = 512,    /* bytes: of a block from a slab */
    SLAB = 64 * 1024, /* bytes */
};

/* A block that is spare, or a slab's head. */
struct block {
    struct block *next;
};

struct tap_memory {
    struct block *spare[LARGEST / GRAIN + 1]; /* by size in grains */
    struct block *slabs;
    char *unused, *end; /* of the newest slab */
};

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
static const size_t largest = 0;
#else
static const size_t largest = LARGEST;
#endif

struct tap_memory *tap_memory_new(void)
{
    return tap_calloc(1, sizeof(struct tap_memory));
}

void tap_memory_free(struct tap_memory *memory)
{
    for (struct block *slab = memory->slabs; slab;) {
        struct block *next = slab->next;
        tap_free(slab);
        slab = next;
    }
    tap_free(memory);
}

static bool is_small(size_t size)
{
    return size > 0 && size <= largest;
}

static size_t grains(size_t size)
{
    return (size + GRAIN - 1) / GRAIN;
}

static void add_slab(struct tap_memory *memory)
{
    struct block *slab = tap_realloc(NULL, SLAB);
    slab->next = memory->slabs;
    memory->slabs = slab;
    memory->unused = (char *)slab + GRAIN;
    memory->end = (char *)slab + SLAB;
}

static void *take(struct tap_memory *memory, size_t size)
{
    if (!is_small(size))
        return tap_realloc(NULL, size);
    size_t n = grains(size);
    struct block *spare = memory->spare[n];
    if (spare) {
        memory->spare[n] = spare->next;
        return spare;
    }
    if ((size_t)(memory->end - memory->unused) < n * GRAIN)
        add_slab(memory);
    char *fresh = memory->unused;
    memory->unused += n * GRAIN;
    return fresh;
}

static void give(struct tap_memory *memory, void *block, size_t size)
{
    if (!is_small(size)) {
        tap_free(block);
        return;
    }
    struct block *spare = block;
    spare->next = memory->spare[grains(size)];
    memory->spare[grains(size)] = spare;
}

void *tap_memory_allocate(void *memory, void *block, size_t old_size, size_t size)
{
    if (!block)
        return size > 0 ? take(memory, size) : NULL; /* old_size is the object's kind */
    if (size > 0 && !is_small(old_size) && !is_small(size))
        return tap_realloc(block, size);
    if (size > 0 && is_small(old_size) && is_small(size) && grains(old_size) == grains(size))
        return block;
    void *moved = NULL;
    if (size > 0) {
        moved = take(memory, size);
        memcpy(moved, block, old_size < size ? old_size : size);
    }
    give(memory, block, old_size);
    return moved;
}
