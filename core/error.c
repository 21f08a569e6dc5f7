/*
 * Filling struct tap_error. Texts that are too long are cut where a character ends, so that an
 * error can always be printed.
 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Moves `n` back to the start of the UTF-8 sequence that byte n would cut in two. What has no start
 * within a sequence's length is no UTF-8, and cut where it is: else nothing might be left. */
static size_t character_boundary(const char *text, size_t n)
{
    size_t start = n;
    while (start > 0 && n - start < 4 && ((unsigned char)text[start] & 0xC0) == 0x80)
        start--;
    return n - start < 4 ? start : n;
}

void tap_error_copy(char *field, size_t size, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    if (n >= size)
        n = character_boundary(text, size - 1);
    if (n)
        memcpy(field, text, n);
    field[n] = '\0';
}

void tap_error_clear(struct tap_error *err)
{
    if (err)
        memset(err, 0, sizeof *err);
}

static void set_message(struct tap_error *err, const char *format, va_list args)
{
    char text[sizeof err->message + 8];
    vsnprintf(text, sizeof text, format, args);
    tap_error_copy(err->message, sizeof err->message, text);
}

tap_err tap_fail(struct tap_error *err, tap_err code, const char *name, const char *format, ...)
{
    if (!err)
        return code;
    tap_error_clear(err);
    err->code = code;
    tap_error_copy(err->name, sizeof err->name, name);
    va_list args;
    va_start(args, format);
    set_message(err, format, args);
    va_end(args);
    return code;
}

tap_err tap_fail_at(struct tap_error *err, const char *file, unsigned line, unsigned column,
                    const char *name, const char *format, ...)
{
    if (!err)
        return TAP_E_PARSE;
    tap_error_clear(err);
    err->code = TAP_E_PARSE;
    err->line = line;
    err->column = column;
    tap_error_copy(err->file, sizeof err->file, file);
    tap_error_copy(err->name, sizeof err->name, name);
    va_list args;
    va_start(args, format);
    set_message(err, format, args);
    va_end(args);
    return TAP_E_PARSE;
}

const char *tap_error_class(tap_err code)
{
    static const char *const classes[] = {
        [-TAP_OK] = "none",
        [-TAP_E_USAGE] = "usage",
        [-TAP_E_PARSE] = "parse",
        [-TAP_E_LIMIT] = "limit",
        [-TAP_E_IO] = "io",
        [-TAP_E_NETWORK] = "network",
        [-TAP_E_TIMEOUT] = "timeout",
        [-TAP_E_CANCELED] = "canceled",
        [-TAP_E_SERVICE] = "service",
        [-TAP_E_CREDENTIALS] = "credentials",
        [-TAP_E_PROTOCOL] = "protocol",
        [-TAP_E_UNSUPPORTED] = "unsupported",
        [-TAP_E_FAILED] = "failed",
    };
    if (code > 0 || (size_t)-code >= sizeof classes / sizeof *classes)
        return "unknown";
    return classes[-code];
}
