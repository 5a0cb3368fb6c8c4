/* Builds a report's SQL. Each branch (query_branch.c) has the rows of one range and comparison: one
 * per event, or per session when no field distinguishes events. `agg` has one row per group of a
 * branch, with the primitives every metric is made of; then come metrics, metric filter and order.
 * A session counts once in each group it appears in, as Google counts it. */
#include "ga4-sim/report/query.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/report/query_branch.h"

/* What the metrics are made of: over rows that are sessions, and, where that is cheaper than to
 * make such rows first, over rows that are events. */
static const struct primitive {
  const char *name;
  unsigned columns;
  const char *sql, *over_events;
} primitives[] = {
    {"n_sessions", 0, "COUNT(*)", "COUNT(DISTINCT session_id)"},
    {"n_engaged", COLUMN_ENGAGED, "SUM(engaged)",
     "COUNT(DISTINCT CASE WHEN engaged THEN session_id END)"},
    {"n_users", COLUMN_USER, "COUNT(DISTINCT user_id)", NULL},
    /* Active: an engaged session or a first visit. */
    {"n_active", COLUMN_USER | COLUMN_ENGAGED | COLUMN_NEW,
     "COUNT(DISTINCT CASE WHEN engaged OR is_new THEN user_id END)", NULL},
    {"n_new", COLUMN_USER | COLUMN_NEW, "COUNT(DISTINCT CASE WHEN is_new THEN user_id END)", NULL},
    {"sum_duration", COLUMN_DURATION, "SUM(duration_s)", NULL},
    {"sum_engagement", COLUMN_ATTENTION, "SUM(eng)", "SUM(eng)"},
    {"n_events", COLUMN_COUNT, "SUM(cnt)", "SUM(cnt)"},
    {"n_views", COLUMN_VIEWS, "SUM(views)", "SUM(views)"},
    {"n_key", COLUMN_KEYS, "SUM(keys)", "SUM(keys)"},
    {"n_key_sessions", COLUMN_KEYS, "SUM(keys>0)", NULL},
    {"n_key_users", COLUMN_USER | COLUMN_KEYS, "COUNT(DISTINCT CASE WHEN keys>0 THEN user_id END)",
     NULL},
};

/* Whether rows about few people are withheld: those with places, as Google does it. */
static bool withholds(const struct report_request *r)
{
  return r->conditions.threshold_users > 0 && r->has_demographics;
}

static bool is_used(const struct report_request *r, const char *primitive)
{
  if (withholds(r) && strcmp(primitive, "n_users") == 0)
    return true;
  if (r->metric_filter != NULL && strstr(r->metric_filter, primitive) != NULL)
    return true;
  for (size_t i = 0; i < r->metric_count; i++)
    if (strstr(r->metrics[i].sql, primitive) != NULL)
      return true;
  return false;
}

/* ",value AS name": a count of a sample stands for all sessions. */
static void put_primitive(const struct report_request *r, const char *value, const char *name,
                          struct buf *sql)
{
  if (r->conditions.sample_percent > 0)
    buf_printf(sql, ",CAST(round((%s)*100.0/%u) AS INTEGER) AS %s", value,
               r->conditions.sample_percent, name);
  else
    buf_printf(sql, ",%s AS %s", value, name);
}

/* The columns that the primitives in use are made of. */
static unsigned columns_used(const struct report_request *r)
{
  unsigned columns = r->key_event_count > 0 ? COLUMN_USER : 0;
  for (size_t i = 0; i < ARRAY_LEN(primitives); i++)
    if (is_used(r, primitives[i].name))
      columns |= primitives[i].columns;
  return columns;
}

/* Whether groups are counted over rows that are events. */
static bool counts_events(const struct report_request *r)
{
  for (size_t i = 0; i < ARRAY_LEN(primitives); i++)
    if (primitives[i].over_events == NULL && is_used(r, primitives[i].name))
      return false;
  return r->event_scoped && r->key_event_count == 0;
}

static void put_primitives(const struct report_request *r, bool over_events, struct buf *sql)
{
  for (size_t i = 0; i < ARRAY_LEN(primitives); i++)
    if (is_used(r, primitives[i].name))
      put_primitive(r, over_events ? primitives[i].over_events : primitives[i].sql,
                    primitives[i].name, sql);
  for (size_t k = 0; k < r->key_event_count; k++) {
    char value[96], name[48];
    snprintf(value, sizeof(value), "SUM(k%zu)", k);
    snprintf(name, sizeof(name), "key_%zu", k);
    put_primitive(r, value, name, sql);
    snprintf(value, sizeof(value), "SUM(k%zu>0)", k);
    snprintf(name, sizeof(name), "ksessions_%zu", k);
    put_primitive(r, value, name, sql);
    snprintf(value, sizeof(value), "COUNT(DISTINCT CASE WHEN k%zu>0 THEN user_id END)", k);
    snprintf(name, sizeof(name), "kusers_%zu", k);
    put_primitive(r, value, name, sql);
  }
}

static size_t slice_count(const struct report_request *r)
{
  return r->range_count * (r->comparison_count > 0 ? r->comparison_count : 1);
}

/* Without plain dimensions a slice with nothing in it has no group; with
 * keepEmptyRows every group of any slice appears in all of them. Calendar
 * dimensions are left out of that: a day belongs to its range. */
static bool fills_empty(const struct report_request *r)
{
  return r->keep_empty_rows && slice_count(r) > 1 && !r->by_calendar;
}

/* Without dimensions all rows are one group, if there are any. */
static void put_group_by(const struct report_request *r, const char *more, struct buf *sql)
{
  AUTO_BUF struct buf names = BUF_INIT(1024);
  query_dimension_names(r, &names);
  buf_puts(&names, more);
  buf_printf(sql, " GROUP BY %s", names.len > 0 ? buf_str(&names) + 1 : "slice");
}

/* The groups of one slice. Rows that are events become rows that are sessions first, where needed.
 */
static void put_slice_groups(const struct report_request *r, const struct world *w,
                             int64_t last_day, size_t slice, struct buf *sql)
{
  unsigned columns = columns_used(r);
  bool over_events = counts_events(r), two_steps = r->event_scoped && !over_events;
  buf_puts(sql, "SELECT slice");
  query_dimension_names(r, sql);
  put_primitives(r, over_events, sql);
  buf_puts(sql, " FROM (");
  if (two_steps) {
    buf_puts(sql, "SELECT slice");
    query_dimension_names(r, sql);
    query_session_columns(r, columns, sql);
    buf_puts(sql, " FROM (");
  }
  query_branch(r, w, last_day, slice, columns, sql);
  if (two_steps) {
    buf_putc(sql, ')');
    put_group_by(r, ",session_id", sql);
  }
  buf_putc(sql, ')');
  put_group_by(r, "", sql);
}

/* ",COALESCE(some.name,0) AS name" */
static void put_or_zero(const char *name, struct buf *sql)
{
  buf_printf(sql, ",COALESCE(some.%s,0) AS %s", name, name);
}

/* agg from `some`: every group in every slice. */
static void put_filled_groups(const struct report_request *r, struct buf *sql)
{
  buf_puts(sql, ",slices(slice) AS (VALUES");
  for (size_t i = 0; i < slice_count(r); i++)
    buf_printf(sql, "%s(%zu)", i == 0 ? "" : ",", i);
  buf_puts(sql, "),known AS (SELECT DISTINCT 1 AS one");
  query_dimension_names(r, sql);
  buf_puts(sql, " FROM some),agg AS (SELECT slices.slice AS slice");
  for (size_t i = 0; i < r->dimension_count; i++)
    if (r->dimensions[i].role == ROLE_PLAIN)
      buf_printf(sql, ",known.d%zu AS d%zu", i + 1, i + 1);
  for (size_t i = 0; i < ARRAY_LEN(primitives); i++)
    if (is_used(r, primitives[i].name))
      put_or_zero(primitives[i].name, sql);
  for (size_t k = 0; k < r->key_event_count; k++) {
    static const char *const kinds[] = {"key", "ksessions", "kusers"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
      char name[48];
      snprintf(name, sizeof(name), "%s_%zu", kinds[i], k);
      put_or_zero(name, sql);
    }
  }
  buf_puts(sql, " FROM known CROSS JOIN slices LEFT JOIN some ON some.slice=slices.slice");
  for (size_t i = 0; i < r->dimension_count; i++)
    if (r->dimensions[i].role == ROLE_PLAIN)
      buf_printf(sql, " AND some.d%zu=known.d%zu", i + 1, i + 1);
  buf_putc(sql, ')');
}

/* The groups of all slices. */
static void put_agg(const struct report_request *r, const struct world *w, int64_t last_day,
                    struct buf *sql)
{
  buf_puts(sql, fills_empty(r) ? "some AS (" : "agg AS (");
  for (size_t i = 0; i < slice_count(r); i++) {
    buf_puts(sql, i == 0 ? "" : " UNION ALL ");
    put_slice_groups(r, w, last_day, i, sql);
  }
  buf_putc(sql, ')');
  if (fills_empty(r))
    put_filled_groups(r, sql);
}

/* " FROM groups", with the size of their cohorts. */
static void put_groups_from(const struct report_request *r, const char *groups, struct buf *sql)
{
  if (r->cohort_users == NULL)
    buf_printf(sql, " FROM %s", groups);
  else
    buf_printf(sql, " FROM (SELECT *,%s AS n_cohort FROM %s)", r->cohort_users, groups);
}

/* agg, measured, shown: `shown` has the groups of the answer. */
static void put_groups(const struct report_request *r, const struct world *w, int64_t last_day,
                       struct buf *sql)
{
  put_agg(r, w, last_day, sql);
  buf_puts(sql, ",measured AS (SELECT slice");
  query_dimension_names(r, sql);
  for (size_t i = 0; i < r->metric_count; i++)
    buf_printf(sql, ",%s AS m%zu", r->metrics[i].sql, i + 1);
  put_groups_from(r, "agg", sql);
  buf_puts(sql, " WHERE 1");
  if (r->metric_filter != NULL)
    buf_printf(sql, " AND %s", r->metric_filter);
  if (withholds(r))
    buf_printf(sql, " AND n_users>=%u", r->conditions.threshold_users);
  buf_puts(sql, "),shown AS (SELECT * FROM measured");
  /* A row whose metrics are all zero is left out unless asked for. */
  if (r->metric_count > 0 && !r->keep_empty_rows)
    for (size_t i = 0; i < r->metric_count; i++)
      buf_printf(sql, "%sm%zu<>0", i == 0 ? " WHERE " : " OR ", i + 1);
  buf_puts(sql, ")");
}

/* The text of a dimension that is made from the slice. */
static void put_slice_name(const struct report_request *r, enum dimension_role role,
                           struct buf *sql)
{
  buf_puts(sql, "CASE slice");
  for (size_t s = 0; s < slice_count(r); s++) {
    const char *name = role != ROLE_COMPARISON   ? r->ranges[s % r->range_count].name
                       : r->comparison_count > 0 ? r->comparisons[s / r->range_count].name
                                                 : "(not set)";
    buf_printf(sql, " WHEN %zu THEN '", s);
    for (; *name != '\0'; name++) {
      if (*name == '\'')
        buf_putc(sql, '\'');
      buf_putc(sql, *name);
    }
    buf_putc(sql, '\'');
  }
  buf_puts(sql, " END");
}

/* ",d1,d2" with dateRange, cohort and comparison as texts, so that they can be ordered by. */
static void put_named_dimensions(const struct report_request *r, struct buf *sql)
{
  for (size_t i = 0; i < r->dimension_count; i++) {
    buf_putc(sql, ',');
    if (r->dimensions[i].role != ROLE_PLAIN) {
      put_slice_name(r, r->dimensions[i].role, sql);
      buf_puts(sql, " AS ");
    }
    buf_printf(sql, "d%zu", i + 1);
  }
}

static void put_order(const struct report_request *r, struct buf *sql)
{
  for (size_t i = 0; i < r->order_count; i++)
    buf_printf(sql, "%s %s,", r->orders[i].sql, r->orders[i].descending ? "DESC" : "ASC");
  if (r->order_count == 0 && r->metric_count > 0)
    buf_puts(sql, "m1 DESC,");
  /* Ties in the order of the dimension values: the answer is the same each time, unless it is to
   * be otherwise. */
  const char *ties = r->conditions.reverse_ties ? " DESC" : "";
  for (size_t i = 0; i < r->dimension_count; i++)
    if (r->dimensions[i].role == ROLE_PLAIN)
      buf_printf(sql, "d%zu%s,", i + 1, ties);
  buf_printf(sql, "slice%s", ties);
}

/* Google counts and pages combinations of dimension values; the date range is not among them, so
 * a combination has up to one row per range. Combinations come in the order of their first rows. */
static void put_combinations(const struct report_request *r, struct buf *sql)
{
  buf_puts(sql, ",placed AS (SELECT *,row_number() OVER (ORDER BY ");
  put_order(r, sql);
  buf_printf(sql, ") AS place FROM named),led AS (SELECT *,MIN(place) OVER (PARTITION BY slice/%zu",
             r->range_count);
  query_dimension_names(r, sql);
  buf_puts(sql, ") AS leader FROM placed)");
}

/* Whether a combination of dimension values may have rows of several ranges: not by the date, where
 * no date is in two. */
static bool combines_ranges(const struct report_request *r)
{
  bool by_date = false;
  if (r->range_count < 2 || r->cohort_users != NULL)
    return false;
  for (size_t i = 0; i < r->dimension_count; i++)
    by_date = by_date ||
              (r->dimensions[i].role == ROLE_PLAIN && strcmp(r->dimensions[i].sql, "s.date") == 0);
  for (size_t i = 0; i < r->range_count; i++)
    for (size_t j = 0; j < i; j++)
      if (r->ranges[i].start <= r->ranges[j].end && r->ranges[j].start <= r->ranges[i].end)
        return true;
  return !by_date || fills_empty(r);
}

bool query_rows(const struct report_request *r, const struct world *w, int64_t last_day,
                struct buf *sql)
{
  bool several = combines_ranges(r);
  buf_puts(sql, "WITH ");
  put_groups(r, w, last_day, sql);
  buf_puts(sql, ",named AS (SELECT slice");
  put_named_dimensions(r, sql);
  for (size_t i = 0; i < r->metric_count; i++)
    buf_printf(sql, ",m%zu", i + 1);
  buf_puts(sql, " FROM shown)");
  if (several)
    put_combinations(r, sql);
  buf_puts(sql, " SELECT slice");
  for (size_t i = 0; i < r->dimension_count; i++)
    buf_printf(sql, ",d%zu", i + 1);
  for (size_t i = 0; i < r->metric_count; i++)
    buf_printf(sql, ",m%zu", i + 1);
  if (several)
    return buf_puts(sql, ",dense_rank() OVER (ORDER BY leader) FROM led ORDER BY place");
  buf_puts(sql, " FROM named ORDER BY ");
  put_order(r, sql);
  return !sql->failed;
}

bool query_totals(const struct report_request *r, const struct world *w, int64_t last_day,
                  struct buf *sql)
{
  unsigned columns = columns_used(r);
  buf_puts(sql, "WITH base AS (");
  for (size_t i = 0; i < slice_count(r); i++) {
    buf_puts(sql, i == 0 ? "" : " UNION ALL ");
    query_branch(r, w, last_day, i, columns, sql);
  }
  buf_puts(sql, "),");
  put_groups(r, w, last_day, sql);
  buf_puts(sql, ",total_rows AS (SELECT base.slice AS slice");
  query_session_columns(r, columns, sql);
  buf_puts(sql, " FROM base JOIN shown ON shown.slice=base.slice");
  for (size_t i = 0; i < r->dimension_count; i++)
    if (r->dimensions[i].role == ROLE_PLAIN)
      buf_printf(sql, " AND shown.d%zu=base.d%zu", i + 1, i + 1);
  buf_puts(sql, " GROUP BY base.slice,session_id),total AS (SELECT slice");
  put_primitives(r, false, sql);
  buf_puts(sql, " FROM total_rows GROUP BY slice) SELECT slice");
  for (size_t i = 0; i < r->metric_count; i++)
    buf_printf(sql, ",%s AS m%zu", r->metrics[i].sql, i + 1);
  put_groups_from(r, "total", sql);
  return buf_puts(sql, " ORDER BY slice");
}
