/*
 * A file that an answer's body becomes. Until all of it is there, and is what was sent, it has a
 * name of its own beside the file that it will replace; what fails leaves nothing behind.
 */
#ifndef TAP_SINK_H
#define TAP_SINK_H

#include <stdint.h>

#include "api.h"
#include "error.h"
#include "stretch.h"

TAP_API_BEGIN

struct tap_sink;

/* Prepares to write `path`. What is there and is no regular file (a pipe, /dev/stdout) is written
 * directly. TAP_E_IO "CannotWrite". The caller frees *out, which is NULL on failure. */
tap_err tap_sink_open(struct tap_sink **out, const char *path, struct tap_error *err);
/* Begins anew, for another attempt. TAP_E_IO "CannotWrite": what is written directly cannot. */
tap_err tap_sink_restart(struct tap_sink *sink, struct tap_error *err);
/* Adds bytes to it. TAP_E_IO "CannotWrite". */
tap_err tap_sink_write(struct tap_sink *sink, const void *bytes, size_t n, struct tap_error *err);
/* Bytes since it began. */
int64_t tap_sink_size(const struct tap_sink *sink);
/* What has been written, to be read again; *out is NULL, and that is no error, when it was written
 * directly. */
tap_err tap_sink_read_back(struct tap_stretch **out, const struct tap_sink *sink,
                           struct tap_error *err);
/* Gives the file its name. Once. */
tap_err tap_sink_commit(struct tap_sink *sink, struct tap_error *err);
/* Removes what has not been committed. NULL is ignored. */
void tap_sink_free(struct tap_sink *sink);

TAP_API_END

#endif
