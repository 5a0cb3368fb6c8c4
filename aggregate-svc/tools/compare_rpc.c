/* CompareDealerSessions: the request checked, the reports planned, the answer sent. */
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/tools/compare.h"
#include "aggregate-svc/figures/fold.h"
#include "aggregate-svc/call/job.h"
#include "aggregate-svc/call/query.h"
#include "aggregate-svc/call/request.h"
#include "aggregate-svc/words/text.h"
#include "common/base/log.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest Request;
typedef Analytics__Aggregate__V1__CompareDealerSessionsResponse Response;
typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Auth__V1__ResolveCohortRequest ResolveRequest;

struct compare_job {
  struct job job;
  const char *subject; /* of the request, which lives as long as the call */
  struct period period;
  struct lead_events leads;
  struct compare_fold fold;
};

/* --------------------------------------------------------------------- planning */

static char *session_metrics[] = {(char *)"sessions", (char *)"engagedSessions"};
static char *lead_dimensions[] = {(char *)"eventName"};
static char *lead_metrics[] = {(char *)"eventCount"};

static enum err_code arena_full(struct err *e)
{
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "cohort_too_large",
                 "the comparison needs too much memory; ask for fewer dealers");
}

static enum err_code set_queries(struct compare_job *c, struct fanout_options *o, struct err *e)
{
  struct arena *arena = c->job.arena;
  if (!lead_events_collect(&c->leads, &c->job.cohort, arena))
    return arena_full(e);
  o->n_queries = COMPARE_QUERIES;
  o->queries = ARENA_ARRAY(arena, Analytics__Report__V1__ReportQuery *, COMPARE_QUERIES);
  if (o->queries == NULL)
    return arena_full(e);
  o->queries[0] = query_new(COMPARE_QUERY_SESSIONS, NULL, 0, session_metrics, 2, &c->period, arena);
  o->queries[1] =
      query_new(COMPARE_QUERY_LEADS, lead_dimensions, 1, lead_metrics, 1, &c->period, arena);
  if (o->queries[0] == NULL || o->queries[1] == NULL)
    return arena_full(e);
  o->queries[1]->report->dimension_filter =
      query_in_list("eventName", c->leads.names, c->leads.n, arena);
  return o->queries[1]->report->dimension_filter != NULL ? ERR_OK : arena_full(e);
}

/* Dealers outside the caller's view are read with the grant auth-svc sealed for exactly
 * this cohort; otherwise the caller's own grant is enough. */
static enum err_code set_grant(const struct cohort *cohort, struct fanout_options *o, struct err *e)
{
  o->purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  if (cohort->outside == 0)
    return ERR_OK;
  if (cohort->sealed_len == 0)
    return err_set(e, ERR_INTERNAL, "internal", "auth-svc sealed no grant for the benchmark");
  o->purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK;
  o->grant = cohort->sealed;
  o->grant_len = cohort->sealed_len;
  return ERR_OK;
}

static enum err_code plan(struct job *j, struct fanout_options *o, struct err *e)
{
  struct compare_job *c = (struct compare_job *)j;
  if (c->subject[0] != '\0' && j->cohort.subject < 0)
    return err_set(e, ERR_NOT_FOUND, "unknown_dealer",
                   "subject: no dealer \"%.*s\"; list_dealers shows those you may read",
                   (int)text_clip(c->subject, 100), c->subject);
  enum err_code code = set_queries(c, o, e);
  if (code == ERR_OK)
    code = set_grant(&j->cohort, o, e);
  if (code == ERR_OK)
    compare_fold_init(&c->fold, &c->leads, j->cohort.n);
  return code;
}

/* -------------------------------------------------------------------- streaming */

static enum err_code chunk(void *job, size_t member,
                           const Analytics__Report__V1__ColumnChunk *columns, struct err *e)
{
  return compare_fold_chunk(&((struct compare_job *)job)->fold, member, columns, e);
}

static void query_done(void *job, size_t member, const Analytics__Report__V1__QueryDone *done)
{
  compare_fold_query_done(&((struct compare_job *)job)->fold, member, done);
}

static void drop(void *job, size_t member)
{
  compare_fold_drop(&((struct compare_job *)job)->fold, member);
}

static void send_progress(struct job *j, Mcp__V1__Progress *progress)
{
  Response r = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__INIT;
  r.event_case = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__EVENT_PROGRESS;
  r.progress = progress;
  rpc_call_send(j->call, &r.base); /* progress that finds no room is not worth waiting for */
}

/* -------------------------------------------------------------------- computing */

static void collect_figures(struct compare_job *c, struct dealer_figures *figures)
{
  for (size_t i = 0; i < c->job.cohort.n; i++) {
    const struct cohort_member *m = &c->job.cohort.members[i];
    struct dealer_figures *f = &figures[i];
    f->lead_event = LEAD_UNKNOWN;
    f->ok = m->state == DEALER_OK;
    if (!f->ok)
      continue;
    const int64_t *events = compare_fold_events(&c->fold, i);
    f->sessions = c->fold.sums[i].sessions;
    f->engaged_sessions = c->fold.sums[i].engaged_sessions;
    f->lead_event = lead_event_of(&c->leads, m->lead_event, events);
    f->leads = f->lead_event == LEAD_UNKNOWN ? 0 : events[f->lead_event];
  }
}

/* What was told of dealers outside the caller's view, for audit. */
static void log_release(const struct job *j, const Result *r)
{
  if (j->cohort.outside == 0)
    return;
  const char *trace = rpc_call_metadata(j->call, RPC_META_TRACEPARENT, NULL);
  size_t told = 0;
  for (size_t i = 0; i < r->regional_average->n_metrics; i++)
    told += r->regional_average->metrics[i]->opt_pooled_case != 0;
  log_info("benchmark released", LOG_S("cohort", j->cohort.id),
           LOG_S("start", r->period->start_date), LOG_S("end", r->period->end_date),
           LOG_I("dealers_ok", r->coverage->ok), LOG_I("undisclosed", j->cohort.outside),
           LOG_I("pooled_rates", told), LOG_S("traceparent", trace != NULL ? trace : ""));
}

static const ProtobufCMessage *result(struct job *j, struct arena *arena, struct err *e)
{
  struct compare_job *c = (struct compare_job *)j;
  struct dealer_figures *figures = ARENA_ARRAY(arena, struct dealer_figures, j->cohort.n);
  Response *r = ARENA_NEW(arena, Response);
  (void)e;
  collect_figures(c, figures);
  struct comparison question = {&j->cohort,
                                figures,
                                c->fold.notes,
                                &c->leads,
                                &c->period,
                                j->now_unix_ms,
                                j->service->options.policy};
  analytics__aggregate__v1__compare_dealer_sessions_response__init(r);
  r->event_case = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__EVENT_RESULT;
  r->result = compare_dealers(&question, arena);
  log_release(j, r->result);
  return &r->base;
}

static void free_job(struct job *j)
{
  struct compare_job *c = (struct compare_job *)j;
  compare_fold_free(&c->fold);
  free(c);
}

/* ----------------------------------------------------------------------- handler */

static const struct job_type type = {"CompareDealerSessions", plan,   chunk,   query_done, drop,
                                     send_progress,           result, free_job};

static enum err_code check(struct compare_job *c, const Request *r, struct err *e)
{
  enum err_code code = request_check_dealers(r->dealer_ids, r->n_dealer_ids, r->region, e);
  if (code == ERR_OK && strlen(r->subject) > 512)
    code = err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "subject: longer than 128 characters; list_dealers shows the ids");
  if (code == ERR_OK && strlen(r->cohort) > 512)
    code = err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "cohort: longer than 128 characters; list_cohorts shows the ids");
  return code == ERR_OK ? request_period(&c->period, r->date_range, c->job.now_unix_ms, e) : code;
}

void aggregate_compare(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  const Request *r = (const Request *)request;
  struct compare_job *c = xcalloc(1, sizeof(*c));
  struct err e = {0};
  if (!job_begin(&c->job, &type, service, call))
    return;
  c->subject = r->subject;
  if (check(c, r, &e) != ERR_OK) {
    job_end(&c->job, &e);
    return;
  }
  ResolveRequest resolve = ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
  resolve.dealer_ids = r->dealer_ids;
  resolve.n_dealer_ids = r->n_dealer_ids;
  resolve.region = r->region;
  resolve.subject_dealer_id = r->subject;
  resolve.cohort = r->cohort;
  job_resolve(&c->job, &resolve);
}
