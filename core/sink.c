/*
 * Writing bodies to files. See sink.h.
 */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "mem.h"

struct tap_sink {
    int fd;
    char *wanted;    /* the file, links followed */
    char *under_way; /* what it is called so far; NULL: written directly, or committed */
    bool direct;
    int64_t size;
};

static tap_err cannot_write(struct tap_error *err, const char *path, int why)
{
    return tap_fail(err, TAP_E_IO, "CannotWrite", "%s cannot be written: %s", path, strerror(why));
}

/* Where a link leads to when something is there: the link stays. The caller frees it. */
static char *follow_links(const char *path)
{
    char *real = realpath(path, NULL);
    char *followed = tap_strdup(real ? real : path);
    free(real); /* libc's memory, not ours */
    return followed;
}

/* Opens what is there and is no regular file; -1 with errno. */
static int open_directly(struct tap_sink *sink, const char *path)
{
    sink->direct = true;
    sink->wanted = tap_strdup(path);
    return open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY); /* of a folder: EISDIR */
}

static int open_beside(struct tap_sink *sink, const char *path)
{
    char id[TAP_UUID_SIZE];
    tap_uuid(id);
    sink->wanted = follow_links(path);
    sink->under_way = tap_sprintf("%s.%.8s.part", sink->wanted, id);
    return open(sink->under_way, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

tap_err tap_sink_open(struct tap_sink **out, const char *path, struct tap_error *err)
{
    struct tap_sink *sink = tap_alloc(sizeof *sink);
    struct stat st;
    bool special = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    *out = NULL;
    sink->fd = special ? open_directly(sink, path) : open_beside(sink, path);
    if (sink->fd < 0) {
        tap_err code = cannot_write(err, path, errno);
        tap_free(sink->wanted);
        tap_free(sink->under_way);
        tap_free(sink);
        return code;
    }
    *out = sink;
    return TAP_OK;
}

tap_err tap_sink_restart(struct tap_sink *sink, struct tap_error *err)
{
    if (sink->size == 0)
        return TAP_OK;
    if (sink->direct)
        return tap_fail(err, TAP_E_IO, "CannotWrite", "%s cannot be written from its start again",
                        sink->wanted);
    if (ftruncate(sink->fd, 0) != 0 || lseek(sink->fd, 0, SEEK_SET) != 0)
        return cannot_write(err, sink->wanted, errno);
    sink->size = 0;
    return TAP_OK;
}

tap_err tap_sink_write(struct tap_sink *sink, const void *bytes, size_t n, struct tap_error *err)
{
    for (const char *at = bytes; n > 0;) {
        ssize_t written = write(sink->fd, at, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return cannot_write(err, sink->wanted, errno);
        at += written;
        n -= (size_t)written;
        sink->size += written;
    }
    return TAP_OK;
}

int64_t tap_sink_size(const struct tap_sink *sink)
{
    return sink->size;
}

tap_err tap_sink_read_back(struct tap_stretch **out, const struct tap_sink *sink,
                           struct tap_error *err)
{
    *out = NULL;
    return sink->direct ? TAP_OK : tap_stretch_open(out, sink->under_way, 0, -1, err);
}

tap_err tap_sink_commit(struct tap_sink *sink, struct tap_error *err)
{
    if (!sink->under_way)
        return TAP_OK;
    if (rename(sink->under_way, sink->wanted) != 0)
        return cannot_write(err, sink->wanted, errno);
    tap_free(sink->under_way);
    sink->under_way = NULL;
    return TAP_OK;
}

void tap_sink_free(struct tap_sink *sink)
{
    if (!sink)
        return;
    close(sink->fd);
    if (sink->under_way)
        unlink(sink->under_way);
    tap_free(sink->under_way);
    tap_free(sink->wanted);
    tap_free(sink);
}
