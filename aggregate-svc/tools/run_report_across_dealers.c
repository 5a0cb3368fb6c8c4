/* run_report_across_dealers: one GA4 report for many dealers, and its rows added up. */
#include <string.h>

#include "aggregate-svc/tools/across.h"
#include "aggregate-svc/tools/tools.h"
#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersRequest Request;
typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;

static char *by_date[] = {(char *)"date"};

/* The rows asked for, or the days that show how their figures vary. */
static struct query_spec report(struct tool_call *c, uint32_t id)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  struct query_spec spec = {.id = id,
                            .dimensions = id == ACROSS_ROWS ? r->dimensions : by_date,
                            .n_dimensions = id == ACROSS_ROWS ? r->n_dimensions : 1,
                            .metrics = s->metrics,
                            .n_metrics = id == ACROSS_ROWS ? s->n_queried : s->n_metrics,
                            .periods = {&c->period, &s->before},
                            .n_periods = r->compare_to != NULL ? 2 : 1,
                            .comparisons = s->comparisons,
                            .n_comparisons = s->n_comparisons,
                            .cohorts = r->cohort_spec,
                            .dimension_filter = r->dimension_filter,
                            .metric_filter = r->metric_filter,
                            .currency_code = r->currency_code,
                            .keep_empty_rows = r->keep_empty_rows,
                            .largest_first = id == ACROSS_ROWS,
                            .aggregations = r->metric_aggregations,
                            .n_aggregations = r->n_metric_aggregations,
                            .quota = r->return_property_quota};
  if (id == ACROSS_ROWS)
    spec.definitions = s->definitions;
  for (size_t i = 0; i < s->n_ranges; i++) {
    spec.periods[i] = &s->ranges[i];
    spec.period_names[i] = s->range_names[i];
    spec.n_periods = i + 1;
  }
  if (r->cohort_spec != NULL)
    spec.n_periods = 0;
  return spec;
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  bool sizes = across_asks_sizes(c), both = r->compare_to != NULL;
  bool fits = across_choose_queried(c);
  if (both)
    s->dimensions[s->n_dimensions] = borrow_text("dateRange");
  struct query_spec rows = report(c, ACROSS_ROWS), days = report(c, ACROSS_DAYS);
  fits = fits && tool_plan_add(p, query_new(&rows, c->arena));
  if (across_is_compared(c))
    fits = fits && tool_plan_add(p, query_new(&days, c->arena));
  else if (sizes)
    fits = fits && tool_plan_add(p, across_sizes_query(c));
  if (!fits)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large",
                   "the request needs too much memory; give fewer dealers");
  p->add_properties = !across_is_compared(c); /* what is judged rests on one site and its events */
  p->max_rows_per_report = c->max_rows;
  const struct table_shape shapes[] = {{s->n_dimensions + both, s->n_metrics},
                                       sizes ? (struct table_shape){2, 1}
                                             : (struct table_shape){1u + both, s->n_metrics}};
  report_tables_init(&s->tables, shapes, p->all.n, c->cohort.n, c->max_rows, c->budget);
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
                 "subject: you may read no other dealer to set it against; benchmark_dealer and "
                 "compare_traffic_sources compare it with dealers you may not see");
}

static void put_names(struct buf *out, const char *before, char **names, size_t n)
{
  for (size_t i = 0; i < n; i++)
    buf_printf(out, "%s%s", i == 0 ? before : i + 1 == n ? " and " : ", ", names[i]);
}

/* "sessions and engagementRate by city of 8 of 8 dealers, 2026-11-02 to 2026-11-29, against ..." */
static char *headline(const struct tool_call *c, const Result *rows, struct arena *arena)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  AUTO_BUF struct buf b = BUF_INIT(16 * 1024);
  put_names(&b, "", s->metrics, s->n_asked);
  put_names(&b, " by ", r->dimensions, r->n_dimensions);
  buf_printf(&b, " of %d of %d dealer%s", rows->coverage->ok, rows->coverage->asked,
             text_s((size_t)rows->coverage->asked));
  if (rows->subject[0] != '\0')
    buf_printf(&b, ", %s beside the others", rows->subject);
  if (rows->period != NULL) /* cohorts have days of their own */
    buf_printf(&b, ", %s to %s", rows->period->start_date, rows->period->end_date);
  if (rows->before_start[0] != '\0')
    buf_printf(&b, ", against %s to %s", rows->before_start, rows->before_end);
  return arena_strdup(arena, buf_str(&b));
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  if (check_subject(c, e) != ERR_OK)
    return NULL;
  struct across_question q = {.cohort = &c->cohort,
                              .not_visible = c->not_visible,
                              .tables = &s->tables.of[ACROSS_ROWS - 1],
                              .days = across_is_compared(c) ? &s->tables.of[ACROSS_DAYS - 1] : NULL,
                              .sizes =
                                  across_asks_sizes(c) ? &s->tables.of[ACROSS_SIZES - 1] : NULL,
                              .comparisons = s->n_comparisons > 0,
                              .cohorts = r->cohort_spec != NULL,
                              .before = r->compare_to != NULL ? &s->before : NULL,
                              .by = s->by,
                              .dimensions = s->dimensions,
                              .n_dimensions = s->n_dimensions,
                              .metrics = s->metrics,
                              .n_asked = s->n_asked,
                              .n_ordered = s->n_ordered,
                              .definitions = s->definitions,
                              .metric_filter = r->metric_filter != NULL,
                              .order = &s->order,
                              .limit_per_dealer = s->limit_per_dealer,
                              .row_offset = s->row_offset,
                              .pooled_limit = s->pooled_limit,
                              .pooled_offset = s->pooled_offset,
                              .offset = s->offset,
                              .dealers_per_page = s->dealers_per_page,
                              .period = &c->period,
                              .now_unix_ms = c->now_unix_ms};
  Result *rows = across_result(&q, arena, e);
  if (rows == NULL)
    return NULL;
  rows->headline = headline(c, rows, arena);
  return &rows->base;
}

const struct tool run_report_across_dealers_tool = {.rpc = "RunReportAcrossDealers",
                                                    .dealers = TOOL_VISIBLE,
                                                    .state_size = sizeof(struct across_state),
                                                    .fold = &report_tables_fold,
                                                    .check = across_check,
                                                    .days = across_days,
                                                    .plan = plan,
                                                    .result = result};
