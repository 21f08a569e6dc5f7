/*
 * tap.core.sys: files, the environment, the terminal. Errors of the system are raised as error
 * tables of class "io" with the path and the reason (files.h). read_line waits through the loop, so
 * that a question to the user stops nothing else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/version.h"
#include "files.h"
#include "modules.h"
#include "searcher.h"
#include "task.h"

/* Raises when `rc` is not TAP_OK.  [-0, +0, e] */
static void check(lua_State *L, tap_err rc, const struct tap_error *err)
{
    if (rc)
        tap_lua_raise(L, err);
}

/* Raises errno as the reason.  [-0, +0, v] */
static _Noreturn void raise_errno(lua_State *L, const char *verb, const char *path)
{
    struct tap_error err;
    tap_file_fail(&err, verb, path);
    tap_lua_raise(L, &err);
}

/* ---- files ---- */

static int l_read_file(lua_State *L)
{
    struct tap_buf text;
    struct tap_error err;
    check(L, tap_file_read(&text, luaL_checkstring(L, 1), &err), &err);
    tap_lua_push_buf(L, &text);
    return 1;
}

/* write_file(path, text[, mode]) */
static int l_write_file(lua_State *L)
{
    size_t n;
    const char *path = luaL_checkstring(L, 1);
    const char *text = luaL_checklstring(L, 2, &n);
    mode_t mode = (mode_t)luaL_optinteger(L, 3, 0666);
    struct tap_error err;
    check(L, tap_file_write(path, text, n, mode, &err), &err);
    return 0;
}

/* exists(path) -> boolean: a file or folder of that name. */
static int l_exists(lua_State *L)
{
    struct stat st;
    lua_pushboolean(L, stat(luaL_checkstring(L, 1), &st) == 0);
    return 1;
}

static void close_dir(void *dir)
{
    closedir(dir);
}

static const struct tap_handle_type dir_type = {.name = "tap.dir", .close = close_dir};

/* list_dir(path) -> the names in a folder, sorted, without "." and "..". */
static int l_list_dir(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    void **slot = tap_handle_new(L, &dir_type, 0);
    lua_toclose(L, -1);
    if (!(*slot = opendir(path)))
        raise_errno(L, "list", path);
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_newtable(L);
    lua_Integer n = 0;
    for (struct dirent *entry; (entry = readdir(*slot));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        lua_pushstring(L, entry->d_name);
        lua_seti(L, -2, ++n);
    }
    lua_pushvalue(L, -1);
    lua_insert(L, -3);
    lua_call(L, 1, 0);
    return 1;
}

/* mkdir_p(path[, mode]): the folder and its missing parents. */
static int l_mkdir_p(lua_State *L)
{
    struct tap_error err;
    mode_t mode = (mode_t)luaL_optinteger(L, 2, 0777);
    check(L, tap_make_folders(luaL_checkstring(L, 1), mode, &err), &err);
    return 0;
}

/* temp_folder(): a new folder of this user's alone, 0700, in $TMPDIR or /tmp. The caller removes
 * it. A name that can be guessed would let another user of the machine put something in its place.
 */
static int l_temp_folder(lua_State *L)
{
    const char *base = getenv("TMPDIR");
    char path[512];
    int n = snprintf(path, sizeof path, "%s/tapengine-XXXXXX", base && *base ? base : "/tmp");
    if (n < 0 || (size_t)n >= sizeof path)
        return luaL_error(L, "TMPDIR is too long");
    if (!mkdtemp(path))
        raise_errno(L, "make a folder in", base && *base ? base : "/tmp");
    lua_pushstring(L, path);
    return 1;
}

/* ---- a file that one process at a time appends to ---- */

struct own_file {
    int fd;
    char path[]; /* for messages */
};

static void close_own_file(void *ptr)
{
    struct own_file *file = ptr;
    close(file->fd);
    tap_free(file);
}

static int l_own_file_append(lua_State *L);
static const luaL_Reg own_file_methods[] = {{"append", l_own_file_append}, {NULL, NULL}};
static const struct tap_handle_type own_file_type = {"tap.own_file", close_own_file,
                                                     own_file_methods};

/* file:append(text) */
static int l_own_file_append(lua_State *L)
{
    size_t n;
    struct own_file *file = tap_handle_check(L, 1, &own_file_type);
    const char *text = luaL_checklstring(L, 2, &n);
    struct tap_error err;
    check(L, tap_fd_write(file->fd, text, n, file->path, &err), &err);
    return 0;
}

/* own_file(path) -> a handle with append(text) and close(); nil when another process has it open
 * so. The file is made, for this user alone (0600), when it is not there. */
static int l_own_file(lua_State *L)
{
    size_t n;
    const char *path = luaL_checklstring(L, 1, &n);
    void **slot = tap_handle_new(L, &own_file_type, 0);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        raise_errno(L, "open", path);
    struct own_file *file = tap_alloc(sizeof *file + n + 1);
    file->fd = fd;
    memcpy(file->path, path, n + 1);
    *slot = file;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 1;
    if (errno != EWOULDBLOCK)
        raise_errno(L, "lock", path);
    lua_pushnil(L);
    return 1;
}

/* ---- the process ---- */

static int l_cwd(lua_State *L)
{
    char *path = getcwd(NULL, 0);
    if (!path)
        raise_errno(L, "read", "the working folder");
    lua_pushstring(L, path);
    free(path);
    return 1;
}

/* ---- the environment ---- */

static int l_getenv(lua_State *L)
{
    lua_pushstring(L, getenv(luaL_checkstring(L, 1)));
    return 1;
}

/* setenv(name, value): nil removes it. */
static int l_setenv(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_argcheck(L, name[0] && !strchr(name, '='), 1, "a variable's name is expected");
    if (lua_isnoneornil(L, 2))
        unsetenv(name);
    else
        setenv(name, luaL_checkstring(L, 2), 1);
    return 0;
}

/* environ() -> { NAME = value } */
static int l_environ(lua_State *L)
{
    lua_newtable(L);
    for (char **entry = environ; entry && *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        if (!equals)
            continue;
        lua_pushlstring(L, *entry, (size_t)(equals - *entry));
        lua_pushstring(L, equals + 1);
        lua_rawset(L, -3);
    }
    return 1;
}

static int l_pid(lua_State *L)
{
    lua_pushinteger(L, getpid());
    return 1;
}

/* executable() -> the running program's path. */
static int l_executable(lua_State *L)
{
    char *path = tap_executable();
    if (!path)
        raise_errno(L, "read", "/proc/self/exe");
    tap_lua_push_owned(L, path, strlen(path));
    return 1;
}

/* ---- the terminal ---- */

/* isatty(fd) -> boolean, for 0, 1 or 2. */
static int l_isatty(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

/* terminal_size() -> columns, rows; nil when neither output nor error is a terminal. */
static int l_terminal_size(lua_State *L)
{
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        struct winsize size;
        if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
            lua_pushinteger(L, size.ws_col);
            lua_pushinteger(L, size.ws_row);
            return 2;
        }
    }
    lua_pushnil(L);
    return 1;
}

/* write(fd, text): all of it, past C's and Lua's buffers. */
static int l_write(lua_State *L)
{
    static const char *const names[] = {"standard input", "standard output", "standard error"};
    lua_Integer fd = luaL_checkinteger(L, 1);
    size_t n;
    const char *text = luaL_checklstring(L, 2, &n);
    luaL_argcheck(L, fd == STDOUT_FILENO || fd == STDERR_FILENO, 1, "1 or 2 is expected");
    struct tap_error err;
    check(L, tap_fd_write((int)fd, text, n, names[fd], &err), &err);
    return 0;
}

/* The line that read_line has so far. */
static void free_line(void *line)
{
    tap_buf_fini(line);
    tap_free(line);
}

static const struct tap_handle_type line_type = {.name = "tap.line", .close = free_line};
enum { MAX_LINE = 64 * 1024 };

static bool readable_now(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return poll(&ready, 1, 0) > 0;
}

enum line_state { LINE_PARTIAL, LINE_WHOLE, LINE_INPUT_ENDED };

/* Reads while that does not block, byte by byte: what follows the line is for the next reader,
 * perhaps a child process. */
static enum line_state read_some(struct tap_buf *line)
{
    while (readable_now(STDIN_FILENO)) {
        char c;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n == 1 && c == '\n')
            return LINE_WHOLE;
        if (n == 1)
            tap_buf_putc(line, c);
        else if (n == 0 || (errno != EINTR && errno != EAGAIN))
            return LINE_INPUT_ENDED;
    }
    return LINE_PARTIAL;
}

/* Goes back to the loop until the line is there. Its handle is at index 1. */
static tap_nresults read_on(lua_State *L, struct tap_op *op)
{
    (void)op;
    struct tap_buf *line = tap_handle_check(L, 1, &line_type);
    enum line_state state = read_some(line);
    if (state == LINE_PARTIAL)
        return tap_task_wait(L, tap_fd_wait(tap_task_loop(L), STDIN_FILENO, 'r'), read_on);
    if (state == LINE_INPUT_ENDED && line->len == 0 && !line->overflow)
        lua_pushnil(L);
    else
        tap_lua_push_buf(L, line);
    return 1;
}

/* read_line([prompt]) -> a line of standard input without its end; nil at the end of the input. The
 * prompt goes to standard error: standard output is for results. */
static int l_read_line(lua_State *L)
{
    size_t n;
    const char *prompt = luaL_optlstring(L, 1, "", &n);
    tap_task_check(L);
    struct tap_error err;
    check(L, tap_fd_write(STDERR_FILENO, prompt, n, "standard error", &err), &err);
    lua_settop(L, 0);
    void **slot = tap_handle_new(L, &line_type, 0);
    struct tap_buf *line = tap_alloc(sizeof *line);
    tap_buf_init(line, MAX_LINE);
    *slot = line;
    return tap_task_wait(L, tap_fd_wait(tap_task_loop(L), STDIN_FILENO, 'r'), read_on);
}

int luaopen_tap_core_sys(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"read_file", l_read_file},   {"write_file", l_write_file},
        {"exists", l_exists},         {"list_dir", l_list_dir},
        {"mkdir_p", l_mkdir_p},       {"cwd", l_cwd},
        {"getenv", l_getenv},         {"setenv", l_setenv},
        {"environ", l_environ},       {"pid", l_pid},
        {"executable", l_executable}, {"isatty", l_isatty},
        {"write", l_write},           {"terminal_size", l_terminal_size},
        {"read_line", l_read_line},   {"temp_folder", l_temp_folder},
        {"own_file", l_own_file},     {NULL, NULL},
    };
    luaL_newlib(L, functions);
    lua_pushliteral(L, TAP_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}
