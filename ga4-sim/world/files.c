/* Databases of worlds: looked at, made, extended. */
#include "ga4-sim/world/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ga4-sim/world/generate.h"
#include "ga4-sim/world/plants.h"
#include "ga4-sim/world/schema.h"

enum { EXTEND_MAX_DAYS = 60 };

static bool meta_is(sqlite3 *db, const char *key, int64_t expected)
{
  sqlite3_stmt *s = NULL;
  bool same = false;
  if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key=?", -1, &s, NULL) == SQLITE_OK) {
    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    same = sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int64(s, 0) == expected;
  }
  sqlite3_finalize(s);
  return same;
}

static bool has_table(sqlite3 *db, const char *condition)
{
  char sql[128];
  sqlite3_stmt *s = NULL;
  snprintf(sql, sizeof(sql), "SELECT 1 FROM sqlite_schema WHERE %s", condition);
  bool found =
      sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;
  sqlite3_finalize(s);
  return found;
}

enum file_state { FILE_FITS, FILE_EARLIER, FILE_STALE, FILE_EMPTY, FILE_FOREIGN };

/* Whether the world ends some days before today and may be extended. */
static bool is_a_little_earlier(sqlite3 *db, const struct world_params *p)
{
  if (!p->demo || p->part == PLAN_DIRECTORY)
    return false;
  for (int64_t days = 1; days <= EXTEND_MAX_DAYS && days < (int64_t)p->days; days++)
    if (meta_is(db, "today", p->today - days))
      return true;
  return false;
}

static enum file_state inspect(const char *path, const struct world_params *p)
{
  struct stat st;
  if (stat(path, &st) != 0 || st.st_size == 0)
    return FILE_EMPTY;
  sqlite3 *db = NULL;
  enum file_state state = FILE_FOREIGN;
  if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK) {
    /* Only a file with our own table of contents may be replaced. */
    if (has_table(db, "name='meta'") && has_table(db, "name='custom_dimensions'"))
      state = FILE_STALE;
    /* The view is made last: without it the load did not finish. */
    if (state == FILE_STALE && has_table(db, "name='event_details'") &&
        meta_is(db, "schema_version", SCHEMA_VERSION) && meta_is(db, "seed", (int64_t)p->seed) &&
        meta_is(db, "dealers", p->dealers) && meta_is(db, "regions", p->regions) &&
        meta_is(db, "days", p->days) && meta_is(db, "planted", plants_number(p)) &&
        meta_is(db, "part", p->part) && meta_is(db, "one", p->one))
      state = meta_is(db, "today", p->today) ? FILE_FITS
              : is_a_little_earlier(db, p)   ? FILE_EARLIER
                                             : FILE_STALE;
  }
  sqlite3_close(db);
  return state;
}

/* Writes beside the target and renames, so a reader never sees half a world. */
static enum err_code create(const char *path, const struct world_params *p, struct err *e)
{
  AUTO_FREE char *part = xasprintf("%s.part", path);
  unlink(part);
  sqlite3 *db = NULL;
  int64_t start = clock_mono_ms();
  enum err_code code = ERR_OK;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(part, &db, flags, NULL) != SQLITE_OK)
    code = err_set(e, ERR_UNAVAILABLE, "db", "cannot create %s: %s (is the folder writable?)", part,
                   sqlite3_errmsg(db));
  if (code == ERR_OK)
    code = generate_world(db, p, e);
  sqlite3_close(db);
  if (code == ERR_OK && rename(part, path) != 0)
    code = err_set(e, ERR_UNAVAILABLE, "db", "cannot rename %s to %s: %s", part, path,
                   strerror(errno));
  if (code != ERR_OK)
    unlink(part);
  else
    log_info("world generated", LOG_I("ms", clock_mono_ms() - start),
             LOG_I("dealers", p->part == PLAN_ONE ? 1 : p->dealers));
  return code;
}

/* A world that cannot be extended is made again. */
static enum err_code extend(const char *path, const struct world_params *p)
{
  sqlite3 *db = NULL;
  struct err e = {0};
  int64_t start = clock_mono_ms();
  enum err_code code = ERR_UNAVAILABLE;
  if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
    code = generate_more_days(db, p, &e);
  sqlite3_close(db);
  if (code == ERR_OK)
    log_info("world extended", LOG_I("ms", clock_mono_ms() - start));
  else
    log_warn("the world cannot be extended and is made again", LOG_S("reason", e.message));
  return code;
}

enum err_code world_file_prepare(const char *path, const struct world_params *p, struct err *e)
{
  switch (inspect(path, p)) {
  case FILE_FITS:
    return ERR_OK;
  case FILE_FOREIGN:
    return err_set(e, ERR_INVALID_ARGUMENT, "db",
                   "--db %s exists and is not a world of ga4-sim: name another file", path);
  case FILE_EARLIER:
    if (extend(path, p) == ERR_OK)
      return ERR_OK;
    break;
  case FILE_STALE:
  case FILE_EMPTY:
    break;
  }
  return create(path, p, e);
}
