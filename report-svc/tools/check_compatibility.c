/* CheckCompatibility: which fields can be added to a report. */
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "report-svc/answer/headline.h"
#include "report-svc/answer/target.h"
#include "report-svc/ask/serve.h"
#include "report-svc/google/field.h"
#include "report-svc/request/request.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__CheckCompatibilityRequest tool_request;
typedef Analytics__Report__V1__FieldCompatibility row_message;
typedef Analytics__Ga4__V1beta__CheckCompatibilityRequest ga4_request;
typedef Analytics__Ga4__V1beta__CheckCompatibilityResponse ga4_response;

#define INCOMPATIBLE ANALYTICS__GA4__V1BETA__COMPATIBILITY__INCOMPATIBLE

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
                                .definitions = GA4_DEFINITIONS(r)};
  const struct ga4_names names = GA4_NAMES(r);
  if (request_check_parts(&parts, e) != ERR_OK)
    return e->code;
  ga4_request *body = ARENA_NEW(arena, ga4_request);
  if (body == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  analytics__ga4__v1beta__check_compatibility_request__init(body);
  body->n_dimensions = r->n_dimensions;
  body->n_metrics = r->n_metrics;
  body->dimension_filter = r->dimension_filter;
  body->metric_filter = r->metric_filter;
  body->compatibility_filter =
      r->compatibility_filter == 0 ? INCOMPATIBLE : r->compatibility_filter;
  out->dealer_id = r->dealer_id;
  out->property_id = r->property_id;
  out->body = &body->base;
  if (!request_fields(&body->dimensions, &body->metrics, &names, &parts.definitions, arena))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  return ERR_OK;
}

/* `field` is a DimensionMetadata or a MetricMetadata. */
static row_message *row_of(const ProtobufCMessage *field, const char *kind,
                           Analytics__Ga4__V1beta__Compatibility compatibility, struct arena *arena)
{
  row_message *row = ARENA_NEW(arena, row_message);
  if (row == NULL)
    return NULL;
  analytics__report__v1__field_compatibility__init(row);
  row->api_name = (char *)(uintptr_t)ga4_text(field, "api_name");
  row->ui_name = (char *)(uintptr_t)ga4_text(field, "ui_name");
  row->category = (char *)(uintptr_t)ga4_text(field, "category");
  row->kind = arena_strdup(arena, kind);
  row->compatibility = compatibility;
  return row->kind == NULL ? NULL : row;
}

static bool put_fields(ProtobufCMessage *m, const ga4_response *in, struct arena *arena)
{
  struct ga4_list out = {
      ARENA_ARRAY(arena, ProtobufCMessage *,
                  in->n_dimension_compatibilities + in->n_metric_compatibilities),
      0};
  bool whole = out.items != NULL;
  for (size_t i = 0; whole && i < in->n_dimension_compatibilities; i++) {
    const Analytics__Ga4__V1beta__DimensionCompatibility *d = in->dimension_compatibilities[i];
    if (d->dimension_metadata == NULL)
      continue;
    row_message *row = row_of(&d->dimension_metadata->base, "dimension", d->compatibility, arena);
    whole = row != NULL;
    out.items[out.n++] = (ProtobufCMessage *)row;
  }
  for (size_t i = 0; whole && i < in->n_metric_compatibilities; i++) {
    const Analytics__Ga4__V1beta__MetricCompatibility *d = in->metric_compatibilities[i];
    if (d->metric_metadata == NULL)
      continue;
    row_message *row = row_of(&d->metric_metadata->base, "metric", d->compatibility, arena);
    whole = row != NULL;
    out.items[out.n++] = (ProtobufCMessage *)row;
  }
  ga4_set_list(m, "fields", out);
  return whole;
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *request,
                               struct arena *arena)
{
  AUTO_BUF struct buf text = BUF_INIT(HEADLINE_MAX);
  const ga4_request *body = (const ga4_request *)ask_body(a);
  ProtobufCMessage *m = answer_new_message(
      &analytics__report__v1__check_compatibility_response__descriptor, a, arena);
  (void)request;
  if (m == NULL || !put_fields(m, (const ga4_response *)ask_message(a), arena))
    return NULL;
  size_t n = ga4_list(m, "fields").n;
  buf_printf(&text, "The fields go together; %zu field%s %s be added for ", n,
             headline_s((int64_t)n), body->compatibility_filter == INCOMPATIBLE ? "cannot" : "can");
  headline_put_dealer(&text, ask_used_token(a), ask_property(a));
  return answer_put_headline(m, &text, arena) ? m : NULL;
}

void check_compatibility_handle(struct rpc_call *call, const ProtobufCMessage *request,
                                void *service)
{
  static const struct ask_tool tool = {.method = GOOGLE_CHECK_COMPATIBILITY,
                                       .question = question,
                                       .reply = reply,
                                       .locate = request_locate_body};
  ask_serve(call, request, service, &tool);
}
