/*
 * Reading small files. See file.h.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

/* errno, or 0. */
static int read_all(struct tap_buf *out, int fd)
{
    char bytes[8192];
    int why = 0;
    while (!out->overflow) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n > 0)
            tap_buf_add(out, bytes, (size_t)n);
        else if (n == 0 || errno != EINTR) {
            why = n == 0 ? 0 : errno;
            break;
        }
    }
    explicit_bzero(bytes, sizeof bytes);
    return why;
}

tap_err tap_file_load(struct tap_buf *out, const char *path, struct tap_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return tap_fail(err, TAP_E_IO, "FileNotFound", "there is no file %s", path);
    int why = fd < 0 ? errno : read_all(out, fd);
    if (fd >= 0)
        close(fd);
    if (why) {
        tap_buf_reset(out);
        return tap_fail(err, TAP_E_IO, "CannotRead", "%s cannot be read: %s", path, strerror(why));
    }
    if (out->overflow)
        return tap_fail(err, TAP_E_LIMIT, "FileTooLarge", "%s has more than %zu bytes", path,
                        out->limit);
    return TAP_OK;
}

static bool write_all(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t written = write(fd, text, n);
        if (written < 0 && errno != EINTR)
            return false;
        text += written > 0 ? written : 0;
        n -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

tap_err tap_file_replace(const char *path, const char *text, struct tap_error *err)
{
    char *fresh = tap_sprintf("%s.XXXXXX", path);
    int fd = mkostemp(fresh, O_CLOEXEC); /* 0600 */
    bool is_written = fd >= 0 && write_all(fd, text, strlen(text)) && fsync(fd) == 0;
    is_written = is_written && rename(fresh, path) == 0;
    int why = is_written ? 0 : errno;
    if (fd >= 0) {
        close(fd);
        if (why)
            unlink(fresh);
    }
    tap_free(fresh);
    return why ? tap_fail(err, TAP_E_IO, "CannotWrite", "%s cannot be written: %s", path,
                          strerror(why))
               : TAP_OK;
}

char *tap_file_expand(const char *path)
{
    const char *home = getenv("HOME");
    if (path[0] == '~' && (path[1] == '/' || !path[1]) && home && *home)
        return tap_sprintf("%s%s", home, path + 1);
    return tap_strdup(path);
}
