/*
 * mkchunks FOLDER PREFIX FILE...: compiles Lua files, each to the file of its name without PREFIX
 * in FOLDER.
 *
 * Loading a compiled chunk costs a seventh of compiling it, and a command loads a hundred files
 * before it does anything. Positions stay in: an error names the file as it is given here. A file
 * that does not compile ends the build, with its place.
 *
 * The releases of one Lua version share their chunks' form (lua.org/versions.html), so a program
 * that is linked against Lua 5.4 dynamically can load what any 5.4 has compiled.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <lauxlib.h>
#include <lua.h>

static void die(const char *what, const char *file)
{
    fprintf(stderr, "mkchunks: %s: %s\n", file, what);
    exit(1);
}

/* The folders of a path that is FOLDER/NAME. */
static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            die(strerror(errno), path);
        *slash = '/';
    }
}

static int write_part(lua_State *L, const void *part, size_t n, void *out)
{
    (void)L;
    return fwrite(part, 1, n, out) != n;
}

static void compile(lua_State *L, const char *file, char *path)
{
    if (luaL_loadfilex(L, file, "t") != LUA_OK)
        die(lua_tostring(L, -1), file);
    make_folders(path);
    FILE *out = fopen(path, "wb");
    if (!out)
        die(strerror(errno), path);
    int failed = lua_dump(L, write_part, out, 0);
    if (fclose(out) != 0 || failed)
        die("cannot be written", path);
    lua_pop(L, 1);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("usage: mkchunks FOLDER PREFIX FILE...", "arguments");
    lua_State *L = luaL_newstate();
    if (!L)
        die("out of memory", argv[1]);
    for (int i = 3; i < argc; i++) {
        const char *file = argv[i];
        char path[4096];
        if (strncmp(file, argv[2], strlen(argv[2])) != 0)
            die("does not begin with the prefix", file);
        if (snprintf(path, sizeof path, "%s/%s", argv[1], file + strlen(argv[2])) >=
            (int)sizeof path)
            die("is too long a name", file);
        compile(L, file, path);
    }
    lua_close(L);
    return 0;
}
