/* See query_branch.h. */
#include "ga4-sim/report/query_branch.h"

#include <ctype.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/report/fields.h"
#include "ga4-sim/report/table.h"
#include "ga4-sim/world/calendar.h"

/* A column in a row per event, in a row per session, and of a session from its rows. */
static const struct {
  enum query_column bit;
  const char *name, *of_event, *of_session, *over;
} columns_of[] = {
    {COLUMN_USER, "user_id", "s.user_id", "s.user_id", "MAX"},
    {COLUMN_NEW, "is_new", "s.is_new", "s.is_new", "MAX"},
    {COLUMN_ENGAGED, "engaged", "s.engaged", "s.engaged", "MAX"},
    {COLUMN_DURATION, "duration_s", "s.duration_s", "s.duration_s", "MAX"},
    {COLUMN_COUNT, "cnt", "e.count", "s.event_count", "SUM"},
    {COLUMN_ATTENTION, "eng", "e.engagement_s", "s.engagement_s", "SUM"},
    {COLUMN_VIEWS, "views", "CASE e.name WHEN 'page_view' THEN e.count ELSE 0 END", "s.page_views",
     "SUM"},
    {COLUMN_KEYS, "keys", "CASE WHEN k.name IS NULL THEN 0 ELSE e.count END", "s.key_events",
     "SUM"},
};

void query_dimension_names(const struct report_request *r, struct buf *sql)
{
  for (size_t i = 0; i < r->dimension_count; i++)
    if (r->dimensions[i].role == ROLE_PLAIN)
      buf_printf(sql, ",d%zu", i + 1);
}

void query_session_columns(const struct report_request *r, unsigned columns, struct buf *sql)
{
  for (size_t i = 0; i < ARRAY_LEN(columns_of); i++)
    if (columns & columns_of[i].bit)
      buf_printf(sql, ",%s(%s) AS %s", columns_of[i].over, columns_of[i].name, columns_of[i].name);
  for (size_t k = 0; k < r->key_event_count; k++)
    buf_printf(sql, ",SUM(k%zu) AS k%zu", k, k);
}

/* Whether a name begins at `at`, which is in `text`. */
static bool begins_name(const char *text, const char *at)
{
  return at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
}

/* Whether SQL speaks of a table: "s." */
static bool speaks_of(const struct buf *sql, const char *table)
{
  const char *text = buf_str(sql);
  for (const char *at = text; (at = strstr(at, table)) != NULL; at++)
    if (begins_name(text, at))
      return true;
  return false;
}

/* SQL of a field or condition, with the first day of the range in the place of @start_day. A
 * session stays within its day: where there are events the day is theirs, and needs no session. */
static void put_field(const struct report_request *r, const char *text, int64_t start_day,
                      struct buf *sql)
{
  static const char mark[] = "@start_day", day[] = "s.date";
  const char *at = text;
  while (*at != '\0') {
    if (strncmp(at, mark, strlen(mark)) == 0) {
      buf_printf(sql, "(%lld)", (long long)start_day);
      at += strlen(mark);
    } else if (r->event_scoped && strncmp(at, day, strlen(day)) == 0 && begins_name(text, at)) {
      buf_puts(sql, "e.date");
      at += strlen(day);
    } else {
      buf_putc(sql, *at++);
    }
  }
}

static void put_columns(const struct report_request *r, size_t slice, int64_t start_day,
                        unsigned columns, struct buf *sql)
{
  buf_printf(sql, "SELECT %zu AS slice,%s.session_id", slice, r->event_scoped ? "e" : "s");
  for (size_t i = 0; i < r->dimension_count; i++) {
    if (r->dimensions[i].role != ROLE_PLAIN)
      continue;
    buf_putc(sql, ',');
    put_field(r, r->dimensions[i].sql, start_day, sql);
    buf_printf(sql, " AS d%zu", i + 1);
  }
  for (size_t i = 0; i < ARRAY_LEN(columns_of); i++)
    if (columns & columns_of[i].bit)
      buf_printf(sql, ",%s AS %s",
                 r->event_scoped ? columns_of[i].of_event : columns_of[i].of_session,
                 columns_of[i].name);
  /* Names of registered key events are the world's own identifiers. */
  for (size_t k = 0; k < r->key_event_count; k++)
    buf_printf(sql, ",CASE e.name WHEN '%s' THEN e.count ELSE 0 END AS k%zu", r->key_events[k], k);
}

static void put_condition(const struct report_request *r, const char *condition, int64_t start_day,
                          struct buf *sql)
{
  if (condition == NULL)
    return;
  buf_puts(sql, " AND ");
  put_field(r, condition, start_day, sql);
}

static void put_where(const struct report_request *r, int64_t last_day, size_t slice,
                      int64_t start_day, struct buf *sql)
{
  const struct request_range *rg = &r->ranges[slice % r->range_count];
  struct calendar_day from, to;
  calendar_fill(&from, rg->start);
  calendar_fill(&to, rg->end < last_day ? rg->end : last_day);
  /* Events by single days: their index goes on with the name, which most filters are about. */
  buf_printf(sql,
             r->event_scoped ? " WHERE e.property_id=%lld AND e.date IN"
                               " (SELECT date FROM days WHERE date BETWEEN '%s' AND '%s')"
                             : " WHERE s.property_id=%lld AND s.date BETWEEN '%s' AND '%s'",
             (long long)r->property->property_id, from.date, to.date);
  if (r->no_data)
    buf_puts(sql, " AND 0");
  if (r->conditions.sample_percent > 0)
    buf_printf(sql, " AND %s.session_id*7919%%100<%u", r->event_scoped ? "e" : "s",
               r->conditions.sample_percent);
  put_condition(r, rg->condition, start_day, sql);
  put_condition(r, r->dimension_filter, start_day, sql);
  if (r->comparison_count > 0)
    put_condition(r, r->comparisons[slice / r->range_count].sql, start_day, sql);
}

/* rest: all that is asked of the tables. */
static void put_from(const struct report_request *r, const struct buf *rest, struct buf *sql)
{
  buf_puts(sql, r->event_scoped ? " FROM events e" : " FROM sessions s");
  if (r->event_scoped && speaks_of(rest, "s."))
    buf_puts(sql, " CROSS JOIN sessions s ON s.session_id=e.session_id");
  if (r->event_scoped && speaks_of(rest, "k."))
    buf_puts(sql, " LEFT JOIN key_events k ON k.property_id=e.property_id AND k.name=e.name");
  if (r->needs & NEED_DAYS)
    buf_printf(sql, " CROSS JOIN days d ON d.date=%s.date", r->event_scoped ? "e" : "s");
  if (r->needs & NEED_PAGES)
    buf_puts(sql, " LEFT JOIN pages p ON p.page_id=e.page_id");
  if (r->needs & NEED_VEHICLES)
    buf_puts(sql, " LEFT JOIN vehicles v ON v.vehicle_id=e.vehicle_id");
}

void query_branch(const struct report_request *r, const struct world *w, int64_t last_day,
                  size_t slice, unsigned columns, struct buf *sql)
{
  AUTO_BUF struct buf rest = BUF_INIT(TABLE_SQL_MAX);
  const struct request_range *rg = &r->ranges[slice % r->range_count];
  int64_t start_day = rg->start - (w->params.today - (int64_t)w->params.days + 1);
  put_columns(r, slice, start_day, columns, &rest);
  size_t head = rest.len;
  if (rg->join != NULL)
    put_field(r, rg->join, start_day, &rest);
  put_where(r, last_day, slice, start_day, &rest);
  buf_append(sql, rest.data, head);
  put_from(r, &rest, sql);
  if (rest.failed)
    sql->failed = true;
  else
    buf_append(sql, rest.data + head, rest.len - head);
}
