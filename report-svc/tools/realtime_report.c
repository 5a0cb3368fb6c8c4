/* RunRealtimeReport: the last minutes of a website.
 *
 * Google's method has a limit but no offset; Google's own MCP server offers one that always fails.
 * Ours asks for the rows up to the end of the page and leaves out those before it. */
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "report-svc/answer/aggregates.h"
#include "report-svc/answer/report.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__RunRealtimeReportRequest tool_request;
typedef Analytics__Report__V1__RunRealtimeReportResponse tool_response;
typedef Analytics__Ga4__V1beta__RunRealtimeReportRequest ga4_request;
typedef Analytics__Ga4__V1beta__RunRealtimeReportResponse ga4_response;

static bool fill_body(ga4_request *body, const tool_request *r, struct arena *arena)
{
  const struct ga4_definitions definitions = GA4_DEFINITIONS(r);
  const struct ga4_names names = GA4_NAMES(r);
  body->n_dimensions = r->n_dimensions;
  body->n_metrics = r->n_metrics;
  body->dimension_filter = r->dimension_filter;
  body->metric_filter = r->metric_filter;
  body->n_order_bys = r->n_order_bys;
  body->order_bys = r->order_bys;
  body->n_minute_ranges = r->n_minute_ranges;
  body->minute_ranges = r->minute_ranges;
  body->limit = r->offset + (r->limit == 0 ? REQUEST_DEFAULT_LIMIT : r->limit);
  body->return_property_quota = r->return_property_quota;
  body->n_metric_aggregations = r->n_metric_aggregations;
  body->metric_aggregations = r->metric_aggregations;
  return request_fields(&body->dimensions, &body->metrics, &names, &definitions, arena);
}

static enum err_code question(struct ask_options *out, const ProtobufCMessage *message,
                              struct arena *arena, struct err *e)
{
  const tool_request *r = (const tool_request *)message;
  struct request_parts parts = {.dealer_id = r->dealer_id,
                                .property_id = r->property_id,
                                .dimensions = r->dimensions,
                                .n_dimensions = r->n_dimensions,
                                .metrics = r->metrics,
                                .n_metrics = r->n_metrics,
                                .limit = r->limit,
                                .offset = r->offset,
                                .definitions = GA4_DEFINITIONS(r)};
  if (request_check_parts(&parts, e) != ERR_OK ||
      request_check_aggregations(r->metric_aggregations, r->n_metric_aggregations, e) != ERR_OK)
    return e->code;
  ga4_request *body = ARENA_NEW(arena, ga4_request);
  if (body != NULL)
    analytics__ga4__v1beta__run_realtime_report_request__init(body);
  if (body == NULL || !fill_body(body, r, arena))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  out->dealer_id = r->dealer_id;
  out->property_id = r->property_id;
  out->body = &body->base;
  return ERR_OK;
}

static bool put_aggregates(tool_response *m, const ga4_response *page, struct arena *arena)
{
  const struct {
    const char *kind;
    struct ga4_list rows;
  } parts[] = {{"TOTAL", ga4_list(&page->base, "totals")},
               {"MINIMUM", ga4_list(&page->base, "minimums")},
               {"MAXIMUM", ga4_list(&page->base, "maximums")}};
  m->aggregates = ARENA_ARRAY(arena, Analytics__Report__V1__Aggregate *,
                              page->n_totals + page->n_minimums + page->n_maximums + 1);
  bool whole = m->aggregates != NULL;
  for (size_t i = 0; i < ARRAY_LEN(parts) && whole; i++)
    whole = aggregates_add(m->aggregates, &m->n_aggregates, parts[i].kind, parts[i].rows,
                           &page->base, arena);
  return whole;
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *message,
                               struct arena *arena)
{
  const tool_request *r = (const tool_request *)message;
  ga4_response page = *(const ga4_response *)ask_message(a); /* the page of it */
  size_t skip = (size_t)r->offset < page.n_rows ? (size_t)r->offset : page.n_rows;
  page.rows += skip;
  page.n_rows -= skip;
  struct answer_report report = {
      .type = &analytics__report__v1__run_realtime_report_response__descriptor,
      .table = &page.base,
      .quota = r->return_property_quota ? page.property_quota : NULL,
      .metrics = r->metrics,
      .n_metrics = r->n_metrics,
      .definitions = GA4_DEFINITIONS(r),
      .dimensions = r->dimensions,
      .n_dimensions = r->n_dimensions,
      .first = r->offset,
      .row_count = page.row_count};
  tool_response *m = (tool_response *)answer_report(a, &report, arena);
  if (m == NULL || !put_aggregates(m, &page, arena))
    return NULL;
  int64_t next = r->offset + (int64_t)page.n_rows;
  m->row_count = page.row_count;
  m->next_offset = page.n_rows > 0 && next < page.row_count ? next : 0;
  return &m->base;
}

void realtime_report_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {.method = GOOGLE_RUN_REALTIME_REPORT,
                                       .question = question,
                                       .reply = reply,
                                       .locate = request_locate_body};
  ask_serve(call, request, service, &tool);
}
