/* See answer_rows.h. A row is kept as its slice, its number of numbers, these, and its texts with
 * their NULs. */
#include "ga4-sim/report/answer_rows.h"

#include <string.h>

#include "ga4-sim/report/table.h"
#include "ga4-sim/world/answers.h"

enum { KEPT_MAX = 1 << 20 };

/* The SQL with all that is bound to it. */
static void put_question(struct report_rows *rows, const struct report_request *r,
                         const struct buf *sql)
{
  buf_append(&rows->question, sql->data, sql->len);
  for (size_t i = 0; i < r->text_count; i++)
    buf_append(&rows->question, r->texts[i], strlen(r->texts[i]) + 1);
}

void report_rows_begin(struct report_rows *rows, const struct world *w, sqlite3 *db,
                       const struct report_request *r, const struct buf *sql, size_t text_count,
                       struct err *e)
{
  *rows = (struct report_rows){.world = w,
                               .db = db,
                               .text_count = text_count,
                               .question = BUF_INIT(2 * (size_t)TABLE_SQL_MAX),
                               .kept = BUF_INIT(KEPT_MAX),
                               .e = e};
  put_question(rows, r, sql);
  if (sql->failed || rows->question.failed ||
      !answers_find(w->answers, &rows->question, &rows->kept))
    rows->code = table_prepare(db, r, sql, &rows->stmt, e);
}

static void read_row(struct report_rows *rows)
{
  size_t columns = (size_t)sqlite3_column_count(rows->stmt);
  rows->slice = (size_t)sqlite3_column_int64(rows->stmt, 0);
  rows->number_count = columns - 1 - rows->text_count;
  for (size_t i = 0; i < rows->text_count; i++) {
    const char *text = (const char *)sqlite3_column_text(rows->stmt, (int)(1 + i));
    rows->texts[i] = text == NULL ? "(not set)" : text;
  }
  for (size_t i = 0; i < rows->number_count; i++)
    rows->numbers[i] = sqlite3_column_double(rows->stmt, (int)(1 + rows->text_count + i));
}

static void keep_row(struct report_rows *rows)
{
  const size_t head[] = {rows->slice, rows->number_count};
  buf_append(&rows->kept, head, sizeof(head));
  buf_append(&rows->kept, rows->numbers, rows->number_count * sizeof(double));
  for (size_t i = 0; i < rows->text_count; i++)
    buf_append(&rows->kept, rows->texts[i], strlen(rows->texts[i]) + 1);
}

static bool next_known(struct report_rows *rows)
{
  size_t head[2];
  if (rows->at >= rows->kept.len)
    return false;
  memcpy(head, rows->kept.data + rows->at, sizeof(head));
  rows->at += sizeof(head);
  rows->slice = head[0];
  rows->number_count = head[1];
  memcpy(rows->numbers, rows->kept.data + rows->at, rows->number_count * sizeof(double));
  rows->at += rows->number_count * sizeof(double);
  for (size_t i = 0; i < rows->text_count; i++) {
    rows->texts[i] = rows->kept.data + rows->at;
    rows->at += strlen(rows->texts[i]) + 1;
  }
  return true;
}

bool report_rows_next(struct report_rows *rows)
{
  if (rows->code != ERR_OK)
    return false;
  if (rows->stmt == NULL)
    return next_known(rows);
  int rc = sqlite3_step(rows->stmt);
  if (rc == SQLITE_ROW) {
    read_row(rows);
    keep_row(rows);
    return true;
  }
  if (rc != SQLITE_DONE)
    rows->code = err_set(rows->e, ERR_INTERNAL, "sqlite", "simulator: the report failed: %s",
                         sqlite3_errmsg(rows->db));
  else if (!rows->kept.failed)
    answers_keep(rows->world->answers, &rows->question, &rows->kept);
  return false;
}

enum err_code report_rows_end(struct report_rows *rows)
{
  sqlite3_finalize(rows->stmt);
  buf_free(&rows->question);
  buf_free(&rows->kept);
  return rows->code;
}
