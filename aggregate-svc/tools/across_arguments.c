/* Reads and checks the arguments of run_report_across_dealers. */
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/tools/across.h"
#include "common/base/mem.h"
#include "common/ga4/own.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersRequest Request;

enum { DEFAULT_LIMIT = 25, LIMIT_MAX = 10000, ROW_OFFSET_MAX = 1000000 };

bool across_is_compared(const struct tool_call *c)
{
  return ((const Request *)c->request)->compare_to != NULL || c->fields.subject[0] != '\0';
}

/* Pages are of dealers, or of compared rows. */
static enum err_code check_page(const struct tool_call *c, struct across_state *s, struct err *e)
{
  const Request *r = (const Request *)c->request;
  int32_t most = across_is_compared(c) ? ACROSS_MAX_ANSWER_ROWS : COHORT_MAX_DEALERS;
  enum err_code code = request_check_limit("dealers_per_page", r->dealers_per_page, 0,
                                           COHORT_MAX_DEALERS, &s->dealers_per_page, e);
  if (code == ERR_OK)
    code = request_check_limit("offset", r->offset, 0, most, &s->offset, e);
  if (code != ERR_OK || s->offset == 0 || across_is_compared(c) || s->by <= ACROSS_BY_DEALER)
    return code;
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                 "offset: skips dealers, which have no rows of their own by %s; leave it out",
                 r->by);
}

static enum err_code invalid(struct err *e, const char *text)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "%s", text);
}

enum err_code across_rename_range(struct err *e, const char *field)
{
  static const char named[] = "date_range.";
  if (strncmp(e->message, named, strlen(named)) == 0)
    err_reword(e, "%s.%s", field, e->message + strlen(named));
  return e->code;
}

/* The caller's name, else the days as run_report shows them; NULL when the arena is full. */
static const char *name_range(const Analytics__Ga4__V1beta__DateRange *range, struct arena *arena)
{
  if (range->name[0] != '\0')
    return range->name;
  return arena_printf(arena, "%s to %s", range->start_date, range->end_date);
}

/* One of several periods is the call's own; a list of one is that one. */
static enum err_code check_ranges(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  char field[32];
  if (r->n_date_ranges == 0)
    return ERR_OK;
  if (r->date_range != NULL)
    return invalid(e, "date_ranges: give these or date_range, not both");
  if (r->n_date_ranges > QUERY_MAX_PERIODS)
    return invalid(e, "date_ranges: at most 4 periods");
  if (r->n_date_ranges > 1 && across_is_compared(c))
    return invalid(e, "date_ranges: compare_to and subject take one period; give date_range");
  c->fields.date_range = r->date_ranges[0];
  for (size_t i = 0; i < r->n_date_ranges && r->n_date_ranges > 1; i++) {
    snprintf(field, sizeof(field), "date_ranges[%zu]", i);
    if (request_period(&s->ranges[i], r->date_ranges[i], c->now_unix_ms, e) != ERR_OK)
      return across_rename_range(e, field);
    s->range_names[s->n_ranges++] = name_range(r->date_ranges[i], c->arena);
  }
  return ERR_OK;
}

static enum err_code read_key(struct tool_call *c, size_t i, struct across_key *out, struct err *e)
{
  const struct across_state *s = c->state;
  const Analytics__Ga4__V1beta__OrderBy *by = ((const Request *)c->request)->order_bys[i];
  const char *name = "";
  out->desc = by->desc;
  out->metric = by->one_order_by_case == ANALYTICS__GA4__V1BETA__ORDER_BY__ONE_ORDER_BY_METRIC;
  if (out->metric)
    name = by->metric->metric_name;
  else if (by->one_order_by_case == ANALYTICS__GA4__V1BETA__ORDER_BY__ONE_ORDER_BY_DIMENSION)
    name = by->dimension->dimension_name;
  out->type = name[0] != '\0' && !out->metric ? (int)by->dimension->order_type : 0;
  out->column = out->metric ? across_ordering_column(c, name)
                            : ga4_name_index(s->dimensions, s->n_dimensions, name);
  if (out->column < (out->metric ? s->n_ordered : s->n_dimensions))
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                 "order_bys[%zu]: give a metric or dimension of this report", i);
}

/* What was asked for, and what Google adds behind it. */
static void name_columns(const struct tool_call *c)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  for (size_t i = 0; i < r->n_dimensions; i++)
    s->dimensions[s->n_dimensions++] = r->dimensions[i];
  if (s->n_comparisons > 0)
    s->dimensions[s->n_dimensions++] = borrow_text("comparison");
  if (s->n_ranges > 0)
    s->dimensions[s->n_dimensions++] = borrow_text("dateRange");
}

static enum err_code check_order(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  name_columns(c);
  if (r->n_order_bys > ARRAY_LEN(s->order.keys))
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "order_bys: at most %zu",
                   ARRAY_LEN(s->order.keys));
  for (size_t i = 0; i < r->n_order_bys; i++)
    if (read_key(c, i, &s->order.keys[s->order.n++], e) != ERR_OK)
      return e->code;
  return ERR_OK;
}

/* Rows of dealers and of the pool may be skipped; compared rows have an order of their own. */
static enum err_code check_row_offsets(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  if (across_is_compared(c) && (r->n_order_bys > 0 || r->row_offset != 0 || r->pooled_offset != 0))
    return invalid(
        e, r->n_order_bys > 0
               ? "order_bys: compared rows are in the order of their size; leave it out "
                 "with compare_to or subject"
               : "row_offset and pooled_offset: compared rows are paged by offset; leave these "
                 "out with compare_to or subject");
  enum err_code code =
      request_check_limit("row_offset", r->row_offset, 0, ROW_OFFSET_MAX, &s->row_offset, e);
  return code != ERR_OK ? code
                        : request_check_limit("pooled_offset", r->pooled_offset, 0, ROW_OFFSET_MAX,
                                              &s->pooled_offset, e);
}

static enum err_code check_by(struct tool_call *c, struct err *e)
{
  static const char *const names[] = {"", "dealer", "region", "group"};
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  size_t i = 0;
  while (i < ARRAY_LEN(names) && strcmp(r->by, names[i]) != 0)
    i++;
  if (i == ARRAY_LEN(names))
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "by: must be dealer, region or group");
  s->by = (enum across_by)i;
  if (s->by > ACROSS_BY_DEALER && c->fields.subject[0] != '\0')
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "by: a subject is one dealer; leave by out, or ask without subject");
  return ERR_OK;
}

/* What is said of each dealer needs an answer with dealers. */
static enum err_code check_per_dealer(const struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  for (size_t i = 0; i < r->n_metric_aggregations; i++)
    if (r->metric_aggregations[i] != ANALYTICS__GA4__V1BETA__METRIC_AGGREGATION__TOTAL &&
        r->metric_aggregations[i] != ANALYTICS__GA4__V1BETA__METRIC_AGGREGATION__MINIMUM &&
        r->metric_aggregations[i] != ANALYTICS__GA4__V1BETA__METRIC_AGGREGATION__MAXIMUM)
      return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                     "metric_aggregations[%zu]: give TOTAL, MINIMUM or MAXIMUM; row_count says how "
                     "many rows there are",
                     i);
  const struct across_state *s = c->state;
  const char *field = r->n_metric_aggregations > 0 ? "metric_aggregations"
                      : r->return_property_quota   ? "return_property_quota"
                                                   : NULL;
  if (field == NULL || (!across_is_compared(c) && s->by <= ACROSS_BY_DEALER))
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                 "%s: is given per dealer; leave it out with compare_to, subject or by, or ask "
                 "without these",
                 field);
}

/* Dealers count different events as leads and different sessions as shopping. */
static enum err_code check_own(const struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  for (size_t i = 0; c->fields.subject[0] != '\0' && i < r->n_metrics; i++)
    if (own_metric_find(r->metrics[i]) != NULL)
      return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                     "metrics[%zu]: dealers count different events in %s, so a subject is not "
                     "compared by it here; benchmark_dealer compares those that count the same",
                     i, r->metrics[i]);
  return ERR_OK;
}

/* A row must be in both periods, and pass or fail as a whole. */
static enum err_code check_rows(const Request *r, struct err *e)
{
  static const char *const dates[] = {"date",           "dateHour", "dateHourMinute", "day",
                                      "month",          "week",     "isoWeek",        "isoYear",
                                      "isoYearIsoWeek", "year",     "yearMonth",      "yearWeek"};
  for (size_t i = 0; r->compare_to != NULL && i < r->n_dimensions; i++)
    for (size_t k = 0; k < ARRAY_LEN(dates); k++)
      if (strcmp(r->dimensions[i], dates[k]) == 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                       "dimensions[%zu]: no %s is in both periods; leave it out, or ask "
                       "compare_trends for a trend over time",
                       i, dates[k]);
  if (r->metric_filter != NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "metric_filter: a row that passes on one side only would be compared with "
                   "nothing; leave it out with compare_to or subject");
  return ERR_OK;
}

/* Once date_range is known. */
enum err_code across_days(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  if (r->compare_to == NULL)
    return ERR_OK;
  if (request_period(&s->before, r->compare_to, c->now_unix_ms, e) != ERR_OK)
    return across_rename_range(e, "compare_to");
  struct period_days now = period_resolve(&c->period, c->now_unix_ms, 0);
  struct period_days then = period_resolve(&s->before, c->now_unix_ms, 0);
  if (now.first <= then.last && then.first <= now.last)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "compare_to: shares days with date_range; give days before it");
  return ERR_OK;
}

/* Without a number the default, with 0 all rows. */
static enum err_code check_limit(const Request *r, size_t *out, struct err *e)
{
  bool given = r->opt_limit_per_dealer_case != 0;
  enum err_code code = request_check_limit("limit_per_dealer", given ? r->limit_per_dealer : 0, 0,
                                           LIMIT_MAX, out, e);
  if (*out == 0)
    *out = given ? SIZE_MAX : DEFAULT_LIMIT;
  return code;
}

enum err_code across_check(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  enum err_code code = ERR_OK;
  if (r->n_metrics == 0)
    code = err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "metrics: give 1 to %d GA4 metrics, for example sessions", ACROSS_MAX_METRICS);
  if (code == ERR_OK)
    code = request_check_names("metrics", r->metrics, r->n_metrics, ACROSS_MAX_METRICS, e);
  if (code == ERR_OK)
    code =
        request_check_names("dimensions", r->dimensions, r->n_dimensions, ACROSS_MAX_DIMENSIONS, e);
  if (code == ERR_OK)
    code = across_check_definitions(c, e);
  if (code == ERR_OK)
    code = check_limit(r, &s->limit_per_dealer, e);
  if (code == ERR_OK)
    code = request_check_limit("pooled_limit", r->pooled_limit, 0, LIMIT_MAX, &s->pooled_limit, e);
  if (code == ERR_OK)
    code = check_by(c, e);
  if (code == ERR_OK)
    code = check_page(c, s, e);
  if (code == ERR_OK)
    code = check_ranges(c, e);
  if (code == ERR_OK)
    code = across_check_slices(c, e);
  if (code == ERR_OK)
    code = check_order(c, e);
  if (code == ERR_OK)
    code = check_row_offsets(c, e);
  if (code == ERR_OK)
    code = check_own(c, e);
  if (code == ERR_OK)
    code = check_per_dealer(c, e);
  return code == ERR_OK && across_is_compared(c) ? check_rows(r, e) : code;
}
