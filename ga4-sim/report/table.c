/* Runs a report's SQL and keeps its rows. */
#include "ga4-sim/report/table.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "ga4-sim/report/query.h"

enum err_code table_prepare(sqlite3 *db, const struct report_request *r, const struct buf *sql,
                            sqlite3_stmt **stmt, struct err *e)
{
  if (sql->failed || sqlite3_prepare_v2(db, buf_str(sql), (int)sql->len, stmt, NULL) != SQLITE_OK)
    return err_set(e, ERR_INTERNAL, "sqlite", "simulator: the report's SQL failed: %s",
                   sql->failed ? "too large" : sqlite3_errmsg(db));
  for (size_t i = 0; i < r->text_count; i++)
    if ((int)i < sqlite3_bind_parameter_count(*stmt))
      sqlite3_bind_text(*stmt, (int)i + 1, r->texts[i], -1, SQLITE_STATIC);
  return ERR_OK;
}

static enum err_code too_large(struct err *e)
{
  return err_set(e, ERR_INVALID_ARGUMENT, NULL, "The report has more than %d cells.",
                 TABLE_MAX_ROWS);
}

static enum err_code keep_row(struct table *t, const struct report_request *r, sqlite3_stmt *stmt,
                              struct err *e)
{
  struct table_row row = {ARENA_ARRAY(r->arena, const char *, r->dimension_count),
                          ARENA_ARRAY(r->arena, double, r->metric_count)};
  if (t->count == TABLE_MAX_ROWS || row.texts == NULL || row.values == NULL)
    return too_large(e);
  for (size_t i = 0; i < r->dimension_count; i++) {
    const char *text = (const char *)sqlite3_column_text(stmt, (int)i + 1);
    row.texts[i] = arena_strdup(r->arena, text == NULL ? "(not set)" : text);
    if (row.texts[i] == NULL)
      return too_large(e);
  }
  for (size_t i = 0; i < r->metric_count; i++)
    row.values[i] = sqlite3_column_double(stmt, (int)(r->dimension_count + 1 + i));
  if (t->count == t->capacity) {
    t->capacity = t->capacity == 0 ? 256 : t->capacity * 2;
    t->rows = xrealloc(t->rows, t->capacity * sizeof(*t->rows));
  }
  t->rows[t->count++] = row;
  return ERR_OK;
}

enum err_code table_fill(struct table *t, sqlite3 *db, const struct world *w,
                         const struct report_request *r, int64_t last_day, struct err *e)
{
  AUTO_BUF struct buf sql = BUF_INIT(TABLE_SQL_MAX);
  sqlite3_stmt *stmt = NULL;
  int rc = SQLITE_DONE;
  query_rows(r, w, last_day, &sql);
  enum err_code code = table_prepare(db, r, &sql, &stmt, e);
  while (code == ERR_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
    code = keep_row(t, r, stmt, e);
  if (code == ERR_OK && rc != SQLITE_DONE)
    code =
        err_set(e, ERR_INTERNAL, "sqlite", "simulator: the report failed: %s", sqlite3_errmsg(db));
  sqlite3_finalize(stmt);
  return code;
}

void table_free(struct table *t)
{
  free(t->rows);
  *t = (struct table){0};
}
