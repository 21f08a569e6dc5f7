/*
 * The structured log. One line is one write(2) to a descriptor opened with O_APPEND, so lines of
 * several processes never mix. Before each line the path is looked at again: when another process
 * (or logrotate) has moved the file away, this one follows. Rotation itself is done under a lock on
 * the folder, which needs no lock file and is never waited for: who does not get it writes on and
 * tries at its next line.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "mem.h"
#include "timestamp.h"

enum { DEFAULT_MAX_SIZE = 5 * 1024 * 1024, DEFAULT_KEEP = 5 };

struct tap_log {
    struct tap_log_options options; /* defaults filled in; path is owned */
    char *path;                     /* NULL: no file */
    char *folder;
    int fd;
    json_t *fields; /* on every line */
    bool torn;      /* the last write ended inside a line */
    size_t lost;
    int lost_errno; /* of the first line lost */
};

/* ---- the file ---- */

/* "a/b/c.log" -> "a/b"; "c.log" -> "."; "/c.log" -> "/" */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return tap_strdup(".");
    return tap_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* mkdir -p, 0700. False with errno. */
static bool make_folders(const char *folder)
{
    char *path = tap_strdup(folder);
    bool ok = true;
    for (char *at = path + 1; ok && at[-1]; at++) {
        char end = *at;
        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        ok = mkdir(path, 0700) == 0 || errno == EEXIST;
        *at = end;
    }
    tap_free(path);
    return ok;
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The descriptor is that of the file at `path` again. Keeps the old one when there is no new one:
 * a line in a rotated file is better than none. */
static void follow(struct tap_log *log)
{
    struct stat there, here;
    if (log->fd >= 0 && stat(log->path, &there) == 0 && fstat(log->fd, &here) == 0 &&
        same_file(&there, &here))
        return;
    int fd = open_file(log->path);
    if (fd < 0)
        return;
    if (log->fd >= 0)
        close(log->fd);
    log->fd = fd;
}

/* path.4; path itself for 0. The caller frees it. */
static char *rotated_name(const struct tap_log *log, unsigned i)
{
    return i ? tap_sprintf("%s.%u", log->path, i) : tap_strdup(log->path);
}

static bool is_there(const struct tap_log *log, unsigned i)
{
    char *name = rotated_name(log, i);
    bool there = access(name, F_OK) == 0;
    tap_free(name);
    return there;
}

/* path.4 -> path.5, ..., path -> path.1, from the first gap on; without one the oldest is
 * overwritten. */
static void shift(const struct tap_log *log)
{
    unsigned free_place = 1;
    while (free_place < log->options.keep && is_there(log, free_place))
        free_place++;
    for (unsigned i = free_place; i > 0; i--) {
        char *newer = rotated_name(log, i - 1), *older = rotated_name(log, i);
        rename(newer, older); /* what cannot be moved is written on: see follow */
        tap_free(newer);
        tap_free(older);
    }
}

static bool is_full(const struct tap_log *log, size_t line)
{
    struct stat here;
    return fstat(log->fd, &here) == 0 && S_ISREG(here.st_mode) && here.st_size > 0 &&
           (size_t)here.st_size + line > log->options.max_size;
}

static void rotate_if_full(struct tap_log *log, size_t line)
{
    if (!is_full(log, line))
        return;
    int folder = open(log->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return;
    if (flock(folder, LOCK_EX | LOCK_NB) == 0) {
        follow(log); /* another process may have rotated just now */
        if (is_full(log, line)) {
            shift(log);
            follow(log);
        }
    }
    close(folder); /* unlocks */
}

static void write_file(struct tap_log *log, const char *line, size_t len)
{
    follow(log);
    if (log->fd >= 0)
        rotate_if_full(log, len);
    const char *bytes = log->torn ? line : line + 1; /* see tap_log_write */
    size_t n = log->torn ? len : len - 1;
    ssize_t written = log->fd < 0 ? -1 : write(log->fd, bytes, n);
    if (written == (ssize_t)n) {
        log->torn = false;
        return;
    }
    if (log->lost++ == 0)
        log->lost_errno = written < 0 ? errno : ENOSPC;
    if (written > 0)
        log->torn = true;
}

/* ---- the interface ---- */

static tap_err open_failed(struct tap_log *log, struct tap_error *err, const char *what)
{
    int why = errno;
    tap_err code = tap_fail(err, TAP_E_IO, "LogFile", "cannot %s log file %s: %s", what, log->path,
                            strerror(why));
    tap_log_close(log);
    return code;
}

tap_err tap_log_open(struct tap_log **out, const struct tap_log_options *options,
                     struct tap_error *err)
{
    struct tap_log *log = tap_alloc(sizeof *log);
    log->options = *options;
    log->options.path = NULL;
    if (!log->options.max_size)
        log->options.max_size = DEFAULT_MAX_SIZE;
    if (!log->options.keep)
        log->options.keep = DEFAULT_KEEP;
    log->fields = json_object();
    log->fd = -1;
    *out = NULL;
    if (options->path) {
        log->path = tap_strdup(options->path);
        log->folder = folder_of(log->path);
        if (!make_folders(log->folder))
            return open_failed(log, err, "create the folder of");
        log->fd = open_file(log->path);
        if (log->fd < 0)
            return open_failed(log, err, "open");
    }
    *out = log;
    return TAP_OK;
}

void tap_log_close(struct tap_log *log)
{
    if (!log)
        return;
    if (log->lost)
        fprintf(log->options.stream ? log->options.stream : stderr,
                "tapengine: %zu log lines could not be written to %s: %s\n", log->lost, log->path,
                strerror(log->lost_errno));
    if (log->fd >= 0)
        close(log->fd);
    json_decref(log->fields);
    tap_free(log->path);
    tap_free(log->folder);
    tap_free(log);
}

/* Bytes that are no UTF-8 must not cost the line: they become question marks. */
static json_t *text_value(const char *text)
{
    json_t *value = json_string(text);
    if (value)
        return value;
    char *ascii = tap_strdup(text);
    for (char *c = ascii; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    value = json_string(ascii);
    tap_free(ascii);
    return value;
}

void tap_log_set_field(struct tap_log *log, const char *name, const char *value)
{
    if (value)
        json_object_set_new(log->fields, name, text_value(value));
    else
        json_object_del(log->fields, name);
}

void tap_log_write(struct tap_log *log, enum tap_log_level level, int64_t wall_ms,
                   const char *message, const json_t *fields)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    if (!log || level < log->options.level)
        return;
    char time[TAP_TIME_SIZE];
    tap_time_iso(time, (double)wall_ms / 1000, true);
    json_t *entry = json_object();
    json_object_set_new(entry, "time", json_string(time));
    json_object_set_new(entry, "level", json_string(levels[level]));
    json_object_set_new(entry, "message", text_value(message));
    json_object_update_missing(entry, log->fields);
    if (fields)
        json_object_update_missing(entry, (json_t *)fields); /* jansson's: it only reads it */
    json_t *shown = tap_redact_json(entry);
    char *text = tap_json_print(shown);
    /* The newline in front ends a line that an earlier write left torn; skipped otherwise. */
    char *line = tap_sprintf("\n%s\n", text);
    size_t len = strlen(line);
    if (log->path)
        write_file(log, line, len);
    if (log->options.stream) {
        fwrite(line + 1, 1, len - 1, log->options.stream);
        fflush(log->options.stream);
    }
    tap_free(line);
    tap_free(text);
    json_decref(shown);
    json_decref(entry);
}

size_t tap_log_lost(const struct tap_log *log)
{
    return log->lost;
}
