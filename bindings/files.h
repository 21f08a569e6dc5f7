/*
 * Whole files, for the bindings and the module search: read, written, and their folders made.
 * Errors are TAP_E_IO, named by what is wrong (NotFound, PermissionDenied, AlreadyExists, IO), with
 * the path and the system's reason in the message.
 */
#ifndef TAP_FILES_H
#define TAP_FILES_H

#include <sys/types.h>

#include "core/buf.h"
#include "core/error.h"

enum { TAP_MAX_FILE = 512 * 1024 * 1024 }; /* bytes of a file read whole */

/* Initialises *out and fills it; on failure it is empty. The caller frees it (tap_buf_fini). */
tap_err tap_file_read(struct tap_buf *out, const char *path, struct tap_error *err);
/* Creates the file, with `mode` less the umask, or replaces what it held. */
tap_err tap_file_write(const char *path, const char *bytes, size_t n, mode_t mode,
                       struct tap_error *err);
/* Writes all of it to an open descriptor; `name` is for messages. */
tap_err tap_fd_write(int fd, const char *bytes, size_t n, const char *name, struct tap_error *err);
/* A folder and its missing parents; one that is there already is fine. */
tap_err tap_make_folders(const char *path, mode_t mode, struct tap_error *err);
/* Fails with errno as the reason: "cannot read x: No such file or directory". */
tap_err tap_file_fail(struct tap_error *err, const char *verb, const char *path);

#endif
