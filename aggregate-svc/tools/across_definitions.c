/* Names that a call of run_report_across_dealers defines: metrics by expressions, metrics that are
 * not shown, dimensions by expressions. */
#include <string.h>

#include "aggregate-svc/tools/across.h"
#include "common/ga4/additive.h"
#include "common/ga4/rate.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersRequest Request;
typedef Analytics__Ga4__V1beta__Metric Metric;

static enum err_code invalid(struct err *e, const char *text)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "%s", text);
}

/* How a metric is pooled goes by its name, so an expression takes none that is known. */
static enum err_code check_name(const Metric *m, size_t i, struct err *e)
{
  bool known = additive_kind(m->name) != ADDITIVE_NO || ga4_rate_find(m->name) != NULL ||
               ga4_counts_people(m->name) || ga4_counts_cohort(m->name);
  if (m->expression[0] == '\0' || !known)
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                 "metric_expressions[%zu].name: %.80s is a metric of Google's; give another name",
                 i, m->name);
}

enum err_code across_check_definitions(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  const struct ga4_names names = {r->metrics, r->n_metrics, r->dimensions, r->n_dimensions};
  s->definitions = GA4_DEFINITIONS(r);
  if (ga4_definitions_check(&s->definitions, &names, e) != ERR_OK)
    return e->code;
  if (r->n_metric_expressions > 0 && across_is_compared(c))
    return invalid(e, "metric_expressions: how an expression varies from day to day is not known, "
                      "so its change is not judged; leave it out with compare_to or subject");
  if (r->n_dimension_expressions > 0 && across_is_compared(c))
    return invalid(e, "dimension_expressions: compare_to and subject compare rows of Google's own "
                      "dimensions; leave it out with them");
  for (size_t i = 0; i < r->n_metric_expressions; i++)
    if (check_name(r->metric_expressions[i], i, e) != ERR_OK)
      return e->code;
  for (size_t i = 0; i < r->n_metrics; i++)
    if (!ga4_is_hidden(&s->definitions, r->metrics[i]))
      s->metrics[s->n_asked++] = r->metrics[i];
  s->n_ordered = s->n_asked;
  if (s->n_asked == 0)
    return invalid(e, "metrics: all of them are invisible; leave one to be shown");
  return ERR_OK;
}

size_t across_ordering_column(struct tool_call *c, const char *metric)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  size_t k = ga4_name_index(s->metrics, s->n_ordered, metric);
  if (k == s->n_ordered && ga4_name_index(r->metrics, r->n_metrics, metric) < r->n_metrics)
    s->metrics[s->n_ordered++] = borrow_text(metric);
  return k;
}

/* NULL adds nothing; room is left for what is not shown. */
static void add_weight(struct across_state *s, const char *metric, size_t hidden)
{
  if (metric != NULL && s->n_metrics + hidden < ACROSS_MAX_METRICS &&
      ga4_name_index(s->metrics, s->n_metrics, metric) == s->n_metrics)
    s->metrics[s->n_metrics++] = borrow_text(metric);
}

/* What a metric is made of, where its figures are needed though the caller does not see them: NULL
 * for one that is Google's own. *full: the arena is. */
static Metric *shown_to_us(Metric *m, struct arena *arena, bool *full)
{
  if (m->expression[0] == '\0')
    return NULL;
  Metric *out = ARENA_NEW(arena, Metric);
  *full = out == NULL;
  if (out == NULL)
    return NULL;
  *out = *m;
  out->invisible = false;
  return out;
}

static bool choose_definitions(struct tool_call *c)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  Metric **kept = ARENA_ARRAY(c->arena, Metric *, r->n_metric_expressions);
  bool full = kept == NULL;
  size_t n = 0;
  for (size_t i = 0; !full && i < r->n_metric_expressions; i++) {
    Metric *m = r->metric_expressions[i];
    bool needed = ga4_name_index(s->metrics, s->n_metrics, m->name) < s->n_metrics;
    if (m->invisible && needed) /* for a rate or an order */
      m = shown_to_us(m, c->arena, &full);
    if (m != NULL)
      kept[n++] = m;
    if (m != NULL && m->invisible)
      s->metrics[s->n_queried++] = m->name;
  }
  s->definitions.metrics = kept;
  s->definitions.n_metrics = n;
  return !full;
}

bool across_choose_queried(struct tool_call *c)
{
  const Request *r = (const Request *)c->request;
  struct across_state *s = c->state;
  s->n_metrics = s->n_ordered;
  for (size_t i = 0; i < s->n_ordered; i++) {
    const struct ga4_rate *rate = ga4_rate_find(s->metrics[i]);
    add_weight(s, rate != NULL ? rate->weight : NULL, r->n_metrics - s->n_ordered);
    add_weight(s, rate != NULL ? rate->part : NULL, r->n_metrics - s->n_ordered);
  }
  s->n_queried = s->n_metrics;
  return choose_definitions(c);
}
