/*
 * SQLite's functions, as far as l_sqlite.c calls them, loaded with the first. See late.h.
 */
#include <sqlite3.h>

#include "late.h"

static struct tap_late library = {.soname = TAP_LATE_SQLITE};

#define SQLITE(type, name, parameters, arguments)                                                  \
    TAP_LATE(&library, type, name, parameters, arguments)

SQLITE(int, sqlite3_bind_double, (sqlite3_stmt * statement, int at, double value),
       (statement, at, value))
SQLITE(int, sqlite3_bind_int, (sqlite3_stmt * statement, int at, int value), (statement, at, value))
SQLITE(int, sqlite3_bind_int64, (sqlite3_stmt * statement, int at, sqlite3_int64 value),
       (statement, at, value))
SQLITE(int, sqlite3_bind_null, (sqlite3_stmt * statement, int at), (statement, at))
SQLITE(int, sqlite3_bind_text64,
       (sqlite3_stmt * statement, int at, const char *text, sqlite3_uint64 n,
        void (*release)(void *), unsigned char encoding),
       (statement, at, text, n, release, encoding))
SQLITE(int, sqlite3_busy_timeout, (sqlite3 * db, int ms), (db, ms))
SQLITE(int, sqlite3_changes, (sqlite3 * db), (db))
SQLITE(int, sqlite3_close_v2, (sqlite3 * db), (db))
SQLITE(int, sqlite3_column_bytes, (sqlite3_stmt * statement, int i), (statement, i))
SQLITE(int, sqlite3_column_count, (sqlite3_stmt * statement), (statement))
SQLITE(double, sqlite3_column_double, (sqlite3_stmt * statement, int i), (statement, i))
SQLITE(sqlite3_int64, sqlite3_column_int64, (sqlite3_stmt * statement, int i), (statement, i))
SQLITE(const char *, sqlite3_column_name, (sqlite3_stmt * statement, int i), (statement, i))
SQLITE(const unsigned char *, sqlite3_column_text, (sqlite3_stmt * statement, int i),
       (statement, i))
SQLITE(int, sqlite3_column_type, (sqlite3_stmt * statement, int i), (statement, i))
SQLITE(const char *, sqlite3_db_filename, (sqlite3 * db, const char *name), (db, name))
SQLITE(const char *, sqlite3_errmsg, (sqlite3 * db), (db))
SQLITE(const char *, sqlite3_errstr, (int code), (code))
SQLITE(int, sqlite3_exec,
       (sqlite3 * db, const char *sql, int (*row)(void *, int, char **, char **), void *context,
        char **message),
       (db, sql, row, context, message))
SQLITE(int, sqlite3_finalize, (sqlite3_stmt * statement), (statement))
SQLITE(int, sqlite3_open_v2, (const char *path, sqlite3 **db, int flags, const char *vfs),
       (path, db, flags, vfs))
SQLITE(int, sqlite3_prepare_v2,
       (sqlite3 * db, const char *sql, int n, sqlite3_stmt **statement, const char **tail),
       (db, sql, n, statement, tail))
SQLITE(int, sqlite3_step, (sqlite3_stmt * statement), (statement))
