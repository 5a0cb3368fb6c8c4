/* Executes a report's SQL and prints headers, rows, aggregations, metadata, quota. */
#include "ga4-sim/report/report.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "ga4-sim/base/value.h"
#include "ga4-sim/report/query.h"
#include "ga4-sim/world/calendar.h"

enum { SQL_MAX = 8 * 1024 * 1024, SLICES = REQUEST_MAX_RANGES * REQUEST_MAX_COMPARISONS };

struct extremes {
  bool any;
  double minimum[REQUEST_MAX_METRICS], maximum[REQUEST_MAX_METRICS];
};

struct run {
  struct world *world;
  const struct report_request *request;
  sqlite3 *db;
  struct buf *out;
  int64_t row_count;
  struct extremes extremes[SLICES];
  struct err *e;
};

static void put_string(struct buf *out, const char *s)
{
  buf_put_json_string(out, s, strlen(s));
}

static enum err_code prepare(struct run *run, const struct buf *sql, sqlite3_stmt **stmt)
{
  if (sql->failed ||
      sqlite3_prepare_v2(run->db, buf_str(sql), (int)sql->len, stmt, NULL) != SQLITE_OK)
    return err_set(run->e, ERR_INTERNAL, "sqlite", "simulator: the report's SQL failed: %s",
                   sql->failed ? "too large" : sqlite3_errmsg(run->db));
  for (size_t i = 0; i < run->request->text_count; i++)
    if ((int)i < sqlite3_bind_parameter_count(*stmt))
      sqlite3_bind_text(*stmt, (int)i + 1, run->request->texts[i], -1, SQLITE_STATIC);
  return ERR_OK;
}

static void put_metric_value(struct run *run, size_t metric, double value)
{
  char text[32];
  if (run->request->metrics[metric].type == METRIC_TYPE_INTEGER)
    snprintf(text, sizeof(text), "%lld", (long long)value);
  else
    value_format_double(value, text, sizeof(text));
  buf_printf(run->out, "{\"value\":\"%s\"}", text);
}

static void put_metric_values(struct run *run, const double *values)
{
  const struct report_request *r = run->request;
  const char *comma = "";
  bool any = false;
  for (size_t i = 0; i < r->metric_count; i++)
    any |= !r->metrics[i].invisible;
  if (!any)
    return;
  buf_puts(run->out, "\"metricValues\":[");
  for (size_t i = 0; i < r->metric_count; i++) {
    if (r->metrics[i].invisible)
      continue;
    buf_puts(run->out, comma);
    put_metric_value(run, i, values[i]);
    comma = ",";
  }
  buf_putc(run->out, ']');
}

static void put_headers(struct run *run, const struct report_style *style)
{
  const struct report_request *r = run->request;
  const char *comma = "";
  if (r->dimension_count > 0) {
    buf_puts(run->out, "\"dimensionHeaders\":[");
    for (size_t i = 0; i < r->dimension_count; i++) {
      buf_printf(run->out, "%s{\"name\":", comma);
      put_string(run->out, r->dimensions[i].name);
      buf_putc(run->out, '}');
      comma = ",";
    }
    buf_puts(run->out, "],");
  }
  size_t visible = 0;
  for (size_t i = 0; i < r->metric_count; i++) {
    const struct request_metric *m = &r->metrics[i];
    if (m->invisible)
      continue;
    buf_puts(run->out, visible++ == 0 ? "\"metricHeaders\":[{\"name\":" : ",{\"name\":");
    put_string(run->out, m->name);
    if (style->enums_as_numbers)
      buf_printf(run->out, ",\"type\":%d}", metric_type_number(m->type));
    else
      buf_printf(run->out, ",\"type\":\"%s\"}", metric_type_name(m->type));
  }
  if (visible > 0)
    buf_puts(run->out, "],");
}

static void note_extremes(struct run *run, size_t slice, const double *values)
{
  struct extremes *x = &run->extremes[slice];
  for (size_t i = 0; i < run->request->metric_count; i++) {
    if (!x->any || values[i] < x->minimum[i])
      x->minimum[i] = values[i];
    if (!x->any || values[i] > x->maximum[i])
      x->maximum[i] = values[i];
  }
  x->any = true;
}

static void put_row(struct run *run, sqlite3_stmt *stmt, const double *values)
{
  const struct report_request *r = run->request;
  buf_putc(run->out, '{');
  if (r->dimension_count > 0) {
    buf_puts(run->out, "\"dimensionValues\":[");
    for (size_t i = 0; i < r->dimension_count; i++) {
      const char *text = (const char *)sqlite3_column_text(stmt, (int)i + 1);
      buf_puts(run->out, i == 0 ? "{\"value\":" : ",{\"value\":");
      put_string(run->out, text == NULL ? "(not set)" : text);
      buf_putc(run->out, '}');
    }
    buf_putc(run->out, ']');
    bool any = false;
    for (size_t i = 0; i < r->metric_count; i++)
      any |= !r->metrics[i].invisible;
    if (any)
      buf_putc(run->out, ',');
  }
  put_metric_values(run, values);
  buf_putc(run->out, '}');
}

static enum err_code put_rows(struct run *run, int64_t last_day)
{
  const struct report_request *r = run->request;
  AUTO_BUF struct buf sql = BUF_INIT(SQL_MAX);
  sqlite3_stmt *stmt = NULL;
  query_rows(r, run->world, last_day, &sql);
  enum err_code code = prepare(run, &sql, &stmt);
  int rc = SQLITE_DONE;
  while (code == ERR_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    double values[REQUEST_MAX_METRICS] = {0};
    for (size_t i = 0; i < r->metric_count; i++)
      values[i] = sqlite3_column_double(stmt, (int)(r->dimension_count + 1 + i));
    note_extremes(run, (size_t)sqlite3_column_int(stmt, 0), values);
    int64_t index = run->row_count++;
    if (index < r->offset || index - r->offset >= r->limit)
      continue;
    buf_puts(run->out, index == r->offset ? "\"rows\":[" : ",");
    put_row(run, stmt, values);
  }
  if (code == ERR_OK && rc != SQLITE_DONE)
    code = err_set(run->e, ERR_INTERNAL, "sqlite", "simulator: the report failed: %s",
                   sqlite3_errmsg(run->db));
  sqlite3_finalize(stmt);
  if (code == ERR_OK && run->row_count > r->offset)
    buf_puts(run->out, "],");
  return code;
}

/* One aggregate row: RESERVED_TOTAL in each dimension, names in dateRange and
 * comparison. */
static void put_aggregate_row(struct run *run, size_t slice, const char *reserved,
                              const double *values)
{
  const struct report_request *r = run->request;
  buf_putc(run->out, '{');
  for (size_t i = 0; i < r->dimension_count; i++) {
    const char *text = reserved;
    if (r->dimensions[i].role == ROLE_DATE_RANGE)
      text = r->ranges[slice % r->range_count].name;
    else if (r->dimensions[i].role == ROLE_COMPARISON && r->comparison_count > 0)
      text = r->comparisons[slice / r->range_count].name;
    buf_puts(run->out, i == 0 ? "\"dimensionValues\":[{\"value\":" : ",{\"value\":");
    put_string(run->out, text);
    buf_putc(run->out, '}');
  }
  if (r->dimension_count > 0)
    buf_puts(run->out, "],");
  put_metric_values(run, values);
  buf_putc(run->out, '}');
}

static void put_extremes(struct run *run, const char *name, const char *reserved, bool maximum)
{
  const char *before = "";
  buf_printf(run->out, "\"%s\":[", name);
  for (size_t s = 0; s < SLICES; s++) {
    if (!run->extremes[s].any)
      continue;
    buf_puts(run->out, before);
    put_aggregate_row(run, s, reserved,
                      maximum ? run->extremes[s].maximum : run->extremes[s].minimum);
    before = ",";
  }
  buf_puts(run->out, "],");
}

static enum err_code put_totals(struct run *run, int64_t last_day)
{
  const struct report_request *r = run->request;
  AUTO_BUF struct buf sql = BUF_INIT(SQL_MAX);
  sqlite3_stmt *stmt = NULL;
  query_totals(r, run->world, last_day, &sql);
  enum err_code code = prepare(run, &sql, &stmt);
  const char *before = "\"totals\":[";
  while (code == ERR_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    double values[REQUEST_MAX_METRICS] = {0};
    for (size_t i = 0; i < r->metric_count; i++)
      values[i] = sqlite3_column_double(stmt, (int)i + 1);
    buf_puts(run->out, before);
    put_aggregate_row(run, (size_t)sqlite3_column_int(stmt, 0), "RESERVED_TOTAL", values);
    before = ",";
  }
  sqlite3_finalize(stmt);
  if (before[0] == ',')
    buf_puts(run->out, "],");
  return code;
}

/* Events of a property between two days: the space a sample is drawn from. */
static int64_t events_between(struct run *run, const struct request_range *range, int64_t last_day)
{
  struct calendar_day from, to;
  sqlite3_stmt *stmt = NULL;
  int64_t n = 0;
  calendar_fill(&from, range->start);
  calendar_fill(&to, range->end < last_day ? range->end : last_day);
  if (sqlite3_prepare_v2(run->db,
                         "SELECT SUM(event_count) FROM sessions WHERE property_id=?"
                         " AND date BETWEEN ? AND ?",
                         -1, &stmt, NULL) == SQLITE_OK) {
    sqlite3_bind_int64(stmt, 1, run->request->property->property_id);
    sqlite3_bind_text(stmt, 2, from.date, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 3, to.date, -1, SQLITE_STATIC);
    if (sqlite3_step(stmt) == SQLITE_ROW)
      n = sqlite3_column_int64(stmt, 0);
  }
  sqlite3_finalize(stmt);
  return n;
}

static void put_metadata(struct run *run, int64_t last_day)
{
  const struct report_request *r = run->request;
  const struct world_property *p = r->property;
  buf_puts(run->out, "\"metadata\":{");
  if (p->high_cardinality && r->has_high_cardinality)
    buf_puts(run->out, "\"dataLossFromOtherRow\":true,");
  buf_puts(run->out, "\"currencyCode\":");
  put_string(run->out, r->currency_code[0] != '\0' ? r->currency_code : p->currency_code);
  buf_puts(run->out, ",\"timeZone\":");
  put_string(run->out, p->time_zone);
  if (p->thresholded && r->has_demographics)
    buf_puts(run->out, ",\"subjectToThresholding\":true");
  if (p->sampled) {
    /* The sample is reported, the figures are those of all data: tests need the truth. */
    buf_puts(run->out, ",\"samplingMetadatas\":[");
    for (size_t i = 0; i < r->range_count; i++) {
      int64_t space = events_between(run, &r->ranges[i], last_day);
      buf_printf(run->out, "%s{\"samplesReadCount\":\"%lld\",\"samplingSpaceSize\":\"%lld\"}",
                 i == 0 ? "" : ",", (long long)(space * 2 / 5), (long long)space);
    }
    buf_putc(run->out, ']');
  }
  buf_puts(run->out, "},");
}

static enum err_code put_aggregations(struct run *run, int64_t last_day)
{
  const struct report_request *r = run->request;
  if (run->row_count == 0 || r->metric_count == 0)
    return ERR_OK;
  if (r->total && put_totals(run, last_day) != ERR_OK)
    return ERR_INTERNAL;
  if (r->maximum)
    put_extremes(run, "maximums", "RESERVED_MAX", true);
  if (r->minimum)
    put_extremes(run, "minimums", "RESERVED_MIN", false);
  return ERR_OK;
}

static uint32_t cost_of(const struct report_request *r)
{
  int64_t days = 0;
  for (size_t i = 0; i < r->range_count; i++)
    days += r->ranges[i].end - r->ranges[i].start + 1;
  return quota_cost(r->requested_dimensions, r->metric_count, days);
}

enum err_code report_run(struct world *w, const struct report_request *r, struct quota *quota,
                         unsigned project, const struct report_style *style, struct buf *out,
                         struct err *e)
{
  AUTO_FREE struct run *run = xcalloc(1, sizeof(*run));
  *run = (struct run){.world = w, .request = r, .out = out, .e = e};
  int64_t last_day = world_today(w, r->property);
  run->db = world_reader_acquire(w);
  buf_putc(out, '{');
  put_headers(run, style);
  enum err_code code = put_rows(run, last_day);
  if (code == ERR_OK)
    code = put_aggregations(run, last_day);
  if (code == ERR_OK && run->row_count > 0)
    buf_printf(out, "\"rowCount\":%lld,", (long long)run->row_count);
  if (code == ERR_OK)
    put_metadata(run, last_day);
  world_reader_release(w, run->db);
  if (code != ERR_OK)
    return code;
  if (quota != NULL) {
    int64_t now = clock_unix_ms();
    uint32_t cost = cost_of(r);
    struct quota_account account = {r->property->index, QUOTA_CORE, project};
    quota_charge(quota, account, cost, now);
    if (r->return_quota) {
      buf_puts(out, "\"propertyQuota\":");
      quota_render(quota, account, cost, now, out);
      buf_putc(out, ',');
    }
  }
  if (!buf_puts(out, "\"kind\":\"analyticsData#runReport\"}"))
    return err_set(e, ERR_INTERNAL, "size", "simulator: the answer is larger than %d bytes",
                   REPORT_MAX_BYTES);
  return ERR_OK;
}
