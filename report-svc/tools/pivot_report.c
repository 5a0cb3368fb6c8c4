/* RunPivotReport: dimensions arranged in pivots. */
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/answer/aggregates.h"
#include "report-svc/answer/report.h"
#include "report-svc/ask/first_day.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__RunPivotReportRequest tool_request;
typedef Analytics__Report__V1__RunPivotReportResponse tool_response;
typedef Analytics__Ga4__V1beta__RunPivotReportRequest ga4_request;
typedef Analytics__Ga4__V1beta__RunPivotReportResponse ga4_response;

static bool fill_body(ga4_request *body, const tool_request *r, struct arena *arena)
{
  const struct ga4_definitions definitions = GA4_DEFINITIONS(r);
  const struct ga4_names names = GA4_NAMES(r);
  body->n_dimensions = r->n_dimensions;
  body->n_metrics = r->n_metrics;
  body->cohort_spec = r->cohort_spec;
  if (r->cohort_spec == NULL)
    body->date_ranges =
        request_date_ranges(&body->n_date_ranges, r->date_ranges, r->n_date_ranges, arena);
  body->n_comparisons = r->n_comparisons;
  body->comparisons = r->comparisons;
  body->n_pivots = r->n_pivots;
  body->pivots = r->pivots;
  body->dimension_filter = r->dimension_filter;
  body->metric_filter = r->metric_filter;
  body->currency_code = r->currency_code;
  body->keep_empty_rows = r->keep_empty_rows;
  body->return_property_quota = true;
  return (body->date_ranges != NULL || body->cohort_spec != NULL) &&
         request_complete_cohorts(&body->cohort_spec, arena) &&
         request_fields(&body->dimensions, &body->metrics, &names, &definitions, arena);
}

static enum err_code check(const tool_request *r, struct err *e)
{
  struct request_parts parts = {.dealer_id = r->dealer_id,
                                .property_id = r->property_id,
                                .dimensions = r->dimensions,
                                .n_dimensions = r->n_dimensions,
                                .metrics = r->metrics,
                                .n_metrics = r->n_metrics,
                                .date_ranges = r->date_ranges,
                                .n_date_ranges = r->n_date_ranges,
                                .definitions = GA4_DEFINITIONS(r)};
  if (request_check_parts(&parts, e) != ERR_OK ||
      request_check_slices(r->comparisons, r->n_comparisons, r->cohort_spec, r->n_date_ranges, e) !=
          ERR_OK)
    return e->code;
  if (r->n_pivots == 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "pivots: give at least one, with field_names and a limit");
  for (size_t i = 0; i < r->n_pivots; i++)
    if (r->pivots[i]->limit < 1)
      return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                     "pivots[%zu].limit: must be at least 1", i);
  return ERR_OK;
}

static enum err_code question(struct ask_options *out, const ProtobufCMessage *message,
                              struct arena *arena, struct err *e)
{
  const tool_request *r = (const tool_request *)message;
  if (check(r, e) != ERR_OK)
    return e->code;
  ga4_request *body = ARENA_NEW(arena, ga4_request);
  if (body != NULL)
    analytics__ga4__v1beta__run_pivot_report_request__init(body);
  if (body == NULL || !fill_body(body, r, arena))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  out->dealer_id = r->dealer_id;
  out->property_id = r->property_id;
  out->body = &body->base;
  out->fresh = r->return_property_quota;
  return ERR_OK;
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *message,
                               struct arena *arena)
{
  const tool_request *r = (const tool_request *)message;
  const ga4_request *body = (const ga4_request *)ask_body(a);
  const ga4_response *table = (const ga4_response *)ask_message(a);
  struct answer_report report = {.type =
                                     &analytics__report__v1__run_pivot_report_response__descriptor,
                                 .table = &table->base,
                                 .metadata = table->metadata,
                                 .quota = r->return_property_quota ? table->property_quota : NULL,
                                 .metrics = r->metrics,
                                 .n_metrics = r->n_metrics,
                                 .definitions = GA4_DEFINITIONS(r),
                                 .dimensions = r->dimensions,
                                 .n_dimensions = r->n_dimensions,
                                 .ranges = body->date_ranges,
                                 .n_ranges = body->n_date_ranges,
                                 .row_count = -1};
  tool_response *m = (tool_response *)answer_report(a, &report, arena);
  if (m == NULL)
    return NULL;
  m->aggregates = ARENA_ARRAY(arena, Analytics__Report__V1__Aggregate *, table->n_aggregates + 1);
  bool whole = m->aggregates != NULL &&
               aggregates_add(m->aggregates, &m->n_aggregates, NULL,
                              ga4_list(&table->base, "aggregates"), &table->base, arena);
  return whole ? &m->base : NULL;
}

static bool lacks_data(const struct ask *a, const ProtobufCMessage *request)
{
  const ga4_request *body = (const ga4_request *)ask_body(a);
  const ga4_response *table = (const ga4_response *)ask_message(a);
  (void)request;
  return body->cohort_spec == NULL && body->dimension_filter == NULL &&
         body->metric_filter == NULL &&
         first_day_matters_of(table->n_rows, body->date_ranges, body->n_date_ranges,
                              table->metadata, clock_unix_ms());
}

void pivot_report_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {.method = GOOGLE_RUN_PIVOT_REPORT,
                                       .question = question,
                                       .reply = reply,
                                       .lacks_data = lacks_data,
                                       .locate = request_locate_body};
  ask_serve(call, request, service, &tool);
}
