/* What is asked of each property, and what its answers say about its events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/ga4/additive.h"
#include "common/ga4/rate.h"
#include "common/pbjson/borrow.h"
#include "report-svc/own/impl.h"

typedef Analytics__Ga4__V1beta__FilterExpression expression;
typedef Analytics__Ga4__V1beta__FilterExpressionList expression_list;
typedef Analytics__Ga4__V1beta__Filter filter;
typedef Analytics__Ga4__V1beta__Filter__InListFilter in_list;

#define PART(part) (1U << (part))
#define EVENT_PARTS                                                                                \
  (PART(OWN_LEADS) | PART(OWN_LEAD_SESSIONS) | PART(OWN_FORMS) | PART(OWN_CALLS) |                 \
   PART(OWN_CHATS) | PART(OWN_APPOINTMENTS))
#define LEAD_PARTS (PART(OWN_LEADS) | PART(OWN_LEAD_SESSIONS))

static const char event_dimension[] = "eventName";

/* ------------------------------------------------------------------ the shape */

/* The place of a metric in the report, which it gets; n_metrics when there is no room. */
static size_t place_of(struct own_shape *s, const char *metric)
{
  size_t k = 0;
  while (k < s->n_metrics && strcmp(s->metrics[k], metric) != 0)
    k++;
  if (k == s->n_metrics && k < REQUEST_MAX_METRICS)
    s->metrics[s->n_metrics++] = borrow_text(metric);
  return k;
}

/* How a metric of GA4 is put together over properties. Amounts of money may be in different
 * currencies unless one was asked for. */
static void set_merge(struct own_shape *s, struct own_column *c, bool one_currency)
{
  const struct ga4_rate *rate = ga4_rate_find(c->name);
  enum additive kind = additive_kind(c->name);
  c->merge = OWN_FIRST;
  if (rate == NULL && (kind == ADDITIVE_YES || (kind == ADDITIVE_CURRENCY && one_currency)))
    c->merge = OWN_ADDED;
  if (rate == NULL || rate->users || (rate->money && !one_currency))
    return;
  c->weight = place_of(s, rate->weight);
  c->merge = c->weight < s->n_metrics ? OWN_POOLED : OWN_FIRST;
}

static bool by_engagement(const struct token *t)
{
  return strcmp(t->qualified_session, "engaged") == 0;
}

enum err_code own_shape_make(struct own_shape *out, const own_request *asked,
                             const struct token *token, bool several, struct err *e)
{
  bool room = true;
  *out = (struct own_shape){.n = asked->n_metrics};
  for (size_t i = 0; i < out->n; i++) {
    struct own_column *c = &out->columns[i];
    *c = (struct own_column){.name = asked->metrics[i]->name};
    c->own = own_metric_find(c->name);
    if (c->own != NULL)
      out->parts |= PART(c->own->of) | (c->own->rate ? PART(c->own->per) : 0);
    else
      c->at = place_of(out, c->name);
  }
  for (size_t i = 0; several && i < out->n; i++)
    if (out->columns[i].own == NULL)
      set_merge(out, &out->columns[i], asked->currency_code[0] != '\0');
  if ((out->parts & PART(OWN_SESSIONS)) || out->n_metrics == 0)
    room = (out->sessions = place_of(out, "sessions")) < out->n_metrics;
  if ((out->parts & PART(OWN_SHOPPER_SESSIONS)) && by_engagement(token))
    room = room && (out->engaged = place_of(out, "engagedSessions")) < out->n_metrics;
  return room ? ERR_OK
              : err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                        "metrics: too many of GA4's beside these, which need columns of sessions "
                        "as well; ask for at most 8 of GA4's");
}

/* ------------------------------------------------------------------ filters */

static expression *in_events(char **names, size_t n, struct arena *arena)
{
  expression *x = ARENA_NEW(arena, expression);
  filter *f = ARENA_NEW(arena, filter);
  in_list *list = ARENA_NEW(arena, in_list);
  if (x == NULL || f == NULL || list == NULL)
    return NULL;
  analytics__ga4__v1beta__filter_expression__init(x);
  analytics__ga4__v1beta__filter__init(f);
  analytics__ga4__v1beta__filter__in_list_filter__init(list);
  list->values = names;
  list->n_values = n;
  list->case_sensitive = true;
  f->field_name = borrow_text(event_dimension);
  f->one_filter_case = ANALYTICS__GA4__V1BETA__FILTER__ONE_FILTER_IN_LIST_FILTER;
  f->in_list_filter = list;
  x->expr_case = ANALYTICS__GA4__V1BETA__FILTER_EXPRESSION__EXPR_FILTER;
  x->filter = f;
  return x;
}

/* Both; the second alone where the first is not given. */
static expression *both(expression *given, expression *of_events, struct arena *arena)
{
  if (given == NULL || of_events == NULL)
    return of_events;
  expression *x = ARENA_NEW(arena, expression);
  expression_list *list = ARENA_NEW(arena, expression_list);
  expression **items = ARENA_ARRAY(arena, expression *, 2);
  if (x == NULL || list == NULL || items == NULL)
    return NULL;
  analytics__ga4__v1beta__filter_expression__init(x);
  analytics__ga4__v1beta__filter_expression_list__init(list);
  items[0] = given;
  items[1] = of_events;
  list->expressions = items;
  list->n_expressions = 2;
  x->expr_case = ANALYTICS__GA4__V1BETA__FILTER_EXPRESSION__EXPR_AND_GROUP;
  x->and_group = list;
  return x;
}

/* ------------------------------------------------------------------ the reports */

static bool set_fields(own_request *r, char *const *dimensions, size_t n_dimensions,
                       char *const *metrics, size_t n_metrics, struct arena *arena)
{
  const struct ga4_names names = {metrics, n_metrics, dimensions, n_dimensions};
  const struct ga4_definitions none = {0};
  r->n_dimensions = n_dimensions;
  r->n_metrics = n_metrics;
  return request_fields(&r->dimensions, &r->metrics, &names, &none, arena);
}

/* Adds a report with the asked dimensions, `more` behind them (NULL: none). */
static own_request *add(struct own_plan *p, enum own_part_report which, const own_request *asked,
                        const char *more, char *const *metrics, size_t n_metrics,
                        struct arena *arena)
{
  char *dimensions[REQUEST_MAX_DIMENSIONS];
  size_t n = 0;
  own_request *r = ARENA_NEW(arena, own_request);
  if (r == NULL)
    return NULL;
  for (size_t i = 0; i < asked->n_dimensions && n < REQUEST_MAX_DIMENSIONS; i++)
    dimensions[n++] = asked->dimensions[i]->name;
  if (more != NULL && n < REQUEST_MAX_DIMENSIONS)
    dimensions[n++] = borrow_text(more);
  *r = *asked;
  r->n_order_bys = 0;
  r->order_bys = NULL;
  r->offset = 0;
  r->limit = OWN_MAX_COMBINATIONS;
  r->return_property_quota = true;
  p->place[which] = (int)p->body.n_requests;
  p->body.requests[p->body.n_requests++] = r;
  return set_fields(r, dimensions, n, metrics, n_metrics, arena) ? r : NULL;
}

static bool needs(const struct own_shape *s, unsigned parts)
{
  return (s->parts & parts) != 0;
}

static void add_name(char **names, size_t *n, const char *name)
{
  if (text_find((const char *const *)names, *n, name) == *n)
    names[(*n)++] = borrow_text(name);
}

/* The events that the figures are made of, or may be until the look-back is read. */
static size_t put_events(char **names, const struct own_shape *s, const struct token *t)
{
  size_t n = 0;
  bool configured = t->lead_event[0] != '\0';
  bool of_form = configured && strcmp(lead_event_kind(t->lead_event), "form") == 0;
  if (needs(s, LEAD_PARTS | PART(OWN_FORMS)) && configured)
    add_name(names, &n, t->lead_event);
  if ((needs(s, LEAD_PARTS) && !configured) || (needs(s, PART(OWN_FORMS)) && !of_form))
    for (int i = 0; i < LEAD_DEFAULTS; i++)
      add_name(names, &n, lead_fixed_event(i));
  for (int i = LEAD_DEFAULTS; i < LEAD_FIXED; i++) {
    enum lead_kind kind = lead_kind_of(i);
    if ((kind == LEAD_KIND_CALL && needs(s, PART(OWN_CALLS))) ||
        (kind == LEAD_KIND_CHAT && needs(s, PART(OWN_CHATS))) ||
        (kind == LEAD_KIND_APPOINTMENT && needs(s, PART(OWN_APPOINTMENTS))))
      add_name(names, &n, lead_fixed_event(i));
  }
  const char *event;
  if (needs(s, PART(OWN_SHOPPER_SESSIONS)) &&
      lead_shopper(t->qualified_session, true, &event) == SHOPPER_EVENT)
    add_name(names, &n, event);
  return n;
}

static bool add_events(struct own_plan *p, const own_request *asked, const struct own_shape *s,
                       const struct token *t, struct arena *arena)
{
  static char *metrics[] = {(char *)"eventCount", (char *)"sessions"};
  char **names = ARENA_ARRAY(arena, char *, OWN_MAX_EVENTS);
  if (names == NULL)
    return false;
  size_t n = put_events(names, s, t);
  if (n == 0)
    return true;
  for (size_t i = 0; i < n; i++) { /* the token may be renewed */
    names[i] = arena_strdup(arena, names[i]);
    if (names[i] == NULL)
      return false;
  }
  own_request *r = add(p, OWN_EVENTS, asked, event_dimension, metrics, ARRAY_LEN(metrics), arena);
  if (r == NULL)
    return false;
  r->keep_empty_rows = false;
  r->dimension_filter = both(asked->dimension_filter, in_events(names, n, arena), arena);
  return r->dimension_filter != NULL;
}

static bool add_shoppers(struct own_plan *p, const own_request *asked, const struct own_shape *s,
                         const struct token *t, struct arena *arena)
{
  static char *metrics[] = {(char *)"sessions"};
  const char *event;
  if (!needs(s, PART(OWN_SHOPPER_SESSIONS)) ||
      lead_shopper(t->qualified_session, true, &event) != SHOPPER_INVENTORY)
    return true;
  char **names = ARENA_ARRAY(arena, char *, 2);
  own_request *r = add(p, OWN_SHOPPERS, asked, NULL, metrics, ARRAY_LEN(metrics), arena);
  if (r == NULL || names == NULL)
    return false;
  names[0] = borrow_text(lead_fixed_event(LEAD_EVENT_VDP));
  names[1] = borrow_text(lead_fixed_event(LEAD_EVENT_SRP));
  r->keep_empty_rows = false;
  r->dimension_filter = both(asked->dimension_filter, in_events(names, 2, arena), arena);
  return r->dimension_filter != NULL;
}

static Analytics__Ga4__V1beta__DateRange *range_of(int64_t first, int64_t last, struct arena *arena)
{
  char text[2][16];
  Analytics__Ga4__V1beta__DateRange *range = ARENA_NEW(arena, Analytics__Ga4__V1beta__DateRange);
  if (range == NULL)
    return NULL;
  analytics__ga4__v1beta__date_range__init(range);
  clock_format_date(first, text[0], sizeof(text[0]));
  clock_format_date(last, text[1], sizeof(text[1]));
  range->start_date = arena_strdup(arena, text[0]);
  range->end_date = arena_strdup(arena, text[1]);
  return range->start_date == NULL || range->end_date == NULL ? NULL : range;
}

/* The key under which a property's look-back is remembered. */
static const char *site_key(char *out, size_t size, const struct token *t, const char *property)
{
  snprintf(out, size, "%s/%s", t->dealer_ref, property);
  return out;
}

static bool add_look_back(struct own_plan *p, int64_t now_unix_ms, struct arena *arena)
{
  static char *metrics[] = {(char *)"eventCount"};
  int64_t first;
  own_request none = ANALYTICS__GA4__V1BETA__RUN_REPORT_REQUEST__INIT;
  lead_look_back(now_unix_ms, &first, &p->look_back);
  own_request *r = add(p, OWN_LOOK_BACK, &none, event_dimension, metrics, 1, arena);
  char **names = ARENA_ARRAY(arena, char *, OWN_MAX_EVENTS);
  if (r == NULL || names == NULL)
    return false;
  size_t n = 0;
  for (int i = 0; i < LEAD_FIXED; i++)
    if (i < LEAD_DEFAULTS || i >= LEAD_EVENT_VDP)
      add_name(names, &n, lead_fixed_event(i));
  r->date_ranges = ARENA_ARRAY(arena, Analytics__Ga4__V1beta__DateRange *, 1);
  if (r->date_ranges == NULL)
    return false;
  r->date_ranges[0] = range_of(first, p->look_back, arena);
  r->n_date_ranges = 1;
  r->dimension_filter = in_events(names, n, arena);
  return r->date_ranges[0] != NULL && r->dimension_filter != NULL;
}

/* Whether the figures rest on what the look-back says. */
static bool needs_look_back(const struct own_shape *s, const struct token *t)
{
  const char *event;
  bool configured = t->lead_event[0] != '\0';
  bool of_form = configured && strcmp(lead_event_kind(t->lead_event), "form") == 0;
  return (needs(s, LEAD_PARTS) && !configured) || (needs(s, PART(OWN_FORMS)) && !of_form) ||
         (needs(s, PART(OWN_SHOPPER_SESSIONS)) &&
          lead_shopper(t->qualified_session, false, &event) == SHOPPER_UNKNOWN);
}

bool own_plan_make(struct own_plan *out, const own_request *asked, const struct own_shape *shape,
                   const struct token *token, struct lookback *sites, const char *property,
                   int64_t now_unix_ms, struct arena *arena)
{
  char key[256];
  int64_t first;
  memset(out, 0, sizeof(*out));
  analytics__ga4__v1beta__batch_run_reports_request__init(&out->body);
  out->body.requests = out->requests;
  out->finding.lead_event = LEAD_UNKNOWN;
  for (int i = 0; i < OWN_REPORTS; i++)
    out->place[i] = -1;
  lead_look_back(now_unix_ms, &first, &out->look_back);
  bool look_back = needs_look_back(shape, token);
  out->known = look_back && lookback_find(sites, site_key(key, sizeof(key), token, property),
                                          out->look_back, &out->finding);
  return add(out, OWN_REPORT, asked, NULL, shape->metrics, shape->n_metrics, arena) != NULL &&
         add_events(out, asked, shape, token, arena) &&
         add_shoppers(out, asked, shape, token, arena) &&
         (!look_back || out->known || add_look_back(out, now_unix_ms, arena));
}

/* ------------------------------------------------------------------ what counts */

static struct lead_finding find(const own_response *look_back)
{
  int64_t firings[LEAD_FIXED] = {0};
  for (size_t i = 0; i < look_back->n_rows; i++) {
    const Analytics__Ga4__V1beta__Row *row = look_back->rows[i];
    for (int k = 0; k < LEAD_FIXED; k++)
      if (strcmp(row->dimension_values[0]->value, lead_fixed_event(k)) == 0)
        firings[k] += strtoll(row->metric_values[0]->value, NULL, 10);
  }
  return lead_find(firings);
}

void own_plan_resolve(struct own_plan *p, const struct token *token, struct lookback *sites,
                      const char *property, own_response *const *reports)
{
  char key[256];
  bool configured = token->lead_event[0] != '\0';
  if (p->place[OWN_LOOK_BACK] >= 0) {
    p->finding = find(reports[p->place[OWN_LOOK_BACK]]);
    lookback_keep(sites, site_key(key, sizeof(key), token, property), p->look_back, p->finding);
  }
  const char *found =
      p->finding.lead_event == LEAD_UNKNOWN ? NULL : lead_fixed_event(p->finding.lead_event);
  p->lead_event = configured ? token->lead_event : found;
  p->form_event = configured && strcmp(lead_event_kind(token->lead_event), "form") == 0
                      ? token->lead_event
                      : found;
  p->shopper =
      lead_shopper(token->qualified_session, p->finding.inventory_pages, &p->shopper_event);
}
