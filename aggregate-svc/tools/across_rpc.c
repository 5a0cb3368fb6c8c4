/* RunReportAcrossDealers: the request checked, the report planned, the answer sent. */
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/tools/across.h"
#include "aggregate-svc/call/job.h"
#include "aggregate-svc/call/query.h"
#include "aggregate-svc/call/request.h"
#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersRequest Request;
typedef Analytics__Aggregate__V1__RunReportAcrossDealersResponse Response;
typedef Analytics__Auth__V1__ResolveCohortRequest ResolveRequest;
typedef Analytics__Ga4__V1beta__OrderBy OrderBy;
typedef Analytics__Ga4__V1beta__OrderBy__MetricOrderBy MetricOrderBy;

enum { DEFAULT_LIMIT = 25, LIMIT_MAX = 10000 };

struct across_job {
  struct job job;
  const Request *request; /* lives as long as the call */
  struct period period;
  size_t limit_per_dealer, pooled_limit, not_visible;
  struct across_tables tables;
};

/* --------------------------------------------------------------------- planning */

/* Largest first by the first metric. False when the arena is full. */
static bool set_order(Analytics__Ga4__V1beta__RunReportRequest *r, char *metric,
                      struct arena *arena)
{
  OrderBy *order = ARENA_NEW(arena, OrderBy);
  MetricOrderBy *by = ARENA_NEW(arena, MetricOrderBy);
  r->order_bys = ARENA_ARRAY(arena, OrderBy *, 1);
  if (order == NULL || by == NULL || r->order_bys == NULL)
    return false;
  analytics__ga4__v1beta__order_by__init(order);
  analytics__ga4__v1beta__order_by__metric_order_by__init(by);
  by->metric_name = metric;
  order->one_order_by_case = ANALYTICS__GA4__V1BETA__ORDER_BY__ONE_ORDER_BY_METRIC;
  order->metric = by;
  order->desc = true;
  r->order_bys[0] = order;
  r->n_order_bys = 1;
  return true;
}

static bool set_query(struct across_job *a, struct fanout_options *o)
{
  const Request *r = a->request;
  struct arena *arena = a->job.arena;
  o->queries = ARENA_ARRAY(arena, Analytics__Report__V1__ReportQuery *, 1);
  Analytics__Report__V1__ReportQuery *q = query_new(ACROSS_QUERY, r->dimensions, r->n_dimensions,
                                                    r->metrics, r->n_metrics, &a->period, arena);
  if (o->queries == NULL || q == NULL || !set_order(q->report, r->metrics[0], arena))
    return false;
  q->report->dimension_filter = r->dimension_filter;
  q->report->metric_filter = r->metric_filter;
  o->queries[0] = q;
  o->n_queries = 1;
  return true;
}

static enum err_code plan(struct job *j, struct fanout_options *o, struct err *e)
{
  struct across_job *a = (struct across_job *)j;
  struct aggregate_service *s = j->service;
  a->not_visible = cohort_keep_visible(&j->cohort);
  if (j->cohort.n == 0)
    return err_set(e, ERR_PERMISSION_DENIED, "no_visible_dealer",
                   "region: you may read no dealer of %.*s by name; compare_dealer_sessions gives "
                   "benchmarks over it",
                   (int)text_clip(j->cohort.label, 100), j->cohort.label);
  if (!set_query(a, o))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large",
                   "the request needs too much memory; give fewer dealers");
  o->purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  o->max_rows_per_report = s->options.max_rows;
  struct budget budget = {&s->bytes, s->options.max_bytes, 0};
  across_tables_init(&a->tables, j->cohort.n, a->request->n_dimensions, a->request->n_metrics,
                     s->options.max_rows, budget);
  return ERR_OK;
}

/* -------------------------------------------------------------------- streaming */

static enum err_code chunk(void *job, size_t member,
                           const Analytics__Report__V1__ColumnChunk *columns, struct err *e)
{
  return across_tables_chunk(&((struct across_job *)job)->tables, member, columns, e);
}

static void query_done(void *job, size_t member, const Analytics__Report__V1__QueryDone *done)
{
  across_tables_query_done(&((struct across_job *)job)->tables, member, done);
}

static void drop(void *job, size_t member)
{
  across_tables_drop(&((struct across_job *)job)->tables, member);
}

static void send_progress(struct job *j, Mcp__V1__Progress *progress)
{
  Response r = ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_RESPONSE__INIT;
  r.event_case = ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_RESPONSE__EVENT_PROGRESS;
  r.progress = progress;
  rpc_call_send(j->call, &r.base); /* progress that finds no room is not worth waiting for */
}

static const ProtobufCMessage *result(struct job *j, struct arena *arena, struct err *e)
{
  struct across_job *a = (struct across_job *)j;
  struct across_question q = {.cohort = &j->cohort,
                              .not_visible = a->not_visible,
                              .tables = &a->tables,
                              .dimensions = a->request->dimensions,
                              .metrics = a->request->metrics,
                              .metric_filter = a->request->metric_filter != NULL,
                              .limit_per_dealer = a->limit_per_dealer,
                              .pooled_limit = a->pooled_limit,
                              .period = &a->period,
                              .now_unix_ms = j->now_unix_ms};
  Response *r = ARENA_NEW(arena, Response);
  analytics__aggregate__v1__run_report_across_dealers_response__init(r);
  r->event_case = ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_RESPONSE__EVENT_RESULT;
  r->result = across_result(&q, arena, e);
  return r->result != NULL ? &r->base : NULL;
}

static void free_job(struct job *j)
{
  struct across_job *a = (struct across_job *)j;
  if (a->tables.tables != NULL)
    across_tables_free(&a->tables);
  free(a);
}

/* ----------------------------------------------------------------------- handler */

static const struct job_type type = {
    "RunReportAcrossDealers", plan, chunk, query_done, drop, send_progress, result, free_job};

static enum err_code check_limit(const char *field, int32_t given, int32_t fallback, size_t *out,
                                 struct err *e)
{
  if (given < 0 || given > LIMIT_MAX)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "%s: %d is not from %d to %d",
                   field, given, fallback > 0 ? 1 : 0, LIMIT_MAX);
  *out = (size_t)(given == 0 ? fallback : given);
  return ERR_OK;
}

static enum err_code check(struct across_job *a, struct err *e)
{
  const Request *r = a->request;
  enum err_code code = request_check_dealers(r->dealer_ids, r->n_dealer_ids, r->region, e);
  if (code == ERR_OK && r->n_metrics == 0)
    code = err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "metrics: give 1 to %d GA4 metrics, for example sessions", ACROSS_MAX_METRICS);
  if (code == ERR_OK)
    code = request_check_names("metrics", r->metrics, r->n_metrics, ACROSS_MAX_METRICS, e);
  if (code == ERR_OK)
    code =
        request_check_names("dimensions", r->dimensions, r->n_dimensions, ACROSS_MAX_DIMENSIONS, e);
  if (code == ERR_OK)
    code = check_limit("limit_per_dealer", r->limit_per_dealer, DEFAULT_LIMIT, &a->limit_per_dealer,
                       e);
  if (code == ERR_OK)
    code = check_limit("pooled_limit", r->pooled_limit, 0, &a->pooled_limit, e);
  return code == ERR_OK ? request_period(&a->period, r->date_range, a->job.now_unix_ms, e) : code;
}

void aggregate_across(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  struct across_job *a = xcalloc(1, sizeof(*a));
  struct err e = {0};
  a->request = (const Request *)request;
  if (!job_begin(&a->job, &type, service, call))
    return;
  if (check(a, &e) != ERR_OK) {
    job_end(&a->job, &e);
    return;
  }
  if (a->request->n_dealer_ids == 0 && a->request->region[0] == '\0') {
    job_list_visible(&a->job);
    return;
  }
  ResolveRequest resolve = ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
  resolve.dealer_ids = a->request->dealer_ids;
  resolve.n_dealer_ids = a->request->n_dealer_ids;
  resolve.region = a->request->region;
  job_resolve(&a->job, &resolve);
}
