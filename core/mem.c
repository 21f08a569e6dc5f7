/*
 * Allocation that ends the process when there is no memory. See mem.h.
 */
#include "mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(void)
{
    static const char text[] = "tapengine: out of memory\n";
    fwrite(text, 1, sizeof text - 1, stderr);
    abort();
}

void *tap_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *tap_calloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *tap_realloc(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);
    if (!q)
        out_of_memory();
    return q;
}

char *tap_strndup(const char *text, size_t n)
{
    char *copy = tap_alloc(n + 1);
    if (n)
        memcpy(copy, text, n);
    return copy;
}

char *tap_strdup(const char *text)
{
    return text ? tap_strndup(text, strlen(text)) : NULL;
}

char *tap_sprintf(const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = tap_alloc((size_t)(n < 0 ? 0 : n) + 1);
    if (n > 0)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

void tap_free(void *p)
{
    free(p);
}

void tap_free_secret(char *text)
{
    if (!text)
        return;
    explicit_bzero(text, strlen(text)); /* memset before free would be optimised away */
    free(text);
}

void *tap_grow(void *items, size_t n, size_t *cap, size_t item_size)
{
    if (n < *cap)
        return items;
    size_t wanted = *cap ? *cap * 2 : 8;
    if (wanted > SIZE_MAX / item_size)
        out_of_memory();
    *cap = wanted;
    return tap_realloc(items, wanted * item_size);
}
