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

#include "error.h"

enum tap_log_level { TAP_LOG_DEBUG, TAP_LOG_INFO, TAP_LOG_WARN, TAP_LOG_ERROR };

struct tap_log_options {
    const char *path; /* NULL: no file */
    size_t max_size;  /* bytes before it rotates; 0: 5 MiB */
    unsigned keep;    /* rotated files kept (path.1 ...); 0: 5 */
    enum tap_log_level level;
    FILE *stream; /* NULL: none; lines go there too */
};

struct tap_log;

/* The file is created 0600; missing folders are created 0700. */
tap_err tap_log_open(struct tap_log **out, const struct tap_log_options *options,
                     struct tap_error *err);
void tap_log_close(struct tap_log *log);
/* A field on every later line, "run" for instance; NULL value removes it. */
void tap_log_set_field(struct tap_log *log, const char *name, const char *value);
/* `fields` is an object (may be NULL; borrowed). `wall_ms`: the loop's clock. */
void tap_log_write(struct tap_log *log, enum tap_log_level level, int64_t wall_ms,
                   const char *message, const json_t *fields);

/* Secrets are known to the process, not to one log. Shorter than 6 bytes: not registered (they
 * would blank out innocent text). Free: tap_secrets_clear. */
void tap_secret_register(const char *secret);
void tap_secrets_clear(void);
/* `text` with every registered secret (also in its JSON-escaped, percent-encoded and base64 form)
 * replaced by "****". The caller frees it (tap_free). */
char *tap_redact(const char *text);

#endif
