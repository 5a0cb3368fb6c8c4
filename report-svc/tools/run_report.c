/* RunReport: one report of one dealer, its rows as Google's text. */
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "report-svc/answer/caveats.h"
#include "report-svc/answer/headline.h"
#include "report-svc/answer/landing.h"
#include "report-svc/answer/ranges.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__RunReportRequest tool_request;
typedef Analytics__Report__V1__RunReportResponse tool_response;
typedef Analytics__Ga4__V1beta__RunReportRequest ga4_request;
typedef Analytics__Ga4__V1beta__RunReportResponse ga4_response;

static enum err_code question(struct ask_options *out, const ProtobufCMessage *message,
                              struct arena *arena, struct err *e)
{
  const tool_request *request = (const tool_request *)message;
  if (request_check(request, e) != ERR_OK)
    return e->code;
  ga4_request *report = request_to_ga4(request, arena);
  if (report == NULL || !request_complete_order(report, arena))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  report->limit = request->limit == 0 ? REQUEST_DEFAULT_LIMIT : request->limit;
  if (report->limit > REQUEST_MAX_SERVED)
    report->limit = REQUEST_MAX_SERVED;
  report->offset = request->offset;
  report->return_property_quota = true; /* what is left decides about the next one */
  out->dealer_id = request->dealer_id;
  out->property_id = request->property_id;
  out->body = &report->base;
  out->fresh = request->return_property_quota; /* of which a minute-old figure is of no use */
  return ERR_OK;
}

/* Google counts rows of several date ranges as one. */
static int64_t next_offset(const ga4_request *asked, const ga4_response *report)
{
  int64_t taken = asked->n_date_ranges > 1 ? asked->limit : (int64_t)report->n_rows;
  int64_t next = asked->offset + taken;
  return report->n_rows > 0 && next < report->row_count ? next : 0;
}

/* The rows, as they are unless date ranges need a name. */
static bool put_rows(tool_response *m, const ga4_request *asked, const ga4_response *report,
                     const struct answer_days *days, bool ordered, struct arena *arena)
{
  m->n_dimension_headers = report->n_dimension_headers;
  m->dimension_headers = report->dimension_headers;
  m->n_metric_headers = report->n_metric_headers;
  m->metric_headers = report->metric_headers;
  m->n_rows = report->n_rows;
  m->rows = report->rows;
  m->row_count = report->row_count;
  m->next_offset = next_offset(asked, report);
  if (asked->n_date_ranges > 1 && report->n_rows > 0) {
    struct ranges_question q = {asked, days, report, !ordered};
    m->rows = ranges_rows(&q, arena);
  }
  return report->n_rows == 0 || m->rows != NULL;
}

static bool put_headline(tool_response *m, const struct ask *a, const tool_request *request,
                         const struct answer_days *days, size_t n_ranges, struct arena *arena)
{
  AUTO_BUF struct buf text = BUF_INIT(HEADLINE_MAX);
  bool several = n_ranges > 1; /* rows are more than combinations */
  struct headline h = {.rows = (int64_t)m->n_rows,
                       .first = several ? 0 : request->offset,
                       .row_count = several ? (int64_t)m->n_rows : m->row_count,
                       .metrics = request->metrics,
                       .n_metrics = request->n_metrics,
                       .dimensions = request->dimensions,
                       .n_dimensions = request->n_dimensions,
                       .ranges = days,
                       .n_ranges = n_ranges};
  headline_put_report(&text, &h, ask_used_token(a), ask_property(a));
  m->headline = arena_strdup(arena, buf_str(&text));
  return m->headline != NULL;
}

/* No rows though nothing was filtered out or skipped. */
static bool has_no_data(const ga4_request *asked, const ga4_response *report)
{
  return report->n_rows == 0 && report->row_count == 0 && asked->offset == 0 &&
         asked->dimension_filter == NULL && asked->metric_filter == NULL;
}

static bool put_texts(tool_response *m, const tool_request *request, const ga4_request *asked,
                      const ga4_response *report, const struct answer_days *days,
                      struct arena *arena)
{
  struct answer_texts caveats = {.arena = arena}, notes = {.arena = arena};
  size_t before = m->n_rows;
  if (!landing_join(&m->rows, &m->n_rows, report, &caveats, arena))
    return false;
  m->row_count -= (int32_t)(before - m->n_rows);
  const Analytics__Ga4__V1beta__ResponseMetaData *metadata = report->metadata;
  caveats_of_metadata(&caveats, metadata);
  caveats_of_days(&caveats, days);
  if (has_no_data(asked, report))
    caveats_of_no_rows(&caveats, days, asked->n_date_ranges);
  caveats_of_currency(&caveats, metadata == NULL ? "" : metadata->currency_code,
                      report->metric_headers, report->n_metric_headers);
  if (request->return_property_quota)
    notes_of_quota(&notes, report->property_quota);
  m->n_caveats = caveats.n;
  m->caveats = caveats.items;
  m->n_notes = notes.n;
  m->notes = notes.items;
  m->metadata = report->metadata;
  m->property_quota = request->return_property_quota ? report->property_quota : NULL;
  return !caveats.failed && !notes.failed;
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *message,
                               struct arena *arena)
{
  const tool_request *request = (const tool_request *)message;
  const ga4_response *report = (const ga4_response *)ask_message(a);
  const ga4_request *asked = (const ga4_request *)ask_body(a);
  const char *zone = report->metadata == NULL ? "" : report->metadata->time_zone;
  struct answer_days days[REQUEST_MAX_DATE_RANGES];
  for (size_t i = 0; i < asked->n_date_ranges; i++)
    days[i] = answer_days_of(asked->date_ranges[i], zone, clock_unix_ms());
  tool_response *m = ARENA_NEW(arena, tool_response);
  if (m == NULL)
    return NULL;
  analytics__report__v1__run_report_response__init(m);
  m->dealer_id = ask_used_token(a)->dealer_ref;
  m->dealer_name = ask_used_token(a)->dealer_name;
  m->property = arena_strdup(arena, ask_property(a));
  m->period = answer_period(&days[0], zone, arena);
  bool whole = m->property != NULL && m->period != NULL &&
               put_rows(m, asked, report, days, request->n_order_bys > 0, arena) &&
               put_texts(m, request, asked, report, days, arena) &&
               put_headline(m, a, request, days, asked->n_date_ranges, arena);
  return whole ? &m->base : NULL;
}

static void locate(const ProtobufCMessage *body, struct err *e)
{
  request_locate((const ga4_request *)body, e);
}

/* Figures of days that are final are kept for hours, others for the cache's own time; what is asked
 * by relative dates, or has open days, no longer than the property's day lasts. */
static int64_t keep_ms(const ProtobufCMessage *body, const ProtobufCMessage *answer, int64_t ttl_ms,
                       int64_t now_unix_ms)
{
  enum { CLOSED_MS = 4 * 3600 * 1000 };
  const ga4_request *asked = (const ga4_request *)body;
  const ga4_response *report = (const ga4_response *)answer;
  const char *zone = report->metadata == NULL ? "" : report->metadata->time_zone;
  bool closed = true, relative = false;
  for (size_t i = 0; i < asked->n_date_ranges; i++) {
    struct answer_days days = answer_days_of(asked->date_ranges[i], zone, now_unix_ms);
    closed = closed && days.complete >= days.last;
    relative = relative || request_date_is_relative(asked->date_ranges[i]->start_date) ||
               request_date_is_relative(asked->date_ranges[i]->end_date);
  }
  int64_t keep = closed && ttl_ms < CLOSED_MS ? CLOSED_MS : ttl_ms;
  int64_t day = answer_day_left_ms(zone, now_unix_ms);
  return (relative || !closed) && keep > day ? day : keep;
}

void run_report_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {.method = GOOGLE_RUN_REPORT,
                                       .question = question,
                                       .reply = reply,
                                       .keep_ms = keep_ms,
                                       .locate = locate};
  ask_serve(call, request, service, &tool);
}
