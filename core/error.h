/*
 * The one error type. A function that can fail returns a tap_err (0, or one of the negative codes
 * below) and fills a struct tap_error that the caller owns. The struct has a fixed size: there is
 * nothing to free, a long text is cut at a character's boundary, and an error can be copied by
 * assignment.
 *
 * Misuse of an interface is an assert, not an error.
 */
#ifndef TAP_ERROR_H
#define TAP_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "api.h"

TAP_API_BEGIN

/* An int that is 0 or one of TAP_E_*. */
typedef int tap_err;

enum {
    TAP_OK = 0,
    TAP_E_USAGE = -1,       /* the caller asked for something that does not exist or does not fit */
    TAP_E_PARSE = -2,       /* text that is not well-formed; file, line and column are set */
    TAP_E_LIMIT = -3,       /* larger, deeper or longer than what is accepted */
    TAP_E_IO = -4,          /* a file or a process */
    TAP_E_NETWORK = -5,     /* no usable HTTP response: refused, reset, DNS, TLS */
    TAP_E_TIMEOUT = -6,     /* a deadline passed */
    TAP_E_CANCELED = -7,    /* the operation was cancelled by its owner */
    TAP_E_SERVICE = -8,     /* an AWS service answered with an error */
    TAP_E_CREDENTIALS = -9, /* none found, or not usable */
    TAP_E_PROTOCOL = -10,   /* an answer that does not fit the service's model */
    TAP_E_UNSUPPORTED = -11, /* known, and not built */
    TAP_E_FAILED = -12       /* what was waited for cannot come about any more */
};

struct tap_error {
    tap_err code;
    char name[96];      /* the machine's name for it: AWS's own code ("ValidationError"), or ours */
    char message[2048]; /* one sentence or more for a person, without secrets */
    char service[64];   /* set when a service call failed */
    char operation[96]; /* likewise */
    char request_id[96];   /* the service's request id, "" when there is none */
    int http_status;       /* 0 when no response arrived */
    bool retryable;        /* set by the retry rules: a later attempt may succeed */
    char file[256];        /* of a parse error; "" otherwise */
    unsigned line, column; /* 1-based; 0 when unknown */
};

/* Sets code, name and message; clears everything else. Returns `code`, so that `return
 * tap_fail(...)` reads well. `err` may be NULL where the caller does not care. */
tap_err tap_fail(struct tap_error *err, tap_err code, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with a place: file (may be NULL), 1-based line and column. */
tap_err tap_fail_at(struct tap_error *err, const char *file, unsigned line, unsigned column,
                    const char *name, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* No error: all fields zero. */
void tap_error_clear(struct tap_error *err);

/* "TAP_E_PARSE" -> "parse": the class of an error as scripts and the log name it. Never NULL. */
const char *tap_error_class(tap_err code);

/* Copies `text` (which may be NULL) into a fixed field of `size` bytes, cut at a UTF-8 boundary. */
void tap_error_copy(char *field, size_t size, const char *text);

TAP_API_END

#endif
