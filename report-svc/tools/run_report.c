/* RunReport: one report of one dealer, its rows as Google's text. */
#include "analytics/report/v1/report.pb-c.h"
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
  if (report == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  report->limit = request->limit == 0 ? REQUEST_DEFAULT_LIMIT : request->limit;
  report->offset = request->offset;
  out->dealer_id = request->dealer_id;
  out->property_id = request->property_id;
  out->body = &report->base;
  out->fresh = request->return_property_quota; /* of which a minute-old figure is of no use */
  return ERR_OK;
}

static int64_t next_offset(const tool_request *request, const ga4_response *report)
{
  int64_t next = request->offset + (int64_t)report->n_rows;
  return report->n_rows > 0 && next < report->row_count ? next : 0;
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *request,
                               struct arena *arena)
{
  const ga4_response *report = (const ga4_response *)ask_message(a);
  const struct token *t = ask_used_token(a);
  tool_response *m = ARENA_NEW(arena, tool_response);
  if (m == NULL)
    return NULL;
  analytics__report__v1__run_report_response__init(m);
  m->dealer_id = t->dealer_ref;
  m->dealer_name = t->dealer_name;
  m->property = arena_strdup(arena, ask_property(a));
  m->n_dimension_headers = report->n_dimension_headers;
  m->dimension_headers = report->dimension_headers;
  m->n_metric_headers = report->n_metric_headers;
  m->metric_headers = report->metric_headers;
  m->n_rows = report->n_rows;
  m->rows = report->rows;
  m->row_count = report->row_count;
  m->metadata = report->metadata;
  m->property_quota = report->property_quota;
  m->next_offset = next_offset((const tool_request *)request, report);
  return m->property == NULL ? NULL : &m->base;
}

static void locate(const ProtobufCMessage *body, struct err *e)
{
  request_locate((const ga4_request *)body, e);
}

void run_report_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {
      .method = GOOGLE_RUN_REPORT, .question = question, .reply = reply, .locate = locate};
  ask_serve(call, request, service, &tool);
}
