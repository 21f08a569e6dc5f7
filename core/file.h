/*
 * Small files read whole: configuration, tokens, caches. What is read may be a secret, so callers
 * overwrite it (tap_buf_fini_secret).
 */
#ifndef TAP_FILE_H
#define TAP_FILE_H

#include "buf.h"
#include "error.h"

/* Reads a file into `out`, whose limit is the most that is accepted; `out` is empty on failure.
 * TAP_E_IO "FileNotFound" when there is none, TAP_E_IO "CannotRead" when it cannot be read,
 * TAP_E_LIMIT "FileTooLarge"; each names the path. Never waits: a pipe without a writer is empty.
 */
tap_err tap_file_load(struct tap_buf *out, const char *path, struct tap_error *err);

/* Writes a file that only its owner may read, in one step: others see the old one or the new one.
 * TAP_E_IO "CannotWrite". */
tap_err tap_file_replace(const char *path, const char *text, struct tap_error *err);

/* "~/x" -> "$HOME/x"; other paths as they are. The caller frees it (tap_free). */
char *tap_file_expand(const char *path);

#endif
