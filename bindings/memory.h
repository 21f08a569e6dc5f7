/*
 * The memory of Lua's objects. Most are small and short-lived, and Lua says how large a block is
 * when it gives it back: so small blocks come from slabs, and go back to a list of their size. That
 * makes a command that ends at once a tenth faster than malloc does, and a longer one no larger.
 */
#ifndef TAP_BINDINGS_MEMORY_H
#define TAP_BINDINGS_MEMORY_H

#include <stddef.h>

struct tap_memory;

struct tap_memory *tap_memory_new(void);
/* After lua_close: gives all slabs back. */
void tap_memory_free(struct tap_memory *memory);
/* A lua_Alloc over a struct tap_memory. What is asked for is there, or the process ends (mem.h). */
void *tap_memory_allocate(void *memory, void *block, size_t old_size, size_t size);

#endif
