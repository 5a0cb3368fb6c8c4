/* RunFunnelReport: how many users take each of several steps. */
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/answer/report.h"
#include "report-svc/ask/first_day.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__RunFunnelReportRequest tool_request;
typedef Analytics__Report__V1__RunFunnelReportRequest__Step tool_step;
typedef Analytics__Ga4__V1alpha__RunFunnelReportRequest ga4_request;
typedef Analytics__Ga4__V1alpha__RunFunnelReportResponse ga4_response;
typedef Analytics__Ga4__V1alpha__FunnelStep ga4_step;
typedef Analytics__Ga4__V1alpha__FunnelFilterExpression ga4_expression;

enum { MAX_SEGMENTS = 4 }; /* Google's own bound */

/* The dimensions that a funnel is split by, which dimension_expressions may define. */
static struct ga4_names splits_of(const tool_request *r, char *names[2])
{
  struct ga4_names out = {.dimensions = names};
  if (r->funnel_breakdown != NULL)
    names[out.n_dimensions++] = r->funnel_breakdown->breakdown_dimension;
  if (r->funnel_next_action != NULL)
    names[out.n_dimensions++] = r->funnel_next_action->next_action_dimension;
  return out;
}

static struct ga4_definitions definitions_of(const tool_request *r)
{
  return (struct ga4_definitions){.dimensions = r->dimension_expressions,
                                  .n_dimensions = r->n_dimension_expressions};
}

static enum err_code check_definitions(const tool_request *r, struct err *e)
{
  char *split_by[2];
  const struct ga4_definitions definitions = definitions_of(r);
  const struct ga4_names names = splits_of(r, split_by);
  for (size_t i = 0; i < definitions.n_dimensions; i++) {
    const char *name = definitions.dimensions[i]->name;
    if (ga4_name_index(names.dimensions, names.n_dimensions, name) == names.n_dimensions)
      return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                     "dimension_expressions[%zu].name: neither funnel_breakdown nor "
                     "funnel_next_action is by %.80s; give it the name that is used there",
                     i, name);
  }
  return ga4_definitions_check(&definitions, &names, e);
}

static enum err_code check(const tool_request *r, struct err *e)
{
  if (request_check_target(r->dealer_id, r->property_id, e) != ERR_OK ||
      request_check_dates(r->date_ranges, r->n_date_ranges, e) != ERR_OK ||
      check_definitions(r, e) != ERR_OK)
    return e->code;
  if (r->n_funnel_steps == 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "funnel_steps: give at least one step");
  if (r->n_segments > MAX_SEGMENTS)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "segments: at most %d, got %zu; ask again for the others", MAX_SEGMENTS,
                   r->n_segments);
  for (size_t i = 0; i < r->n_segments; i++)
    if (r->segments[i]->one_segment_scope_case == 0)
      return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                     "segments[%zu]: give user_segment, session_segment or event_segment", i);
  for (size_t i = 0; i < r->n_funnel_steps; i++) {
    bool event = r->funnel_steps[i]->event[0] != '\0';
    if (event == (r->funnel_steps[i]->filter_expression != NULL))
      return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                     "funnel_steps[%zu]: give either event or filter_expression", i);
  }
  return ERR_OK;
}

/* An event as a condition. */
static ga4_expression *event_expression(char *event, struct arena *arena)
{
  ga4_expression *expression = ARENA_NEW(arena, ga4_expression);
  Analytics__Ga4__V1alpha__FunnelEventFilter *filter =
      ARENA_NEW(arena, Analytics__Ga4__V1alpha__FunnelEventFilter);
  if (expression == NULL || filter == NULL)
    return NULL;
  analytics__ga4__v1alpha__funnel_filter_expression__init(expression);
  analytics__ga4__v1alpha__funnel_event_filter__init(filter);
  filter->event_name = event;
  expression->expr_case =
      ANALYTICS__GA4__V1ALPHA__FUNNEL_FILTER_EXPRESSION__EXPR_FUNNEL_EVENT_FILTER;
  expression->funnel_event_filter = filter;
  return expression;
}

static ga4_step *step_of(const tool_step *in, struct arena *arena)
{
  ga4_step *step = ARENA_NEW(arena, ga4_step);
  if (step == NULL)
    return NULL;
  analytics__ga4__v1alpha__funnel_step__init(step);
  step->name = in->name[0] != '\0' ? in->name : in->event;
  step->is_directly_followed_by = in->is_directly_followed_by;
  step->within_duration_from_prior_step = in->within_duration_from_prior_step;
  step->filter_expression =
      in->event[0] != '\0' ? event_expression(in->event, arena) : in->filter_expression;
  return step->filter_expression == NULL ? NULL : step;
}

static bool put_funnel(ga4_request *body, const tool_request *r, struct arena *arena)
{
  Analytics__Ga4__V1alpha__Funnel *funnel = ARENA_NEW(arena, Analytics__Ga4__V1alpha__Funnel);
  ga4_step **steps = ARENA_ARRAY(arena, ga4_step *, r->n_funnel_steps);
  if (funnel == NULL || steps == NULL)
    return false;
  analytics__ga4__v1alpha__funnel__init(funnel);
  funnel->is_open_funnel = r->is_open_funnel;
  funnel->steps = steps;
  for (size_t i = 0; i < r->n_funnel_steps; i++) {
    steps[i] = step_of(r->funnel_steps[i], arena);
    if (steps[i] == NULL)
      return false;
    funnel->n_steps++;
  }
  body->funnel = funnel;
  return true;
}

static bool put_splits(ga4_request *body, const tool_request *r, struct arena *arena)
{
  char *split_by[2];
  const struct ga4_definitions definitions = definitions_of(r);
  const struct ga4_names names = splits_of(r, split_by);
  Analytics__Ga4__V1beta__Dimension **dimensions;
  Analytics__Ga4__V1beta__Metric **none;
  if (!request_fields(&dimensions, &none, &names, &definitions, arena))
    return false;
  if (r->funnel_breakdown != NULL) {
    body->funnel_breakdown = ARENA_NEW(arena, Analytics__Ga4__V1alpha__FunnelBreakdown);
    if (body->funnel_breakdown == NULL)
      return false;
    analytics__ga4__v1alpha__funnel_breakdown__init(body->funnel_breakdown);
    body->funnel_breakdown->breakdown_dimension = *dimensions++;
    body->funnel_breakdown->limit = r->funnel_breakdown->limit;
  }
  if (r->funnel_next_action != NULL) {
    body->funnel_next_action = ARENA_NEW(arena, Analytics__Ga4__V1alpha__FunnelNextAction);
    if (body->funnel_next_action == NULL)
      return false;
    analytics__ga4__v1alpha__funnel_next_action__init(body->funnel_next_action);
    body->funnel_next_action->next_action_dimension = *dimensions;
    body->funnel_next_action->limit = r->funnel_next_action->limit;
  }
  return true;
}

static enum err_code question(struct ask_options *out, const ProtobufCMessage *message,
                              struct arena *arena, struct err *e)
{
  const tool_request *r = (const tool_request *)message;
  if (check(r, e) != ERR_OK)
    return e->code;
  ga4_request *body = ARENA_NEW(arena, ga4_request);
  if (body != NULL) {
    analytics__ga4__v1alpha__run_funnel_report_request__init(body);
    body->date_ranges =
        request_date_ranges(&body->n_date_ranges, r->date_ranges, r->n_date_ranges, arena);
    body->return_property_quota = r->return_property_quota;
    body->segments = r->segments;
    body->n_segments = r->n_segments;
    body->dimension_filter = r->dimension_filter;
    body->funnel_visualization_type = r->funnel_visualization_type;
    body->limit = r->limit;
  }
  if (body == NULL || body->date_ranges == NULL || !put_funnel(body, r, arena) ||
      !put_splits(body, r, arena))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  out->dealer_id = r->dealer_id;
  out->property_id = r->property_id;
  out->body = &body->base;
  return ERR_OK;
}

/* What is shown of the answer: the table, or the chart that was asked for. */
static const Analytics__Ga4__V1alpha__FunnelSubReport *shown_of(const ga4_request *body,
                                                                const ga4_response *answer)
{
  return body->funnel_visualization_type == 0 || answer->funnel_visualization == NULL
             ? answer->funnel_table
             : answer->funnel_visualization;
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *message,
                               struct arena *arena)
{
  static const char overlap[] = "A user may be in several segments: do not add them.";
  static char users[] = "users", step[] = "step of the funnel", *metrics[] = {users},
              *dimensions[] = {step};
  const tool_request *r = (const tool_request *)message;
  const ga4_request *body = (const ga4_request *)ask_body(a);
  const ga4_response *answer = (const ga4_response *)ask_message(a);
  const Analytics__Ga4__V1alpha__FunnelSubReport *table = shown_of(body, answer);
  struct answer_report report = {.type =
                                     &analytics__report__v1__run_funnel_report_response__descriptor,
                                 .table = &table->base,
                                 .metadata = table->metadata,
                                 .quota = r->return_property_quota ? answer->property_quota : NULL,
                                 .metrics = metrics,
                                 .n_metrics = 1,
                                 .dimensions = dimensions,
                                 .n_dimensions = 1,
                                 .ranges = body->date_ranges,
                                 .n_ranges = body->n_date_ranges,
                                 .row_count = -1,
                                 .caveat = r->n_segments > 1 ? overlap : NULL};
  return answer_report(a, &report, arena);
}

/* Steps are conditions, so a funnel without rows may also be one that nobody entered: the answer
 * names the day only where all days lie before it. */
static bool lacks_data(const struct ask *a, const ProtobufCMessage *request)
{
  const ga4_request *body = (const ga4_request *)ask_body(a);
  const ga4_response *answer = (const ga4_response *)ask_message(a);
  const Analytics__Ga4__V1alpha__FunnelSubReport *table = answer->funnel_table;
  (void)request;
  return first_day_matters_of(table->n_rows, body->date_ranges, body->n_date_ranges,
                              table->metadata, clock_unix_ms());
}

void funnel_report_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {.method = GOOGLE_RUN_FUNNEL_REPORT,
                                       .question = question,
                                       .reply = reply,
                                       .lacks_data = lacks_data};
  ask_serve(call, request, service, &tool);
}
