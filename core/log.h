/*
 * The structured log: one JSON object a line, with time, level, message, run id and whatever fields
 * the caller adds (operation id, request id, ...); to a rotating file and, on demand, to a stream.
 * Every known secret is replaced before a line is written: redaction is a property of the log, not
 * a habit of its callers.
 */
#ifndef TAP_LOG_H
#define TAP_LOG_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "api.h"
#include "error.h"
#include "secret.h"

TAP_API_BEGIN

enum tap_log_level { TAP_LOG_DEBUG, TAP_LOG_INFO, TAP_LOG_WARN, TAP_LOG_ERROR };

struct tap_log_options {
    const char *path; /* NULL: no file */
    size_t max_size;  /* bytes before it rotates; 0: 5 MiB */
    unsigned keep;    /* rotated files kept (path.1 ...); 0: 5 */
    enum tap_log_level level;
    FILE *stream; /* NULL: none; lines go there too */
};

struct tap_log;

/* The file is created 0600; missing folders are created 0700. Several processes may write to one
 * file: each line arrives whole. TAP_E_IO when the file cannot be opened. */
tap_err tap_log_open(struct tap_log **out, const struct tap_log_options *options,
                     struct tap_error *err);
/* Says so on the stream (without one: on standard error) when lines were lost. NULL is ignored. */
void tap_log_close(struct tap_log *log);
/* A field on every later line, "run" for instance; NULL value removes it. */
void tap_log_set_field(struct tap_log *log, const char *name, const char *value);
/* `fields` is an object (may be NULL; borrowed); time, level, message and the log's own fields win
 * over its entries of the same name. `wall_ms`: the loop's clock. Never fails: a line that cannot
 * be written is counted, and the run goes on. `log` may be NULL. */
void tap_log_write(struct tap_log *log, enum tap_log_level level, int64_t wall_ms,
                   const char *message, const json_t *fields);
/* Lines that could not be written to the file so far. */
size_t tap_log_lost(const struct tap_log *log);

TAP_API_END

#endif
