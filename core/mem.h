/*
 * Allocation that does not fail: out of memory ends the process through one handler. Half of all
 * error paths go with it. Sizes that come from outside are refused by explicit limits, never by a
 * failing malloc.
 */
#ifndef TAP_MEM_H
#define TAP_MEM_H

#include <stddef.h>

#include "api.h"

TAP_API_BEGIN

/* Zeroed memory of n bytes (n may be 0). Free with tap_free. */
void *tap_alloc(size_t n);
/* count * size with an overflow check; zeroed. */
void *tap_calloc(size_t count, size_t size);
/* realloc; new bytes are not zeroed. */
void *tap_realloc(void *p, size_t n);
/* NULL gives NULL. */
char *tap_strdup(const char *text);
/* n bytes of text and a NUL. */
char *tap_strndup(const char *text, size_t n);
/* printf into fresh memory. */
char *tap_sprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tap_free(void *p);
/* Overwrites before freeing: for secrets. `text` may be NULL. */
void tap_free_secret(char *text);

/* Grows an array for one more element: doubles `*cap` when n == *cap. */
void *tap_grow(void *items, size_t n, size_t *cap, size_t item_size);

TAP_API_END

#endif
