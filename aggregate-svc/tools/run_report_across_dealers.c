/* run_report_across_dealers: one GA4 report for many dealers, and its rows added up. */
#include <string.h>

#include "aggregate-svc/answer/rows.h"
#include "aggregate-svc/call/query.h"
#include "aggregate-svc/figures/tables.h"
#include "aggregate-svc/tools/tools.h"
#include "common/base/mem.h"
#include "common/ga4/own.h"
#include "common/ga4/rate.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersRequest Request;
typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;

enum { DEFAULT_LIMIT = 25, LIMIT_MAX = 10000 };

struct state {
  struct report_tables tables;       /* first: the fold's figures */
  char *metrics[ACROSS_MAX_METRICS]; /* those asked for, then weights of rates */
  size_t n_metrics;
  char *dimensions[ACROSS_MAX_COLUMNS];
  enum across_by by;
  struct period before; /* of compare_to */
  size_t limit_per_dealer, pooled_limit, dealers_per_page, offset;
};

static bool is_compared(const struct tool_call *c)
{
  return ((const Request *)c->request)->compare_to != NULL || c->fields.subject[0] != '\0';
}

/* Pages are of dealers, or of compared rows. */
static enum err_code check_page(const struct tool_call *c, struct state *s, struct err *e)
{
  const Request *r = (const Request *)c->request;
  int32_t most = is_compared(c) ? ACROSS_MAX_ANSWER_ROWS : COHORT_MAX_DEALERS;
  enum err_code code = request_check_limit("dealers_per_page", r->dealers_per_page, 0,
                                           COHORT_MAX_DEALERS, &s->dealers_per_page, e);
  if (code == ERR_OK)
    code = request_check_limit("offset", r->offset, 0, most, &s->offset, e);
  if (code != ERR_OK || s->offset == 0 || is_compared(c) || s->by <= ACROSS_BY_DEALER)
    return code;
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                 "offset: skips dealers, which have no rows of their own by %s; leave it out",
                 r->by);
}

static enum err_code check_by(struct tool_call *c, struct err *e)
{
  static const char *const names[] = {"", "dealer", "region", "group"};
  const Request *r = (const Request *)c->request;
  struct state *s = c->state;
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
                       "compare_trends for a course",
                       i, dates[k]);
  if (r->metric_filter != NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "metric_filter: a row that passes on one side only would be compared with "
                   "nothing; leave it out with compare_to or subject");
  return ERR_OK;
}

/* Once date_range is known. */
static enum err_code find_before(struct tool_call *c, struct err *e)
{
  static const char named[] = "date_range.";
  const Request *r = (const Request *)c->request;
  struct state *s = c->state;
  if (r->compare_to == NULL)
    return ERR_OK;
  if (request_period(&s->before, r->compare_to, c->now_unix_ms, e) != ERR_OK) {
    if (strncmp(e->message, named, strlen(named)) == 0)
      err_reword(e, "compare_to.%s", e->message + strlen(named));
    return e->code;
  }
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

static enum err_code check(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct state *s = c->state;
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
    code = check_limit(r, &s->limit_per_dealer, e);
  if (code == ERR_OK)
    code = request_check_limit("pooled_limit", r->pooled_limit, 0, LIMIT_MAX, &s->pooled_limit, e);
  if (code == ERR_OK)
    code = check_by(c, e);
  if (code == ERR_OK)
    code = check_page(c, s, e);
  if (code == ERR_OK)
    code = check_own(c, e);
  return code == ERR_OK && is_compared(c) ? check_rows(r, e) : code;
}

/* The metrics of the report: what rates are pooled by is fetched along where it fits. */
static void choose_metrics(struct state *s, const Request *r)
{
  memcpy(s->metrics, r->metrics, r->n_metrics * sizeof(*s->metrics));
  s->n_metrics = r->n_metrics;
  for (size_t i = 0; i < r->n_metrics; i++) {
    const struct ga4_rate *rate = ga4_rate_find(r->metrics[i]);
    size_t k = 0;
    while (rate != NULL && k < s->n_metrics && strcmp(s->metrics[k], rate->weight) != 0)
      k++;
    if (rate != NULL && k == s->n_metrics && k < ACROSS_MAX_METRICS)
      s->metrics[s->n_metrics++] = borrow_text(rate->weight);
  }
}

static char *by_date[] = {(char *)"date"};

/* The rows asked for, or the days that show how their figures vary. */
static struct query_spec report(struct tool_call *c, uint32_t id)
{
  const Request *r = (const Request *)c->request;
  struct state *s = c->state;
  return (struct query_spec){.id = id,
                             .dimensions = id == ACROSS_ROWS ? r->dimensions : by_date,
                             .n_dimensions = id == ACROSS_ROWS ? r->n_dimensions : 1,
                             .metrics = s->metrics,
                             .n_metrics = s->n_metrics,
                             .periods = {&c->period, &s->before},
                             .n_periods = r->compare_to != NULL ? 2 : 1,
                             .dimension_filter = r->dimension_filter,
                             .metric_filter = r->metric_filter,
                             .currency_code = r->currency_code,
                             .keep_empty_rows = r->keep_empty_rows,
                             .largest_first = id == ACROSS_ROWS};
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct state *s = c->state;
  size_t more = r->compare_to != NULL, n = is_compared(c) ? ACROSS_REPORTS : 1;
  choose_metrics(s, r);
  for (size_t i = 0; i < r->n_dimensions; i++)
    s->dimensions[i] = r->dimensions[i];
  s->dimensions[r->n_dimensions] = borrow_text("dateRange");
  for (uint32_t id = ACROSS_ROWS; id <= n; id++) {
    struct query_spec spec = report(c, id);
    if (!tool_plan_add(p, query_new(&spec, c->arena)))
      return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large",
                     "the request needs too much memory; give fewer dealers");
  }
  p->add_properties = !is_compared(c); /* what is judged rests on one site and its events */
  p->max_rows_per_report = c->max_rows;
  const struct table_shape shapes[] = {{r->n_dimensions + more, s->n_metrics},
                                       {1 + more, s->n_metrics}};
  report_tables_init(&s->tables, shapes, n, c->cohort.n, c->max_rows, c->budget);
  s->tables.any_values = true;
  return ERR_OK;
}

/* A subject needs others, and both an answer. */
static enum err_code check_subject(const struct tool_call *c, struct err *e)
{
  const struct cohort *all = &c->cohort;
  if (all->subject < 0)
    return ERR_OK;
  if (all->members[all->subject].state != DEALER_OK)
    return err_set(e, all->members[all->subject].code, all->members[all->subject].reason,
                   "subject: %s", all->members[all->subject].message);
  if (cohort_count(all, DEALER_OK) > 1)
    return ERR_OK;
  return err_set(e, ERR_FAILED_PRECONDITION, "no_others",
                 "subject: there is no other dealer that you may read; benchmark_dealer and "
                 "compare_traffic_sources set it against dealers you may not see");
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct state *s = c->state;
  if (check_subject(c, e) != ERR_OK)
    return NULL;
  struct across_question q = {.cohort = &c->cohort,
                              .not_visible = c->not_visible,
                              .tables = &s->tables.of[ACROSS_ROWS - 1],
                              .days = is_compared(c) ? &s->tables.of[ACROSS_DAYS - 1] : NULL,
                              .before = r->compare_to != NULL ? &s->before : NULL,
                              .by = s->by,
                              .dimensions = s->dimensions,
                              .n_dimensions = r->n_dimensions,
                              .metrics = s->metrics,
                              .n_asked = r->n_metrics,
                              .metric_filter = r->metric_filter != NULL,
                              .limit_per_dealer = s->limit_per_dealer,
                              .pooled_limit = s->pooled_limit,
                              .offset = s->offset,
                              .dealers_per_page = s->dealers_per_page,
                              .period = &c->period,
                              .now_unix_ms = c->now_unix_ms};
  Result *rows = across_result(&q, arena, e);
  return rows != NULL ? &rows->base : NULL;
}

const struct tool run_report_across_dealers_tool = {.rpc = "RunReportAcrossDealers",
                                                    .dealers = TOOL_VISIBLE,
                                                    .state_size = sizeof(struct state),
                                                    .fold = &report_tables_fold,
                                                    .check = check,
                                                    .days = find_before,
                                                    .plan = plan,
                                                    .result = result};
