/*
 * Whole files. See files.h.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"

tap_err tap_file_fail(struct tap_error *err, const char *verb, const char *path)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{ENOENT, "NotFound"},         {ENOTDIR, "NotFound"},
                 {EACCES, "PermissionDenied"}, {EPERM, "PermissionDenied"},
                 {EROFS, "PermissionDenied"},  {EEXIST, "AlreadyExists"}};
    int number = errno;
    const char *name = "IO";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            name = names[i].name;
    return tap_fail(err, TAP_E_IO, name, "cannot %s %s: %s", verb, path, strerror(number));
}

tap_err tap_file_read(struct tap_buf *out, const char *path, struct tap_error *err)
{
    tap_buf_init(out, TAP_MAX_FILE);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tap_file_fail(err, "read", path);
    char chunk[16 * 1024];
    ssize_t n = 0;
    while (!out->overflow && (n = read(fd, chunk, sizeof chunk)) > 0)
        tap_buf_add(out, chunk, (size_t)n);
    tap_err rc = TAP_OK;
    if (n < 0)
        rc = tap_file_fail(err, "read", path);
    else if (out->overflow)
        rc = tap_fail(err, TAP_E_LIMIT, "TooLarge", "%s has more than %d MiB", path,
                      TAP_MAX_FILE >> 20);
    close(fd);
    if (rc)
        tap_buf_fini(out);
    return rc;
}

tap_err tap_fd_write(int fd, const char *bytes, size_t n, const char *name, struct tap_error *err)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);
        if (written < 0 && errno == EAGAIN) { /* a terminal that somebody made non-blocking */
            struct pollfd ready = {.fd = fd, .events = POLLOUT};
            poll(&ready, 1, -1);
        } else if (written < 0 && errno != EINTR) {
            return tap_file_fail(err, "write to", name);
        } else if (written > 0) {
            bytes += written;
            n -= (size_t)written;
        }
    }
    return TAP_OK;
}

tap_err tap_file_write(const char *path, const char *bytes, size_t n, mode_t mode,
                       struct tap_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return tap_file_fail(err, "write", path);
    tap_err rc = tap_fd_write(fd, bytes, n, path, err);
    if (close(fd) != 0 && !rc) /* a full network disk says so only here */
        rc = tap_file_fail(err, "write", path);
    return rc;
}

static tap_err make_folder(const char *path, mode_t mode, struct tap_error *err)
{
    struct stat st;
    if (mkdir(path, mode) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return TAP_OK;
    return tap_file_fail(err, "create folder", path);
}

tap_err tap_make_folders(const char *path, mode_t mode, struct tap_error *err)
{
    char *copy = tap_strdup(path);
    tap_err rc = TAP_OK;
    for (char *slash = strchr(copy + (*copy == '/'), '/'); slash && !rc;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        rc = make_folder(copy, mode, err);
        *slash = '/';
    }
    if (!rc)
        rc = make_folder(copy, mode, err);
    tap_free(copy);
    return rc;
}
