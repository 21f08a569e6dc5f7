/*
 * A stretch of a file as the body of a message: it is read as it is sent, however large it is, and
 * from its start again for each attempt.
 */
#ifndef TAP_STRETCH_H
#define TAP_STRETCH_H

#include <stdint.h>
#include <sys/types.h>

#include "api.h"
#include "error.h"

TAP_API_BEGIN

struct tap_stretch;

/* Opens `size` bytes of a regular file from `offset` (>= 0) on; -1: all that follow. TAP_E_IO
 * "FileNotFound", "CannotRead" (no regular file, or not ours to read); TAP_E_USAGE "BeyondTheEnd"
 * when the file does not have them. The caller releases *out, which is NULL on failure. */
tap_err tap_stretch_open(struct tap_stretch **out, const char *path, int64_t offset, int64_t size,
                         struct tap_error *err);
/* One more who releases it; returns it. */
struct tap_stretch *tap_stretch_hold(struct tap_stretch *stretch);
/* NULL is ignored. */
void tap_stretch_release(struct tap_stretch *stretch);

/* Its bytes. */
int64_t tap_stretch_size(const struct tap_stretch *stretch);
/* Reads up to n bytes that begin `at` bytes behind its start: how many, 0 at its end. -1 with err
 * (TAP_E_IO "CannotRead", "FileChanged": it has become shorter). */
ssize_t tap_stretch_read(const struct tap_stretch *stretch, int64_t at, void *bytes, size_t n,
                         struct tap_error *err);

TAP_API_END

#endif
