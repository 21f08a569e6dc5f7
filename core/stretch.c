/*
 * Reading bodies from files. See stretch.h.
 */
#include "stretch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

struct tap_stretch {
    size_t holders;
    int fd;
    char *path; /* for messages */
    int64_t offset, size;
};

static tap_err cannot_read(struct tap_error *err, const char *path, const char *why)
{
    return tap_fail(err, TAP_E_IO, "CannotRead", "%s cannot be read: %s", path, why);
}

/* The bytes of the file behind `offset` that are wanted, in *size. */
static tap_err measure(int64_t *size, int fd, const char *path, int64_t offset,
                       struct tap_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return cannot_read(err, path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return cannot_read(err, path, "it is not a regular file");
    if (offset < 0 || offset > st.st_size || (*size >= 0 && *size > st.st_size - offset))
        return tap_fail(err, TAP_E_USAGE, "BeyondTheEnd",
                        "%s has %lld bytes, which ends before "
                        "what is wanted of it",
                        path, (long long)st.st_size);
    if (*size < 0)
        *size = st.st_size - offset;
    return TAP_OK;
}

tap_err tap_stretch_open(struct tap_stretch **out, const char *path, int64_t offset, int64_t size,
                         struct tap_error *err)
{
    *out = NULL;
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a pipe is not waited for */
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return tap_fail(err, TAP_E_IO, "FileNotFound", "there is no file %s", path);
    if (fd < 0)
        return cannot_read(err, path, strerror(errno));
    tap_err code = measure(&size, fd, path, offset, err);
    if (code) {
        close(fd);
        return code;
    }
    struct tap_stretch *stretch = tap_alloc(sizeof *stretch);
    *stretch = (struct tap_stretch){
        .holders = 1, .fd = fd, .path = tap_strdup(path), .offset = offset, .size = size};
    *out = stretch;
    return TAP_OK;
}

struct tap_stretch *tap_stretch_hold(struct tap_stretch *stretch)
{
    stretch->holders++;
    return stretch;
}

void tap_stretch_release(struct tap_stretch *stretch)
{
    if (!stretch || --stretch->holders > 0)
        return;
    close(stretch->fd);
    tap_free(stretch->path);
    tap_free(stretch);
}

int64_t tap_stretch_size(const struct tap_stretch *stretch)
{
    return stretch->size;
}

ssize_t tap_stretch_read(const struct tap_stretch *stretch, int64_t at, void *bytes, size_t n,
                         struct tap_error *err)
{
    int64_t left = stretch->size - at;
    ssize_t got = 0;
    if (left <= 0)
        return 0;
    if ((int64_t)n > left)
        n = (size_t)left;
    do
        got = pread(stretch->fd, bytes, n, (off_t)(stretch->offset + at));
    while (got < 0 && errno == EINTR);
    if (got < 0)
        cannot_read(err, stretch->path, strerror(errno));
    if (got == 0)
        tap_fail(err, TAP_E_IO, "FileChanged", "%s has become shorter while it was sent",
                 stretch->path);
    return got > 0 ? got : -1;
}
