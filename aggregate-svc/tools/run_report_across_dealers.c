/* run_report_across_dealers: one GA4 report for many dealers, and its rows added up. */
#include <string.h>

#include "aggregate-svc/answer/rows.h"
#include "aggregate-svc/call/query.h"
#include "aggregate-svc/tools/tools.h"
#include "common/ga4/rate.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersRequest Request;
typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;

enum { DEFAULT_LIMIT = 25, LIMIT_MAX = 10000 };

struct state {
  struct across_tables tables;       /* first: the fold's figures */
  char *metrics[ACROSS_MAX_METRICS]; /* those asked for, then weights of rates */
  size_t n_metrics;
  size_t limit_per_dealer, pooled_limit;
};

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
    code = request_check_limit("limit_per_dealer", r->limit_per_dealer, DEFAULT_LIMIT, LIMIT_MAX,
                               &s->limit_per_dealer, e);
  if (code == ERR_OK)
    code = request_check_limit("pooled_limit", r->pooled_limit, 0, LIMIT_MAX, &s->pooled_limit, e);
  return code;
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

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct state *s = c->state;
  choose_metrics(s, r);
  struct query_spec spec = {.id = ACROSS_QUERY,
                            .dimensions = r->dimensions,
                            .n_dimensions = r->n_dimensions,
                            .metrics = s->metrics,
                            .n_metrics = s->n_metrics,
                            .periods = {&c->period},
                            .n_periods = 1,
                            .dimension_filter = r->dimension_filter,
                            .metric_filter = r->metric_filter,
                            .currency_code = r->currency_code,
                            .keep_empty_rows = r->keep_empty_rows,
                            .largest_first = true};
  if (!tool_plan_add(p, query_new(&spec, c->arena)))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large",
                   "the request needs too much memory; give fewer dealers");
  p->add_properties = true;
  p->max_rows_per_report = c->max_rows;
  across_tables_init(&s->tables, c->cohort.n, r->n_dimensions, s->n_metrics, c->max_rows,
                     c->budget);
  return ERR_OK;
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct state *s = c->state;
  struct across_question q = {.cohort = &c->cohort,
                              .not_visible = c->not_visible,
                              .tables = &s->tables,
                              .dimensions = r->dimensions,
                              .metrics = s->metrics,
                              .n_asked = r->n_metrics,
                              .metric_filter = r->metric_filter != NULL,
                              .limit_per_dealer = s->limit_per_dealer,
                              .pooled_limit = s->pooled_limit,
                              .period = &c->period,
                              .now_unix_ms = c->now_unix_ms};
  Result *rows = across_result(&q, arena, e);
  return rows != NULL ? &rows->base : NULL;
}

const struct tool run_report_across_dealers_tool = {.rpc = "RunReportAcrossDealers",
                                                    .dealers = TOOL_VISIBLE,
                                                    .state_size = sizeof(struct state),
                                                    .fold = &across_fold,
                                                    .check = check,
                                                    .plan = plan,
                                                    .result = result};
