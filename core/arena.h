/*
 * Memory for many small things that go together: taken one by one, freed all at once. It does not
 * lie between what is freed earlier, so that this leaves room in one piece.
 */
#ifndef TAP_ARENA_H
#define TAP_ARENA_H

#include <stddef.h>

struct tap_arena_block;

struct tap_arena {
    struct tap_arena_block *blocks; /* the newest first */
    size_t left;                    /* bytes of the newest that are unused */
};

/* n bytes, aligned for any type, not zeroed; they live as long as the arena. */
void *tap_arena_take(struct tap_arena *arena, size_t n);
/* A copy of n bytes of text, and a NUL. */
char *tap_arena_text(struct tap_arena *arena, const char *text, size_t n);
/* Frees all that was taken; the arena is empty then. */
void tap_arena_free(struct tap_arena *arena);

#endif
