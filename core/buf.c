/*
 * The capped byte buffer. See buf.h for its contract.
 */
#include "buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

void tap_buf_init(struct tap_buf *buf, size_t limit)
{
    memset(buf, 0, sizeof *buf);
    buf->limit = limit;
}

void tap_buf_fini(struct tap_buf *buf)
{
    size_t limit = buf->limit;
    tap_free(buf->data);
    tap_buf_init(buf, limit);
}

void tap_buf_fini_secret(struct tap_buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->cap);
    tap_buf_fini(buf);
}

void tap_buf_reset(struct tap_buf *buf)
{
    buf->len = 0;
    buf->overflow = false;
    if (buf->data)
        buf->data[0] = '\0';
}

void tap_buf_cut(struct tap_buf *buf, size_t len)
{
    if (len >= buf->len)
        return;
    buf->len = len;
    buf->data[len] = '\0';
}

/* Room for n more bytes and a NUL; false when the cap forbids it. */
static bool reserve(struct tap_buf *buf, size_t n)
{
    if (buf->overflow)
        return false;
    if (n > buf->limit || buf->len > buf->limit - n) {
        tap_buf_fini(buf);
        buf->overflow = true;
        return false;
    }
    size_t wanted = buf->len + n + 1;
    if (wanted <= buf->cap)
        return true;
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < wanted)
        cap += cap / 2 + 64;
    buf->data = tap_realloc(buf->data, cap);
    buf->cap = cap;
    return true;
}

void tap_buf_add(struct tap_buf *buf, const void *bytes, size_t n)
{
    if (!reserve(buf, n))
        return;
    if (n)
        memcpy(buf->data + buf->len, bytes, n);
    buf->len += n;
    buf->data[buf->len] = '\0';
}

void tap_buf_puts(struct tap_buf *buf, const char *text)
{
    tap_buf_add(buf, text, strlen(text));
}

void tap_buf_putc(struct tap_buf *buf, char c)
{
    tap_buf_add(buf, &c, 1);
}

void tap_buf_printf(struct tap_buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(n >= 0);
    if (reserve(buf, (size_t)n)) {
        vsnprintf(buf->data + buf->len, (size_t)n + 1, format, again);
        buf->len += (size_t)n;
    }
    va_end(again);
}

const char *tap_buf_text(const struct tap_buf *buf)
{
    return buf->data ? buf->data : "";
}

char *tap_buf_take(struct tap_buf *buf, size_t *len)
{
    char *data = buf->data ? buf->data : tap_strdup("");
    if (len)
        *len = buf->len;
    tap_buf_init(buf, buf->limit);
    return data;
}
