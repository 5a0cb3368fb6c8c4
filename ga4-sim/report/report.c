/* Executes a report's SQL and prints headers, rows, aggregations, metadata, quota. */
#include "ga4-sim/report/report.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "ga4-sim/report/answer_rows.h"
#include "ga4-sim/report/print.h"
#include "ga4-sim/report/query.h"
#include "ga4-sim/report/table.h"

enum { SLICES = REQUEST_MAX_COHORTS * REQUEST_MAX_COMPARISONS };

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

/* Which of the combinations that are counted and paged a row belongs to, from 0. */
static int64_t place_of(const struct run *run, const struct report_rows *rows)
{
  size_t metrics = run->request->metric_count;
  return rows->number_count > metrics ? (int64_t)rows->numbers[metrics] - 1 : run->row_count;
}

static enum err_code put_rows(struct run *run, int64_t last_day)
{
  const struct report_request *r = run->request;
  AUTO_BUF struct buf sql = BUF_INIT(TABLE_SQL_MAX);
  struct report_rows rows;
  size_t shown = 0;
  query_rows(r, run->world, last_day, &sql);
  report_rows_begin(&rows, run->world, run->db, r, &sql, r->dimension_count, run->e);
  while (report_rows_next(&rows)) {
    note_extremes(run, rows.slice, rows.numbers);
    int64_t place = place_of(run, &rows);
    if (place >= run->row_count)
      run->row_count = place + 1;
    if (place < r->offset || place - r->offset >= r->limit)
      continue;
    buf_puts(run->out, shown++ == 0 ? "\"rows\":[" : ",");
    print_row(r, rows.texts, rows.numbers, run->out);
  }
  enum err_code code = report_rows_end(&rows);
  if (code == ERR_OK && shown > 0)
    buf_puts(run->out, "],");
  return code;
}

/* One aggregate row: RESERVED_TOTAL in each dimension, names in dateRange and
 * comparison. */
static void put_aggregate_row(struct run *run, size_t slice, const char *reserved,
                              const double *values)
{
  const struct report_request *r = run->request;
  const char *texts[REQUEST_MAX_DIMENSIONS + 2];
  for (size_t i = 0; i < r->dimension_count; i++) {
    enum dimension_role role = r->dimensions[i].role;
    texts[i] = reserved;
    if (role == ROLE_DATE_RANGE || role == ROLE_COHORT)
      texts[i] = r->ranges[slice % r->range_count].name;
    else if (role == ROLE_COMPARISON && r->comparison_count > 0)
      texts[i] = r->comparisons[slice / r->range_count].name;
  }
  print_row(r, texts, values, run->out);
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
  AUTO_BUF struct buf sql = BUF_INIT(TABLE_SQL_MAX);
  struct report_rows rows;
  const char *before = "\"totals\":[";
  query_totals(r, run->world, last_day, &sql);
  report_rows_begin(&rows, run->world, run->db, r, &sql, 0, run->e);
  while (report_rows_next(&rows)) {
    buf_puts(run->out, before);
    put_aggregate_row(run, rows.slice, "RESERVED_TOTAL", rows.numbers);
    before = ",";
  }
  enum err_code code = report_rows_end(&rows);
  if (before[0] == ',')
    buf_puts(run->out, "],");
  return code;
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

int64_t report_last_day(const struct world *w, const struct report_request *r)
{
  return world_today(w, r->property) - (int64_t)r->conditions.freshness_lag_days;
}

static uint32_t cost_of(const struct report_request *r)
{
  int64_t days = 0;
  for (size_t i = 0; i < r->range_count; i++)
    days += r->ranges[i].end - r->ranges[i].start + 1;
  return quota_cost(r->requested_dimensions, r->metric_count, days);
}

enum err_code report_admit(const struct report_request *r, struct quota *quota,
                           struct quota_account account, struct err *e)
{
  if (quota == NULL || !r->potentially_thresholded ||
      quota_take_thresholded(quota, account, clock_unix_ms()))
    return ERR_OK;
  return err_set(e, ERR_RESOURCE_EXHAUSTED, NULL, "%s", quota_message(QUOTA_EXHAUSTED_THRESHOLDED));
}

void report_charge(const struct report_request *r, struct quota *quota,
                   struct quota_account account, struct buf *out)
{
  int64_t now = clock_unix_ms();
  uint32_t cost = cost_of(r);
  if (quota == NULL)
    return;
  quota_charge(quota, account, cost, now);
  if (!r->return_quota)
    return;
  buf_puts(out, "\"propertyQuota\":");
  quota_render(quota, account, cost, now, out);
  buf_putc(out, ',');
}

enum err_code report_run(struct world *w, const struct report_request *r, struct quota *quota,
                         unsigned project, const struct report_style *style, struct buf *out,
                         struct err *e)
{
  bool realtime = r->minutes_ago != NULL;
  struct quota_account account = {r->property->index, realtime ? QUOTA_REALTIME : QUOTA_CORE,
                                  project};
  if (report_admit(r, quota, account, e) != ERR_OK)
    return ERR_RESOURCE_EXHAUSTED;
  AUTO_FREE struct run *run = xcalloc(1, sizeof(*run));
  *run = (struct run){.world = w, .request = r, .out = out, .e = e};
  int64_t last_day = report_last_day(w, r);
  run->db = world_reader_acquire(w, r->property, e);
  if (run->db == NULL)
    return e->code;
  buf_putc(out, '{');
  print_headers(r, style, out);
  enum err_code code = put_rows(run, last_day);
  if (code == ERR_OK)
    code = put_aggregations(run, last_day);
  if (code == ERR_OK && run->row_count > 0)
    buf_printf(out, "\"rowCount\":%lld,", (long long)run->row_count);
  if (code == ERR_OK && r->minutes_ago == NULL) /* realtime answers have none */
    print_metadata(r, run->db, last_day, r->more_metadata, out);
  world_reader_release(w, run->db);
  if (code != ERR_OK)
    return code;
  report_charge(r, quota, account, out);
  if (!buf_printf(out, "\"kind\":\"analyticsData#%s\"}",
                  realtime ? "runRealtimeReport" : "runReport"))
    return err_set(e, ERR_INTERNAL, "size", "simulator: the answer is larger than %d bytes",
                   REPORT_MAX_BYTES);
  return ERR_OK;
}
