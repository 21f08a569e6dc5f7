/*
 * A growing byte buffer with a mandatory cap. Always NUL-terminated. A buffer that would pass its
 * cap becomes `overflow` and empty, and swallows further appends: callers append freely and test
 * once at the end.
 */
#ifndef TAP_BUF_H
#define TAP_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "api.h"

TAP_API_BEGIN

struct tap_buf {
    char *data; /* NULL until the first append; then NUL-terminated */
    size_t len;
    size_t cap;   /* allocated */
    size_t limit; /* most bytes it may hold */
    bool overflow;
};

/* An empty buffer for at most `limit` bytes; nothing is allocated yet. */
void tap_buf_init(struct tap_buf *buf, size_t limit);
/* Frees the memory; the buffer is as after init. */
void tap_buf_fini(struct tap_buf *buf);
/* Empties it and keeps the memory. */
void tap_buf_reset(struct tap_buf *buf);
/* Like fini, after overwriting what it held. */
void tap_buf_fini_secret(struct tap_buf *buf);

/* Shortens it to its first `len` bytes; longer than it is: nothing happens. */
void tap_buf_cut(struct tap_buf *buf, size_t len);

/* Append n bytes, a NUL-terminated text, one character, a formatted text. */
void tap_buf_add(struct tap_buf *buf, const void *bytes, size_t n);
void tap_buf_puts(struct tap_buf *buf, const char *text);
void tap_buf_putc(struct tap_buf *buf, char c);
void tap_buf_printf(struct tap_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The text, never NULL ("" when empty); borrowed until the next change. */
const char *tap_buf_text(const struct tap_buf *buf);
/* The caller owns the returned text (tap_free); the buffer is empty afterwards. */
char *tap_buf_take(struct tap_buf *buf, size_t *len);

TAP_API_END

#endif
