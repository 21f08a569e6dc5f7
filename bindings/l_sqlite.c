/*
 * tap.core.sqlite: a SQLite database, for the journal. Statements are short and the loop waits for
 * them; a lock of another process is waited for a moment at most, longer patience is the caller's.
 */
#include <sqlite3.h>
#include <sys/stat.h>

#include "core/mem.h"
#include "lua_util.h"
#include "modules.h"

enum { BUSY_MS = 250, MAX_ROWS = 100000 };

/* What a script has to tell apart; the rest is a failure of the database. */
static const struct {
    int code;
    const char *name;
} problems[] = {
    {SQLITE_BUSY, "DatabaseLocked"},     {SQLITE_LOCKED, "DatabaseLocked"},
    {SQLITE_CORRUPT, "DatabaseDamaged"}, {SQLITE_NOTADB, "DatabaseDamaged"},
    {SQLITE_FULL, "DiskFull"},           {SQLITE_READONLY, "DatabaseReadOnly"},
    {SQLITE_PERM, "DatabaseReadOnly"},   {SQLITE_CANTOPEN, "DatabaseReadOnly"},
};

static _Noreturn void fail(lua_State *L, sqlite3 *db, int code)
{
    const char *name = "DatabaseError";
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
        if ((code & 0xff) == problems[i].code)
            name = problems[i].name;
    const char *path = db ? sqlite3_db_filename(db, "main") : NULL;
    tap_lua_fail(L, TAP_E_IO, name, "%s: %s", path ? path : "database",
                 db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

static void close_database(void *object)
{
    sqlite3_close_v2(object);
}

static sqlite3 *check_database(lua_State *L);

/* Binds the value at `index` of the Lua stack as parameter `at`. Numbers, texts, booleans, nil. */
static int bind(lua_State *L, sqlite3_stmt *statement, int at, int index)
{
    size_t n;
    switch (lua_type(L, index)) {
    case LUA_TNIL: return sqlite3_bind_null(statement, at);
    case LUA_TBOOLEAN: return sqlite3_bind_int(statement, at, lua_toboolean(L, index));
    case LUA_TNUMBER:
        return lua_isinteger(L, index) ? sqlite3_bind_int64(statement, at, lua_tointeger(L, index))
                                       : sqlite3_bind_double(statement, at, lua_tonumber(L, index));
    default: {
        const char *text = luaL_checklstring(L, index, &n);
        return sqlite3_bind_text64(statement, at, text, n, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    }
}

static void push_column(lua_State *L, sqlite3_stmt *statement, int i)
{
    switch (sqlite3_column_type(statement, i)) {
    case SQLITE_INTEGER: lua_pushinteger(L, sqlite3_column_int64(statement, i)); break;
    case SQLITE_FLOAT: lua_pushnumber(L, sqlite3_column_double(statement, i)); break;
    case SQLITE_NULL: lua_pushnil(L); break;
    default:
        lua_pushlstring(L, (const char *)sqlite3_column_text(statement, i),
                        (size_t)sqlite3_column_bytes(statement, i));
    }
}

static void push_row(lua_State *L, sqlite3_stmt *statement)
{
    int n = sqlite3_column_count(statement);
    lua_createtable(L, 0, n);
    for (int i = 0; i < n; i++) {
        push_column(L, statement, i);
        lua_setfield(L, -2, sqlite3_column_name(statement, i));
    }
}

/* Steps through all rows into the list on top of the stack. */
static int read_rows(lua_State *L, sqlite3_stmt *statement)
{
    int code;
    lua_Integer n = 0;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && n < MAX_ROWS) {
        push_row(L, statement);
        lua_seti(L, -2, ++n);
    }
    return code == SQLITE_ROW ? SQLITE_TOOBIG : code;
}

/* db:run(sql, values...) -> list of rows, by their columns' names; number of rows that it changed.
 * One statement. */
static int l_run(lua_State *L)
{
    sqlite3 *db = check_database(L);
    size_t n;
    const char *sql = luaL_checklstring(L, 2, &n);
    int top = lua_gettop(L);
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, sql, (int)n, &statement, NULL);
    if (code != SQLITE_OK)
        fail(L, db, code);
    for (int i = 3; i <= top && code == SQLITE_OK; i++)
        code = bind(L, statement, i - 2, i);
    lua_newtable(L);
    if (code == SQLITE_OK)
        code = read_rows(L, statement);
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        fail(L, db, code);
    lua_pushinteger(L, sqlite3_changes(db));
    return 2;
}

/* db:script(sql): several statements without values, for schemas. */
static int l_script(lua_State *L)
{
    sqlite3 *db = check_database(L);
    int code = sqlite3_exec(db, luaL_checkstring(L, 2), NULL, NULL, NULL);
    if (code != SQLITE_OK)
        fail(L, db, code);
    return 0;
}

static const luaL_Reg methods[] = {{"run", l_run}, {"script", l_script}, {NULL, NULL}};
static const struct tap_handle_type database_type = {"tap.database", close_database, methods};

static sqlite3 *check_database(lua_State *L)
{
    return tap_handle_check(L, 1, &database_type);
}

/* open(path) -> database; made when it is not there, for its owner only (0600). */
static int l_open(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    void **slot = tap_handle_new(L, &database_type, 0);
    mode_t before = umask(0077);
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    umask(before);
    *slot = db;
    if (code != SQLITE_OK)
        fail(L, db, code);
    sqlite3_busy_timeout(db, BUSY_MS);
    return 1;
}

int luaopen_tap_core_sqlite(lua_State *L)
{
    static const luaL_Reg functions[] = {{"open", l_open}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
