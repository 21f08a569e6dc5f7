/*
 * Child processes. See proc.h. A pidfd tells of the child's end, so that children need no SIGCHLD
 * handler and no polling; output is read as it comes, so that a full pipe never stops the child.
 *
 * A cancelled child may take a moment to go: it is handed to the loop's list of reapers, which
 * outlives the operation.
 */
#include "proc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "op.h"

enum { MAX_OUTPUT = 16 * 1024 * 1024, KILL_AFTER_MS = 2000, READ_END = 0, WRITE_END = 1 };

/* One of the child's three pipes, our end; fd is -1 when there is none (any more). */
struct stream {
    struct tap_watch watch;
    struct proc_op *proc;
    struct tap_buf *into;
};

struct proc_op {
    struct tap_op op;
    pid_t pid; /* 0: not started, or reaped */
    struct tap_watch end;
    struct stream in, out, err;
    char *input;
    size_t input_len, input_sent;
    struct tap_proc_result result;
    struct tap_error
        *start_error; /* a failed start completes through a timer, never inside tap_proc_start */
    struct tap_timer start_failed;
};

struct tap_reaper {
    struct tap_loop *loop;
    pid_t pid;
    struct tap_watch end;
    struct tap_timer kill;
    struct tap_reaper *next;
};

/* ---- reapers ---- */

static void reaper_free(struct tap_reaper *reaper)
{
    struct tap_reaper **at = tap_loop_reapers(reaper->loop);
    while (*at != reaper)
        at = &(*at)->next;
    *at = reaper->next;
    tap_timer_clear(reaper->loop, &reaper->kill);
    tap_watch_remove(reaper->loop, &reaper->end);
    close(reaper->end.fd);
    tap_free(reaper);
}

static void reaper_ready(struct tap_watch *watch, short revents)
{
    (void)revents;
    struct tap_reaper *reaper =
        (struct tap_reaper *)((char *)watch - offsetof(struct tap_reaper, end));
    if (waitpid(reaper->pid, NULL, WNOHANG) != 0)
        reaper_free(reaper);
}

static void reaper_kill(struct tap_timer *timer)
{
    struct tap_reaper *reaper =
        (struct tap_reaper *)((char *)timer - offsetof(struct tap_reaper, kill));
    kill(-reaper->pid, SIGKILL);
    kill(reaper->pid, SIGKILL);
}

/* Takes the child and its pidfd over. */
static void reap_later(struct tap_loop *loop, pid_t pid, int pidfd)
{
    struct tap_reaper *reaper = tap_alloc(sizeof *reaper);
    *reaper = (struct tap_reaper){.loop = loop, .pid = pid, .next = *tap_loop_reapers(loop)};
    *tap_loop_reapers(loop) = reaper;
    reaper->end =
        (struct tap_watch){.fd = pidfd, .events = CURL_WAIT_POLLIN, .ready = reaper_ready};
    tap_watch_add(loop, &reaper->end);
    reaper->kill.fire = reaper_kill;
    tap_timer_set(loop, &reaper->kill, KILL_AFTER_MS);
}

void tap_reapers_free(struct tap_loop *loop)
{
    for (struct tap_reaper *reaper; (reaper = *tap_loop_reapers(loop));) {
        reaper_kill(&reaper->kill);
        waitpid(reaper->pid, NULL, 0);
        reaper_free(reaper);
    }
}

/* ---- streams ---- */

static void stream_close(struct stream *stream)
{
    if (stream->watch.fd < 0)
        return;
    tap_watch_remove(stream->proc->op.loop, &stream->watch);
    close(stream->watch.fd);
    stream->watch.fd = -1;
}

static void too_much_output(struct proc_op *self)
{
    struct tap_error error;
    tap_fail(&error, TAP_E_LIMIT, "OutputTooLarge", "the program wrote more than %zu bytes",
             self->out.into->limit);
    tap_op_finish(&self->op, &error);
}

/* Reads what is there. False when the operation has finished over it. */
static bool stream_drain(struct stream *stream)
{
    char bytes[16384];
    while (stream->watch.fd >= 0) {
        ssize_t n = read(stream->watch.fd, bytes, sizeof bytes);
        if (n > 0) {
            tap_buf_add(stream->into, bytes, (size_t)n);
            if (stream->into->overflow) {
                too_much_output(stream->proc);
                return false;
            }
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else {
            if (n == 0 || errno != EAGAIN)
                stream_close(stream);
            break;
        }
    }
    return true;
}

static void output_ready(struct tap_watch *watch, short revents)
{
    (void)revents;
    stream_drain((struct stream *)((char *)watch - offsetof(struct stream, watch)));
}

static void input_ready(struct tap_watch *watch, short revents)
{
    (void)revents;
    struct stream *stream = (struct stream *)((char *)watch - offsetof(struct stream, watch));
    struct proc_op *self = stream->proc;
    ssize_t n =
        write(watch->fd, self->input + self->input_sent, self->input_len - self->input_sent);
    if (n > 0)
        self->input_sent += (size_t)n;
    /* A child that does not read its input is no failure: it exits as it likes. */
    if (self->input_sent == self->input_len || (n < 0 && errno != EAGAIN && errno != EINTR))
        stream_close(stream);
}

static void stream_open(struct stream *stream, struct proc_op *self, int fd, struct tap_buf *into)
{
    stream->proc = self;
    stream->into = into;
    stream->watch.fd = fd;
    if (fd < 0)
        return;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    stream->watch.events = into ? CURL_WAIT_POLLIN : CURL_WAIT_POLLOUT;
    stream->watch.ready = into ? output_ready : input_ready;
    tap_watch_add(self->op.loop, &stream->watch);
}

/* ---- the child's end ---- */

static void child_ended(struct tap_watch *watch, short revents)
{
    (void)revents;
    struct proc_op *self = (struct proc_op *)((char *)watch - offsetof(struct proc_op, end));
    int status;
    if (waitpid(self->pid, &status, WNOHANG) != self->pid)
        return;
    self->pid = 0;
    self->result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    self->result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    /* Grandchildren may keep the pipes open: what is there now is the output. */
    if (stream_drain(&self->out) && stream_drain(&self->err))
        tap_op_finish(&self->op, NULL);
}

static void start_failed(struct tap_timer *timer)
{
    struct proc_op *self =
        (struct proc_op *)((char *)timer - offsetof(struct proc_op, start_failed));
    tap_op_finish(&self->op, self->start_error);
}

static void proc_stop(struct tap_op *op)
{
    struct proc_op *self = (struct proc_op *)op;
    tap_timer_clear(op->loop, &self->start_failed);
    stream_close(&self->in);
    stream_close(&self->out);
    stream_close(&self->err);
    if (self->end.fd >= 0) {
        tap_watch_remove(op->loop, &self->end);
        if (self->pid) {
            kill(-self->pid, SIGTERM);
            kill(self->pid, SIGTERM);
            reap_later(op->loop, self->pid, self->end.fd);
        } else {
            close(self->end.fd);
        }
    }
    tap_loop_expect(op->loop, -1);
}

static void proc_free(struct tap_op *op)
{
    struct proc_op *self = (struct proc_op *)op;
    tap_free_secret(self->input);
    tap_free(self->start_error);
    tap_buf_fini_secret(&self->result.out);
    tap_buf_fini_secret(&self->result.err);
    tap_free(self);
}

static const struct tap_op_class proc_class = {TAP_OP_PROC, proc_stop, proc_free, NULL};

/* ---- starting ---- */

/* The child's ends of its three pipes, and ours; -1 where there is none. */
struct pipes {
    int in[2], out[2], err[2];
};

static bool open_pipes(struct pipes *pipes, const struct tap_proc_options *options)
{
    memset(pipes, -1, sizeof *pipes);
    if (options->input && pipe2(pipes->in, O_CLOEXEC) != 0)
        return false;
    return options->inherit ||
           (pipe2(pipes->out, O_CLOEXEC) == 0 && pipe2(pipes->err, O_CLOEXEC) == 0);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int spawn(pid_t *pid, const struct tap_proc_options *options, const struct pipes *pipes)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    if (pipes->in[READ_END] >= 0)
        posix_spawn_file_actions_adddup2(&actions, pipes->in[READ_END], STDIN_FILENO);
    else if (!options->inherit)
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!options->inherit) {
        posix_spawn_file_actions_adddup2(&actions, pipes->out[WRITE_END], STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, pipes->err[WRITE_END], STDERR_FILENO);
    }
    if (options->cwd)
        posix_spawn_file_actions_addchdir_np(&actions, options->cwd);

    /* What this process ignores the child would ignore too. A child whose output is collected gets
     * a process group of its own: Ctrl-C at the terminal is for us to answer, and what the child
     * started ends with it. */
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    short flags = POSIX_SPAWN_SETSIGDEF;
    if (!options->inherit)
        flags |= POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setflags(&attributes, flags);

    char **env = options->env ? (char **)options->env : environ;
    int why = posix_spawnp(pid, options->argv[0], &actions, &attributes,
                           (char *const *)options->argv, env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return why;
}

static void fail_start(struct proc_op *self, const char *program, int why)
{
    self->start_error = tap_alloc(sizeof *self->start_error);
    tap_fail(self->start_error, TAP_E_IO, "CannotStart", "cannot start '%s': %s", program,
             strerror(why));
    self->start_failed.fire = start_failed;
    tap_timer_set(self->op.loop, &self->start_failed, 0);
}

struct tap_op *tap_proc_start(struct tap_loop *loop, const struct tap_proc_options *options)
{
    assert(options->argv && options->argv[0]);
    struct proc_op *self = tap_alloc(sizeof *self);
    size_t limit = options->max_output ? options->max_output : MAX_OUTPUT;
    tap_op_init(&self->op, loop, &proc_class);
    tap_loop_expect(loop, 1);
    tap_buf_init(&self->result.out, limit);
    tap_buf_init(&self->result.err, limit);
    self->end.fd = self->in.watch.fd = self->out.watch.fd = self->err.watch.fd = -1;

    struct pipes pipes;
    int why = open_pipes(&pipes, options) ? spawn(&self->pid, options, &pipes) : errno;
    close_fd(&pipes.in[READ_END]);
    close_fd(&pipes.out[WRITE_END]);
    close_fd(&pipes.err[WRITE_END]);
    int pidfd = why ? -1 : pidfd_open(self->pid, 0);
    if (!why && pidfd < 0) {
        why = errno;
        kill(self->pid, SIGKILL);
        waitpid(self->pid, NULL, 0);
    }
    if (why) {
        self->pid = 0;
        close_fd(&pipes.in[WRITE_END]);
        close_fd(&pipes.out[READ_END]);
        close_fd(&pipes.err[READ_END]);
        fail_start(self, options->argv[0], why);
        return &self->op;
    }
    self->end = (struct tap_watch){.fd = pidfd, .events = CURL_WAIT_POLLIN, .ready = child_ended};
    tap_watch_add(loop, &self->end);
    self->input = tap_strndup(options->input ? options->input : "", options->input_len);
    self->input_len = options->input_len;
    stream_open(&self->in, self, pipes.in[WRITE_END], NULL);
    stream_open(&self->out, self, pipes.out[READ_END], &self->result.out);
    stream_open(&self->err, self, pipes.err[READ_END], &self->result.err);
    return &self->op;
}

struct tap_proc_result *tap_proc_result(struct tap_op *op)
{
    assert(op->class == &proc_class && op->finished && !op->error);
    return &((struct proc_op *)op)->result;
}
