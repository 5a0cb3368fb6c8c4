/* GetCustomDimensionsAndMetrics: what a property's owner registered, from its metadata. */
#include "analytics/report/v1/report.pb-c.h"
#include "report-svc/answer/headline.h"
#include "report-svc/answer/target.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__GetCustomDimensionsAndMetricsResponse tool_response;
typedef Analytics__Ga4__V1beta__Metadata ga4_metadata;
typedef Analytics__Ga4__V1beta__DimensionMetadata ga4_dimension;
typedef Analytics__Ga4__V1beta__MetricMetadata ga4_metric;

/* The answer may be shared with the cache, so the lists are made beside it. */
static bool put_custom(tool_response *out, const ga4_metadata *all, struct arena *arena)
{
  out->custom_dimensions = ARENA_ARRAY(arena, ga4_dimension *, all->n_dimensions);
  out->custom_metrics = ARENA_ARRAY(arena, ga4_metric *, all->n_metrics);
  if (out->custom_dimensions == NULL || out->custom_metrics == NULL)
    return false;
  for (size_t i = 0; i < all->n_dimensions; i++) {
    if (all->dimensions[i]->custom_definition)
      out->custom_dimensions[out->n_custom_dimensions++] = all->dimensions[i];
  }
  for (size_t i = 0; i < all->n_metrics; i++) {
    if (all->metrics[i]->custom_definition)
      out->custom_metrics[out->n_custom_metrics++] = all->metrics[i];
  }
  return true;
}

static bool put_headline(tool_response *m, const struct ask *a, struct arena *arena)
{
  AUTO_BUF struct buf text = BUF_INIT(HEADLINE_MAX);
  headline_put_dealer(&text, ask_used_token(a), ask_property(a));
  buf_printf(&text, " has registered %zu custom dimension%s and %zu custom metric%s",
             m->n_custom_dimensions, headline_s((int64_t)m->n_custom_dimensions),
             m->n_custom_metrics, headline_s((int64_t)m->n_custom_metrics));
  m->headline = arena_strdup(arena, buf_str(&text));
  return m->headline != NULL;
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *request,
                               struct arena *arena)
{
  (void)request;
  tool_response *m = (tool_response *)answer_new_message(
      &analytics__report__v1__get_custom_dimensions_and_metrics_response__descriptor, a, arena);
  if (m == NULL)
    return NULL;
  bool whole =
      put_custom(m, (const ga4_metadata *)ask_message(a), arena) && put_headline(m, a, arena);
  return whole ? &m->base : NULL;
}

void custom_definitions_handle(struct rpc_call *call, const ProtobufCMessage *request,
                               void *service)
{
  static const struct ask_tool tool = {
      .method = GOOGLE_GET_METADATA, .question = ask_about_property, .reply = reply};
  ask_serve(call, request, service, &tool);
}
