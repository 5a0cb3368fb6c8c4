/* BatchRunReports: up to five reports of one dealer in one request to Google.
 *
 * The answer is one table: its columns are the dimensions and metrics of all reports, each once,
 * and a row has values where its report has the column. */
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/answer/caveats.h"
#include "report-svc/answer/headline.h"
#include "report-svc/answer/own.h"
#include "report-svc/answer/shown.h"
#include "report-svc/answer/target.h"
#include "report-svc/answer/wide.h"
#include "report-svc/ask/first_day.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__BatchRunReportsRequest tool_request;
typedef Analytics__Report__V1__BatchRunReportsResponse tool_response;
typedef Analytics__Report__V1__BatchRunReportsResponse__Report report_message;
typedef Analytics__Report__V1__BatchRunReportsResponse__ReportRow batch_row;
typedef Analytics__Report__V1__RunReportRequest one_request;
typedef Analytics__Ga4__V1beta__BatchRunReportsRequest ga4_request;
typedef Analytics__Ga4__V1beta__BatchRunReportsResponse ga4_response;
typedef Analytics__Ga4__V1beta__RunReportRequest ga4_report_request;

/* ------------------------------------------------------------------ question */

/* A report is about the dealer of the batch, so it names none, or the same. */
static enum err_code check_one(const tool_request *batch, size_t i, struct err *e)
{
  one_request r = *batch->requests[i];
  bool same = (r.dealer_id[0] == '\0' || strcmp(r.dealer_id, batch->dealer_id) == 0) &&
              (r.property_id[0] == '\0' || strcmp(r.property_id, batch->property_id) == 0);
  r.dealer_id = batch->dealer_id;
  r.property_id = batch->property_id;
  if (!same)
    err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
            "dealer_id: all reports of a batch are about its own dealer; leave it out, or run the "
            "report of another dealer with run_report");
  if (!same || request_check(&r, e) != ERR_OK)
    err_prefix(e, "requests[%zu].", i);
  return same ? e->code : ERR_INVALID_ARGUMENT;
}

/* A name is one column of the answer, whichever report it is of. */
static const char *other_meaning(const one_request *a, const one_request *b)
{
  const struct ga4_definitions of_a = GA4_DEFINITIONS(a), of_b = GA4_DEFINITIONS(b);
  for (size_t i = 0; i < a->n_metrics; i++)
    for (size_t k = 0; k < b->n_metrics; k++)
      if (strcmp(a->metrics[i], b->metrics[k]) == 0 &&
          !ga4_same_metric(ga4_defined_metric(&of_a, a->metrics[i]),
                           ga4_defined_metric(&of_b, a->metrics[i])))
        return a->metrics[i];
  for (size_t i = 0; i < a->n_dimensions; i++)
    for (size_t k = 0; k < b->n_dimensions; k++)
      if (strcmp(a->dimensions[i], b->dimensions[k]) == 0 &&
          !ga4_same_dimension(ga4_defined_dimension(&of_a, a->dimensions[i]),
                              ga4_defined_dimension(&of_b, a->dimensions[i])))
        return a->dimensions[i];
  return NULL;
}

static enum err_code check_columns(const tool_request *r, size_t i, struct err *e)
{
  for (size_t k = 0; k < i; k++) {
    const char *name = other_meaning(r->requests[k], r->requests[i]);
    if (name != NULL)
      return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                     "requests[%zu]: %.80s is defined otherwise in requests[%zu]; give it another "
                     "name in one of them",
                     i, name, k);
  }
  return ERR_OK;
}

static enum err_code check(const tool_request *r, struct err *e)
{
  if (request_check_target(r->dealer_id, r->property_id, e) != ERR_OK)
    return e->code;
  if (r->n_requests == 0 || r->n_requests > REQUEST_MAX_BATCH)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "requests: give one to %d reports, got %zu", REQUEST_MAX_BATCH, r->n_requests);
  for (size_t i = 0; i < r->n_requests; i++)
    if (check_one(r, i, e) != ERR_OK || check_columns(r, i, e) != ERR_OK)
      return e->code;
  return ERR_OK;
}

static enum err_code question(struct ask_options *out, const ProtobufCMessage *message,
                              struct arena *arena, struct err *e)
{
  const tool_request *r = (const tool_request *)message;
  if (check(r, e) != ERR_OK)
    return e->code;
  ga4_request *body = ARENA_NEW(arena, ga4_request);
  ga4_report_request **list = ARENA_ARRAY(arena, ga4_report_request *, r->n_requests);
  bool whole = body != NULL && list != NULL;
  for (size_t i = 0; whole && i < r->n_requests; i++) {
    list[i] = request_to_ga4(r->requests[i], arena);
    whole = list[i] != NULL;
  }
  if (!whole)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  analytics__ga4__v1beta__batch_run_reports_request__init(body);
  body->n_requests = r->n_requests;
  body->requests = list;
  out->dealer_id = r->dealer_id;
  out->property_id = r->property_id;
  out->body = &body->base;
  return ERR_OK;
}

/* Google does not say which report of a batch it refuses; the field it names does. */
static void locate(const ProtobufCMessage *body, struct err *e)
{
  const ga4_request *batch = (const ga4_request *)body;
  char before[sizeof(e->message)];
  memcpy(before, e->message, sizeof(before));
  for (size_t i = 0; i < batch->n_requests; i++) {
    request_locate(batch->requests[i], e);
    if (strcmp(before, e->message) != 0) {
      err_prefix(e, "requests[%zu].", i);
      return;
    }
  }
}

/* ------------------------------------------------------------------ reply */

static bool put_report(tool_response *m, const struct shown_report *shown, int32_t number,
                       struct arena *arena)
{
  report_message *r = ARENA_NEW(arena, report_message);
  if (r == NULL)
    return false;
  analytics__report__v1__batch_run_reports_response__report__init(r);
  r->report = number;
  r->headline = shown->headline;
  r->row_count = shown->row_count;
  r->next_offset = shown->next_offset;
  if (shown->n_days > 0) {
    Analytics__Report__V1__Period *period = answer_period(&shown->days[0], shown->zone, arena);
    if (period == NULL)
      return false;
    r->start_date = period->start_date;
    r->end_date = period->end_date;
  }
  m->reports[m->n_reports++] = r;
  return true;
}

static bool put_aggregates(tool_response *m, const struct shown_report *shown, int32_t number,
                           struct arena *arena)
{
  for (size_t i = 0; i < shown->n_aggregates; i++) {
    Analytics__Report__V1__ReportAggregate *a =
        ARENA_NEW(arena, Analytics__Report__V1__ReportAggregate);
    if (a == NULL)
      return false;
    analytics__report__v1__report_aggregate__init(a);
    a->report = number;
    a->aggregate = shown->aggregates[i];
    m->aggregates[m->n_aggregates++] = a;
  }
  return true;
}

/* Appends the sentences of one report, with its number before them when there are several. */
static void put_caveats(struct answer_texts *all, const struct answer_texts *of, int32_t number,
                        size_t reports)
{
  for (size_t i = 0; i < of->n; i++) {
    if (reports == 1)
      answer_say(all, "%s", of->items[i]);
    else
      answer_say(all, "Report %d: %s", number, of->items[i]);
  }
}

static bool make_room(tool_response *m, const struct shown_report *shown, size_t n,
                      struct arena *arena)
{
  size_t rows = 0, aggregates = 0;
  for (size_t i = 0; i < n; i++) {
    rows += shown[i].n_rows;
    aggregates += shown[i].n_aggregates;
  }
  m->reports = ARENA_ARRAY(arena, report_message *, n);
  m->rows = ARENA_ARRAY(arena, batch_row *, rows);
  m->aggregates = ARENA_ARRAY(arena, Analytics__Report__V1__ReportAggregate *, aggregates);
  return m->reports != NULL && m->rows != NULL && m->aggregates != NULL;
}

static bool put_reports(tool_response *m, const struct shown_report *shown,
                        const ga4_response *batch, struct arena *arena)
{
  if (!make_room(m, shown, batch->n_reports, arena))
    return false;
  for (size_t i = 0; i < batch->n_reports; i++) {
    int32_t number = (int32_t)i + 1;
    if (!put_report(m, &shown[i], number, arena) || !put_aggregates(m, &shown[i], number, arena))
      return false;
    for (size_t k = 0; k < shown[i].n_rows; k++) {
      batch_row *row = wide_row(m, batch->reports[i], number, shown[i].rows[k], arena);
      if (row == NULL)
        return false;
      m->rows[m->n_rows++] = row;
    }
  }
  return true;
}

static bool put_headline(tool_response *m, const struct ask *a, struct arena *arena)
{
  AUTO_BUF struct buf text = BUF_INIT(HEADLINE_MAX);
  buf_printf(&text, "%zu report%s with %zu row%s for ", m->n_reports,
             headline_s((int64_t)m->n_reports), m->n_rows, headline_s((int64_t)m->n_rows));
  headline_put_dealer(&text, ask_used_token(a), ask_property(a));
  return answer_put_headline(&m->base, &text, arena);
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *message,
                               struct arena *arena)
{
  const tool_request *r = (const tool_request *)message;
  const ga4_request *body = (const ga4_request *)ask_body(a);
  const ga4_response *batch = (const ga4_response *)ask_message(a);
  struct answer_texts all = {.arena = arena};
  struct shown_report shown[REQUEST_MAX_BATCH];
  tool_response *m = (tool_response *)answer_new_message(
      &analytics__report__v1__batch_run_reports_response__descriptor, a, arena);
  if (m == NULL)
    return NULL;
  for (size_t i = 0; i < batch->n_reports; i++) {
    struct answer_texts caveats = {.arena = arena};
    struct shown_question q = {r->requests[i], body->requests[i], batch->reports[i], NULL};
    if (!shown_report(&shown[i], &q, a, &caveats, arena))
      return NULL;
    put_caveats(&all, &caveats, (int32_t)i + 1, batch->n_reports);
  }
  bool whole = wide_headers(m, batch, arena) && put_reports(m, shown, batch, arena) &&
               answer_put_texts(&m->base, "caveats", &all) && put_headline(m, a, arena);
  return whole ? &m->base : NULL;
}

static bool lacks_data(const struct ask *a, const ProtobufCMessage *request)
{
  const ga4_request *asked = (const ga4_request *)ask_body(a);
  const ga4_response *batch = (const ga4_response *)ask_message(a);
  (void)request;
  for (size_t i = 0; i < batch->n_reports; i++)
    if (first_day_matters(asked->requests[i], batch->reports[i], clock_unix_ms()))
      return true;
  return false;
}

void batch_run_reports_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {.method = GOOGLE_BATCH_RUN_REPORTS,
                                       .question = question,
                                       .reply = reply,
                                       .lacks_data = lacks_data,
                                       .locate = locate};
  ask_serve(call, request, service, &tool);
}
