/* RunReport: one report of one dealer, its rows as Google's text. */
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/ga4/own.h"
#include "report-svc/answer/caveats.h"
#include "report-svc/answer/own.h"
#include "report-svc/answer/shown.h"
#include "report-svc/ask/first_day.h"
#include "report-svc/ask/serve.h"
#include "report-svc/own/serve.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__RunReportRequest tool_request;
typedef Analytics__Report__V1__RunReportResponse tool_response;
typedef Analytics__Ga4__V1beta__RunReportRequest ga4_request;
typedef Analytics__Ga4__V1beta__RunReportResponse ga4_response;

static enum err_code question(struct ask_options *out, const ProtobufCMessage *message,
                              struct arena *arena, struct err *e)
{
  const tool_request *request = (const tool_request *)message;
  struct err no_matter = {0};
  if (request_check(request, e) != ERR_OK)
    return e->code;
  ga4_request *report = request_to_ga4(request, arena);
  if (report == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  out->dealer_id = request->dealer_id;
  out->property_id = request->property_id;
  out->body = &report->base;
  out->one_property = own_check(report, &no_matter) == ERR_OK;
  out->fresh = request->return_property_quota; /* of which a minute-old figure is of no use */
  return ERR_OK;
}

static void put_rows(tool_response *m, const struct shown_report *shown, const ga4_response *report)
{
  m->n_dimension_headers = report->n_dimension_headers;
  m->dimension_headers = report->dimension_headers;
  m->n_metric_headers = report->n_metric_headers;
  m->metric_headers = report->metric_headers;
  m->n_rows = shown->n_rows;
  m->rows = shown->rows;
  m->row_count = shown->row_count;
  m->next_offset = shown->next_offset;
  m->n_aggregates = shown->n_aggregates;
  m->aggregates = shown->aggregates;
  m->headline = shown->headline;
}

static bool put_rest(tool_response *m, const ga4_response *report, bool quota,
                     const struct answer_texts *caveats, struct arena *arena)
{
  struct answer_texts notes = {.arena = arena};
  if (quota)
    notes_of_quota(&notes, report->property_quota);
  m->n_caveats = caveats->n;
  m->caveats = caveats->items;
  m->n_notes = notes.n;
  m->notes = notes.items;
  m->metadata = report->metadata;
  m->property_quota = quota ? report->property_quota : NULL;
  return !notes.failed;
}

/* The reply from a report of Google's or one that was put together, which `caveats` speak of
 * already. */
static ProtobufCMessage *put_reply(const struct shown_question *q, const struct ask *a,
                                   struct answer_texts *caveats, struct arena *arena)
{
  struct shown_report shown;
  tool_response *m = ARENA_NEW(arena, tool_response);
  caveats_of_choice(caveats, ask_used_token(a), ask_property(a));
  if (m == NULL || !shown_report(&shown, q, a, caveats, arena))
    return NULL;
  caveats_of_key_events(caveats, q->asked->metrics, q->asked->n_metrics);
  analytics__report__v1__run_report_response__init(m);
  m->dealer_id = ask_used_token(a)->dealer_ref;
  m->dealer_name = ask_used_token(a)->dealer_name;
  m->property = arena_strdup(arena, ask_property(a));
  if (shown.n_days > 0)
    m->period = answer_period(&shown.days[0], shown.zone, arena);
  put_rows(m, &shown, q->report);
  bool whole = m->property != NULL && (shown.n_days == 0 || m->period != NULL) &&
               put_rest(m, q->report, q->request->return_property_quota, caveats, arena);
  return whole ? &m->base : NULL;
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *message,
                               struct arena *arena)
{
  const tool_request *request = (const tool_request *)message;
  struct answer_texts caveats = {.arena = arena};
  struct shown_question q = {request, (const ga4_request *)ask_body(a),
                             (const ga4_response *)ask_message(a), NULL};
  caveats_of_one_property(&caveats, a);
  return put_reply(&q, a, &caveats, arena);
}

static ProtobufCMessage *own_reply_of(const struct own_job *j, const ProtobufCMessage *message,
                                      const ga4_request *asked, struct arena *arena)
{
  struct answer_texts caveats = {.arena = arena};
  struct shown_question q = {(const tool_request *)message, asked, own_report(j), j};
  caveats_of_own(&caveats, j);
  return put_reply(&q, own_ask(j), &caveats, arena);
}

static bool lacks_data(const struct ask *a, const ProtobufCMessage *request)
{
  (void)request;
  return first_day_matters((const ga4_request *)ask_body(a), (const ga4_response *)ask_message(a),
                           clock_unix_ms());
}

/* Figures of days that are final are kept for hours, others for the cache's own time; what is asked
 * by relative dates, or has open days, no longer than the property's day lasts. */
static int64_t keep_ms(const ProtobufCMessage *body, const ProtobufCMessage *answer, int64_t ttl_ms,
                       int64_t now_unix_ms)
{
  const ga4_request *asked = (const ga4_request *)body;
  const ga4_response *report = (const ga4_response *)answer;
  const char *zone = report->metadata == NULL ? "" : report->metadata->time_zone;
  bool closed = asked->cohort_spec == NULL, relative = false; /* a cohort's steps go on */
  for (size_t i = 0; i < asked->n_date_ranges; i++) {
    struct answer_days days = answer_days_of(asked->date_ranges[i], zone, now_unix_ms);
    closed = closed && days.complete >= days.last;
    relative = relative || request_date_is_relative(asked->date_ranges[i]->start_date) ||
               request_date_is_relative(asked->date_ranges[i]->end_date);
  }
  int64_t keep = closed && ttl_ms < CACHE_FINAL_MS ? CACHE_FINAL_MS : ttl_ms;
  int64_t day = request_day_left_ms(zone, now_unix_ms);
  return (relative || !closed) && keep > day ? day : keep;
}

/* A report that Google cannot give in one piece. */
static void serve_own(struct rpc_call *call, const ProtobufCMessage *request,
                      struct service *service)
{
  struct err e = {0};
  const ga4_request *asked = request_to_ga4((const tool_request *)request, rpc_call_arena(call));
  if (asked == NULL)
    err_set(&e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  if (asked == NULL || own_check(asked, &e) != ERR_OK)
    rpc_call_finish(call, &e);
  else
    own_serve(call, request, service, asked, own_reply_of);
}

/* The dealer has several properties, whose reports are added up. */
static bool instead(struct rpc_call *call, const ProtobufCMessage *request, struct service *service,
                    const struct err *e)
{
  if (strcmp(e->reason, TOKEN_SEVERAL_PROPERTIES) != 0)
    return false;
  serve_own(call, request, service);
  return true;
}

static bool asks_own(const tool_request *request)
{
  for (size_t i = 0; i < request->n_metrics; i++)
    if (own_metric_find(request->metrics[i]) != NULL)
      return true;
  return false;
}

void run_report_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {.method = GOOGLE_RUN_REPORT,
                                       .question = question,
                                       .reply = reply,
                                       .lacks_data = lacks_data,
                                       .keep_ms = keep_ms,
                                       .instead = instead,
                                       .locate = request_locate_body};
  struct err e = {0};
  if (!asks_own((const tool_request *)request))
    ask_serve(call, request, service, &tool);
  else if (request_check((const tool_request *)request, &e) != ERR_OK)
    rpc_call_finish(call, &e);
  else
    serve_own(call, request, service);
}
