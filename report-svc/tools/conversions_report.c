/* RunConversionsReport: advertising conversions by an attribution model. */
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/answer/aggregates.h"
#include "report-svc/answer/report.h"
#include "report-svc/ask/first_day.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__RunConversionsReportRequest tool_request;
typedef Analytics__Report__V1__RunConversionsReportResponse tool_response;
typedef Analytics__Ga4__V1alpha__RunConversionsReportRequest ga4_request;
typedef Analytics__Ga4__V1beta__RunReportResponse ga4_response;

/* The spec is what makes the report one of conversions, so it is always sent: data-driven unless
 * the caller says otherwise. */
static Analytics__Ga4__V1alpha__ConversionSpec *spec_of(const tool_request *r, struct arena *arena)
{
  Analytics__Ga4__V1alpha__ConversionSpec *spec =
      ARENA_NEW(arena, Analytics__Ga4__V1alpha__ConversionSpec);
  if (spec == NULL)
    return NULL;
  analytics__ga4__v1alpha__conversion_spec__init(spec);
  if (r->conversion_spec != NULL)
    *spec = *r->conversion_spec;
  if (spec->attribution_model == 0)
    spec->attribution_model =
        ANALYTICS__GA4__V1ALPHA__CONVERSION_SPEC__ATTRIBUTION_MODEL__DATA_DRIVEN;
  return spec;
}

/* Days, or cohorts, whose days are theirs. */
static bool put_span(ga4_request *body, const tool_request *r, struct arena *arena)
{
  body->cohort_spec = r->cohort_spec;
  if (r->cohort_spec != NULL)
    return request_complete_cohorts(&body->cohort_spec, arena);
  body->date_ranges =
      request_date_ranges(&body->n_date_ranges, r->date_ranges, r->n_date_ranges, arena);
  return body->date_ranges != NULL;
}

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
  body->limit = r->limit == 0 ? REQUEST_DEFAULT_LIMIT : r->limit;
  body->offset = r->offset;
  body->currency_code = r->currency_code;
  body->return_property_quota = true;
  body->conversion_spec = spec_of(r, arena);
  body->n_metric_aggregations = r->n_metric_aggregations;
  body->metric_aggregations = r->metric_aggregations;
  body->keep_empty_rows = r->keep_empty_rows;
  body->n_comparisons = r->n_comparisons;
  body->comparisons = r->comparisons;
  return body->conversion_spec != NULL && put_span(body, r, arena) &&
         request_fields(&body->dimensions, &body->metrics, &names, &definitions, arena);
}

static enum err_code question(struct ask_options *out, const ProtobufCMessage *message,
                              struct arena *arena, struct err *e)
{
  const tool_request *r = (const tool_request *)message;
  struct request_parts parts = {r->dealer_id, r->property_id, r->dimensions,     r->n_dimensions,
                                r->metrics,   r->n_metrics,   r->date_ranges,    r->n_date_ranges,
                                r->limit,     r->offset,      GA4_DEFINITIONS(r)};
  if (request_check_parts(&parts, e) != ERR_OK ||
      request_check_aggregations(r->metric_aggregations, r->n_metric_aggregations, e) != ERR_OK ||
      request_check_slices(r->comparisons, r->n_comparisons, r->cohort_spec, r->n_date_ranges, e) !=
          ERR_OK)
    return e->code;
  ga4_request *body = ARENA_NEW(arena, ga4_request);
  if (body != NULL)
    analytics__ga4__v1alpha__run_conversions_report_request__init(body);
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
  struct answer_report report = {
      .type = &analytics__report__v1__run_conversions_report_response__descriptor,
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
      .first = r->offset,
      .row_count = table->row_count};
  tool_response *m = (tool_response *)answer_report(a, &report, arena);
  if (m == NULL)
    return NULL;
  /* Google counts the rows of several date ranges or comparisons as one. */
  bool several = body->n_date_ranges > 1 || body->n_comparisons > 0;
  int64_t next = r->offset + (several ? body->limit : (int64_t)table->n_rows);
  const struct ranges_question of_rows = {.report = table};
  m->row_count = table->row_count;
  m->next_offset = table->n_rows > 0 && next < table->row_count ? next : 0;
  m->aggregates = aggregates_of(&m->n_aggregates, &of_rows, arena);
  return m->aggregates == NULL ? NULL : &m->base;
}

static bool lacks_data(const struct ask *a, const ProtobufCMessage *request)
{
  const ga4_request *body = (const ga4_request *)ask_body(a);
  const ga4_response *table = (const ga4_response *)ask_message(a);
  (void)request;
  return body->offset <= 0 && body->cohort_spec == NULL && body->dimension_filter == NULL && body->metric_filter == NULL &&
         first_day_matters_of(table->n_rows, body->date_ranges, body->n_date_ranges,
                              table->metadata, clock_unix_ms());
}

void conversions_report_handle(struct rpc_call *call, const ProtobufCMessage *request,
                               void *service)
{
  static const struct ask_tool tool = {.method = GOOGLE_RUN_CONVERSIONS_REPORT,
                                       .question = question,
                                       .reply = reply,
                                       .lacks_data = lacks_data,
                                       .locate = request_locate_body};
  ask_serve(call, request, service, &tool);
}
