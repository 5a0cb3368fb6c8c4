/* SQLite as a database of the release store. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aggregate-svc/disclosure/sqlite.h"
#include "common/base/mem.h"

enum { BUSY_MS = 5000 };

struct sqlite {
  struct database base; /* first */
  sqlite3 *handle;
  bool memory; /* opening it again would lose everything */
  bool lost;
};

static enum err_code failed(struct sqlite *d, struct err *e)
{
  d->lost = !d->memory;
  return err_set(e, ERR_UNAVAILABLE, "store_unavailable", "SQLite: %s",
                 d->handle != NULL ? sqlite3_errmsg(d->handle) : "no memory");
}

static void read_row(sqlite3_stmt *statement, struct database_row *row)
{
  int n = sqlite3_column_count(statement);
  row->found = true;
  for (int i = 0; i < n && i < DATABASE_MAX_COLUMNS; i++)
    row->columns[i] = xstrdup((const char *)sqlite3_column_text(statement, i));
}

static enum err_code run(struct database *base, const char *sql, const char *const *parameters,
                         size_t n, struct database_row *row, struct err *e)
{
  struct sqlite *d = (struct sqlite *)base;
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2(d->handle, sql, -1, &statement, NULL);
  for (size_t i = 0; i < n && code == SQLITE_OK; i++)
    code = sqlite3_bind_text(statement, (int)i + 1, parameters[i], -1, SQLITE_STATIC);
  if (code == SQLITE_OK)
    code = sqlite3_step(statement);
  if (code == SQLITE_ROW && row != NULL)
    read_row(statement, row);
  while (code == SQLITE_ROW)
    code = sqlite3_step(statement);
  if (code == SQLITE_DONE && row != NULL)
    row->changed = (size_t)sqlite3_changes(d->handle);
  if (code != SQLITE_DONE)
    failed(d, e);
  sqlite3_finalize(statement);
  return code == SQLITE_DONE ? ERR_OK : ERR_UNAVAILABLE;
}

static bool is_lost(const struct database *base)
{
  return ((const struct sqlite *)base)->lost;
}

static void close_sqlite(struct database *base)
{
  struct sqlite *d = (struct sqlite *)base;
  sqlite3_close(d->handle);
  free(d);
}

/* Readers do not wait for a writer, and what was committed survives a power cut. Sorts and
 * subqueries need no folder for temporary files: a read-only root has none. */
static enum err_code prepare(struct sqlite *d, struct err *e)
{
  sqlite3_busy_timeout(d->handle, BUSY_MS);
  enum err_code code = run(&d->base, "PRAGMA journal_mode = WAL", NULL, 0, NULL, e);
  if (code == ERR_OK)
    code = run(&d->base, "PRAGMA synchronous = FULL", NULL, 0, NULL, e);
  if (code == ERR_OK)
    code = run(&d->base, "PRAGMA temp_store = MEMORY", NULL, 0, NULL, e);
  return code;
}

/* Makes an empty file that nobody else may read, unless there is one. SQLite gives the files beside
 * it the same mode. */
static void make_private(const char *path)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0)
    close(fd);
}

enum err_code database_open_sqlite(struct database **out, const char *path, struct err *e)
{
  struct sqlite *d = xcalloc(1, sizeof(*d));
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
  d->base = (struct database){"SQLite", "BEGIN IMMEDIATE", NULL, run, is_lost, close_sqlite};
  d->memory = path == NULL;
  if (path != NULL)
    make_private(path);
  int code = sqlite3_open_v2(path != NULL ? path : ":memory:", &d->handle, flags, NULL);
  enum err_code result = code == SQLITE_OK ? prepare(d, e) : failed(d, e);
  if (result == ERR_OK)
    *out = &d->base;
  else
    close_sqlite(&d->base);
  return result;
}
