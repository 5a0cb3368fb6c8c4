/* Builds a report's SQL in four steps: `base` has one row per event (or per session,
 * when no field distinguishes events) with its dimension values; `inner_rows` one row
 * per group and session; `agg` one row per group with the primitives every metric is
 * made of; then metrics, metric filter and order. A session thus counts once in each
 * group it appears in, as Google counts it. */
#include "ga4-sim/report/query.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/report/fields.h"
#include "ga4-sim/world/calendar.h"

/* What the metrics are made of, over the rows of inner_rows. */
static const struct {
  const char *name, *sql;
} primitives[] = {
    {"n_sessions", "COUNT(*)"},
    {"n_engaged", "SUM(engaged)"},
    {"n_users", "COUNT(DISTINCT user_id)"},
    /* Active: an engaged session or a first visit. */
    {"n_active", "COUNT(DISTINCT CASE WHEN engaged OR is_new THEN user_id END)"},
    {"n_new", "COUNT(DISTINCT CASE WHEN is_new THEN user_id END)"},
    {"sum_duration", "SUM(duration_s)"},
    {"sum_engagement", "SUM(eng)"},
    {"n_events", "SUM(cnt)"},
    {"n_views", "SUM(views)"},
    {"n_key", "SUM(keys)"},
    {"n_key_sessions", "SUM(keys>0)"},
    {"n_key_users", "COUNT(DISTINCT CASE WHEN keys>0 THEN user_id END)"},
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

static void put_primitives(const struct report_request *r, struct buf *sql)
{
  for (size_t i = 0; i < ARRAY_LEN(primitives); i++)
    if (is_used(r, primitives[i].name))
      put_primitive(r, primitives[i].sql, primitives[i].name, sql);
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

/* ",d1,d2": the dimensions that are not made from the slice. */
static void put_dimension_names(const struct report_request *r, struct buf *sql)
{
  for (size_t i = 0; i < r->dimension_count; i++)
    if (r->dimensions[i].role == ROLE_PLAIN)
      buf_printf(sql, ",d%zu", i + 1);
}

static void put_dimension_values(const struct report_request *r, int64_t start_day, struct buf *sql)
{
  for (size_t i = 0; i < r->dimension_count; i++) {
    if (r->dimensions[i].role != ROLE_PLAIN)
      continue;
    buf_putc(sql, ',');
    const char *text = r->dimensions[i].sql, *mark;
    while ((mark = strstr(text, "@start_day")) != NULL) {
      buf_append(sql, text, (size_t)(mark - text));
      buf_printf(sql, "(%lld)", (long long)start_day);
      text = mark + strlen("@start_day");
    }
    buf_printf(sql, "%s AS d%zu", text, i + 1);
  }
}

static void put_from(const struct report_request *r, struct buf *sql)
{
  if (r->event_scoped)
    buf_puts(sql, " FROM events e CROSS JOIN sessions s ON s.session_id=e.session_id"
                  " LEFT JOIN key_events k ON k.property_id=e.property_id AND k.name=e.name");
  else
    buf_puts(sql, " FROM sessions s");
  if (r->needs & NEED_DAYS)
    buf_puts(sql, " CROSS JOIN days d ON d.date=s.date");
  if (r->needs & NEED_PAGES)
    buf_puts(sql, " LEFT JOIN pages p ON p.page_id=e.page_id");
  if (r->needs & NEED_VEHICLES)
    buf_puts(sql, " LEFT JOIN vehicles v ON v.vehicle_id=e.vehicle_id");
}

static void put_measures(const struct report_request *r, struct buf *sql)
{
  buf_puts(sql, ",s.session_id,s.user_id,s.is_new,s.engaged,s.duration_s");
  if (!r->event_scoped) {
    buf_puts(sql, ",s.event_count AS cnt,s.engagement_s AS eng,s.page_views AS views,"
                  "s.key_events AS keys");
    return;
  }
  buf_puts(sql, ",e.count AS cnt,e.engagement_s AS eng,"
                "CASE e.name WHEN 'page_view' THEN e.count ELSE 0 END AS views,"
                "CASE WHEN k.name IS NULL THEN 0 ELSE e.count END AS keys");
  for (size_t k = 0; k < r->key_event_count; k++) {
    /* Names of registered key events are the world's own identifiers. */
    buf_printf(sql, ",CASE e.name WHEN '%s' THEN e.count ELSE 0 END AS k%zu", r->key_events[k], k);
  }
}

/* A condition may hold @start_day too (a filter on nthDay). */
static void put_condition(const char *condition, int64_t start_day, struct buf *sql)
{
  if (condition == NULL)
    return;
  buf_puts(sql, " AND ");
  const char *mark;
  while ((mark = strstr(condition, "@start_day")) != NULL) {
    buf_append(sql, condition, (size_t)(mark - condition));
    buf_printf(sql, "(%lld)", (long long)start_day);
    condition = mark + strlen("@start_day");
  }
  buf_puts(sql, condition);
}

static void put_branch(const struct report_request *r, const struct world *w, int64_t last_day,
                       size_t comparison, size_t range, struct buf *sql)
{
  const struct request_range *rg = &r->ranges[range];
  int64_t first_day = w->params.today - (int64_t)w->params.days + 1;
  int64_t start_day = rg->start - first_day;
  struct calendar_day from, to;
  calendar_fill(&from, rg->start);
  calendar_fill(&to, rg->end < last_day ? rg->end : last_day);
  buf_printf(sql, "SELECT %zu AS slice", comparison * r->range_count + range);
  put_dimension_values(r, start_day, sql);
  put_measures(r, sql);
  put_from(r, sql);
  if (rg->join != NULL)
    buf_puts(sql, rg->join);
  /* Events by single days: their index goes on with the name, which most filters are about. */
  buf_printf(sql,
             r->event_scoped ? " WHERE e.property_id=%lld AND e.date IN"
                               " (SELECT date FROM days WHERE date BETWEEN '%s' AND '%s')"
                             : " WHERE s.property_id=%lld AND s.date BETWEEN '%s' AND '%s'",
             (long long)r->property->property_id, from.date, to.date);
  if (r->no_data)
    buf_puts(sql, " AND 0");
  if (r->conditions.sample_percent > 0)
    buf_printf(sql, " AND s.session_id*7919%%100<%u", r->conditions.sample_percent);
  put_condition(rg->condition, start_day, sql);
  put_condition(r->dimension_filter, start_day, sql);
  if (r->comparison_count > 0)
    put_condition(r->comparisons[comparison].sql, start_day, sql);
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

static void put_agg(const struct report_request *r, struct buf *sql)
{
  if (!fills_empty(r)) {
    buf_puts(sql, ",agg AS (SELECT slice");
    put_dimension_names(r, sql);
    put_primitives(r, sql);
    buf_puts(sql, " FROM inner_rows GROUP BY slice");
    put_dimension_names(r, sql);
    buf_putc(sql, ')');
    return;
  }
  buf_puts(sql, ",slices(slice) AS (VALUES");
  for (size_t i = 0; i < slice_count(r); i++)
    buf_printf(sql, "%s(%zu)", i == 0 ? "" : ",", i);
  buf_puts(sql, "),known AS (SELECT DISTINCT 1 AS one");
  put_dimension_names(r, sql);
  buf_puts(sql, " FROM inner_rows),some AS (SELECT slice");
  put_dimension_names(r, sql);
  put_primitives(r, sql);
  buf_puts(sql, " FROM inner_rows GROUP BY slice");
  put_dimension_names(r, sql);
  buf_puts(sql, "),agg AS (SELECT slices.slice AS slice");
  for (size_t i = 0; i < r->dimension_count; i++)
    if (r->dimensions[i].role == ROLE_PLAIN)
      buf_printf(sql, ",known.d%zu AS d%zu", i + 1, i + 1);
  for (size_t i = 0; i < ARRAY_LEN(primitives); i++)
    if (is_used(r, primitives[i].name))
      buf_printf(sql, ",COALESCE(some.%s,0) AS %s", primitives[i].name, primitives[i].name);
  for (size_t k = 0; k < r->key_event_count; k++)
    buf_printf(sql,
               ",COALESCE(some.key_%zu,0) AS key_%zu,COALESCE(some.ksessions_%zu,0) AS "
               "ksessions_%zu,COALESCE(some.kusers_%zu,0) AS kusers_%zu",
               k, k, k, k, k, k);
  buf_puts(sql, " FROM known CROSS JOIN slices LEFT JOIN some ON some.slice=slices.slice");
  for (size_t i = 0; i < r->dimension_count; i++)
    if (r->dimensions[i].role == ROLE_PLAIN)
      buf_printf(sql, " AND some.d%zu=known.d%zu", i + 1, i + 1);
  buf_putc(sql, ')');
}

static void put_inner_columns(const struct report_request *r, struct buf *sql)
{
  buf_puts(sql, ",session_id,MAX(user_id) AS user_id,MAX(is_new) AS is_new,MAX(engaged) AS engaged,"
                "MAX(duration_s) AS duration_s,SUM(cnt) AS cnt,SUM(eng) AS eng,SUM(views) AS views,"
                "SUM(keys) AS keys");
  for (size_t k = 0; k < r->key_event_count; k++)
    buf_printf(sql, ",SUM(k%zu) AS k%zu", k, k);
}

/* " FROM groups", with the size of their cohorts. */
static void put_groups_from(const struct report_request *r, const char *groups, struct buf *sql)
{
  if (r->cohort_users == NULL)
    buf_printf(sql, " FROM %s", groups);
  else
    buf_printf(sql, " FROM (SELECT *,%s AS n_cohort FROM %s)", r->cohort_users, groups);
}

/* WITH base, inner_rows, agg, shown: `shown` has the groups of the answer. */
static void put_groups(const struct report_request *r, const struct world *w, int64_t last_day,
                       struct buf *sql)
{
  buf_puts(sql, "WITH base AS (");
  size_t comparisons = r->comparison_count > 0 ? r->comparison_count : 1;
  for (size_t c = 0; c < comparisons; c++)
    for (size_t g = 0; g < r->range_count; g++) {
      buf_puts(sql, c + g == 0 ? "" : " UNION ALL ");
      put_branch(r, w, last_day, c, g, sql);
    }
  buf_puts(sql, "),inner_rows AS (SELECT slice");
  put_dimension_names(r, sql);
  if (r->event_scoped) {
    put_inner_columns(r, sql);
    buf_puts(sql, " FROM base GROUP BY slice");
    put_dimension_names(r, sql);
    buf_puts(sql, ",session_id)");
  } else {
    buf_puts(sql, ",session_id,user_id,is_new,engaged,duration_s,cnt,eng,views,keys FROM base)");
  }
  put_agg(r, sql);
  buf_puts(sql, ",measured AS (SELECT slice");
  put_dimension_names(r, sql);
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
  put_dimension_names(r, sql);
  buf_puts(sql, ") AS leader FROM placed)");
}

bool query_rows(const struct report_request *r, const struct world *w, int64_t last_day,
                struct buf *sql)
{
  bool several = r->range_count > 1 && r->cohort_users == NULL;
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
  put_groups(r, w, last_day, sql);
  buf_puts(sql, ",total_rows AS (SELECT base.slice AS slice");
  put_inner_columns(r, sql);
  buf_puts(sql, " FROM base JOIN shown ON shown.slice=base.slice");
  for (size_t i = 0; i < r->dimension_count; i++)
    if (r->dimensions[i].role == ROLE_PLAIN)
      buf_printf(sql, " AND shown.d%zu=base.d%zu", i + 1, i + 1);
  buf_puts(sql, " GROUP BY base.slice,session_id),total AS (SELECT slice");
  put_primitives(r, sql);
  buf_puts(sql, " FROM total_rows GROUP BY slice) SELECT slice");
  for (size_t i = 0; i < r->metric_count; i++)
    buf_printf(sql, ",%s AS m%zu", r->metrics[i].sql, i + 1);
  put_groups_from(r, "total", sql);
  return buf_puts(sql, " ORDER BY slice");
}
