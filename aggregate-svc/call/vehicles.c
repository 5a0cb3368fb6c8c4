/* Plans reports over vehicles. */
#include "aggregate-svc/call/vehicles.h"

#include <string.h>

#include "aggregate-svc/call/query.h"
#include "aggregate-svc/cohort/aliases.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Ga4__V1beta__FilterExpression Expression;

const char vehicles_vdp_paths[] =
    "^/(new|used|certified|cpo|inventory|auto|vehicle|vehicles|vehicle-details|viewdetails)/"
    ".*((19|20)[0-9][0-9][-_/]|[0-9a-z]{17})";

static char *vdp_events[] = {(char *)"asc_item_pageview"};
static char *page_events[] = {(char *)"page_view"};

/* The dimensions that tell the vehicle at one dealer. */
struct reading {
  bool fields;
  const char *make, *model; /* or path and title */
  const char *condition, *fuel;
  const char *pattern; /* of paths, unless fields */
};

static struct reading reading_of(const struct vehicle_settings *s)
{
  const unsigned both = VEHICLE_PARAMETER_MAKE | VEHICLE_PARAMETER_MODEL;
  if (s->make[0] != '\0' && s->model[0] != '\0')
    return (struct reading){true, s->make, s->model, s->condition, "", ""};
  if ((s->registered & both) == both)
    return (struct reading){
        true,
        "customEvent:item_make",
        "customEvent:item_model",
        s->registered & VEHICLE_PARAMETER_CONDITION ? "customEvent:item_condition" : "",
        s->registered & VEHICLE_PARAMETER_FUEL ? "customEvent:item_fuel_type" : "",
        ""};
  return (struct reading){
      false, "pagePath", "pageTitle",
      "",    "",         s->vdp_path_pattern[0] != '\0' ? s->vdp_path_pattern : vehicles_vdp_paths};
}

static bool same(const struct reading *a, const struct reading *b)
{
  return a->fields == b->fields && strcmp(a->make, b->make) == 0 &&
         strcmp(a->model, b->model) == 0 && strcmp(a->condition, b->condition) == 0 &&
         strcmp(a->fuel, b->fuel) == 0 && strcmp(a->pattern, b->pattern) == 0;
}

/* ----------------------------------------------------------------------- one set */

/* The reports of the dealers that are read in one way, while they are made. */
struct maker {
  const struct vehicle_questions *q;
  const struct reading *r;
  const struct lead_events *leads;
  struct models_source *source;
  struct query_set *set;
  struct arena *arena;
  bool ok;
};

/* One report. */
struct draft {
  enum models_query query;
  const char *dimensions[MODELS_DIMENSIONS];
  size_t n_metrics;
  size_t n_periods;
  Expression *filter;
  bool look_back; /* one more date range */
};

static void add_dimension(struct maker *m, struct draft *d, enum models_role role, const char *name)
{
  struct models_layout *layout = &m->source->layouts[d->query];
  if (name[0] == '\0')
    return;
  d->dimensions[layout->n] = name;
  layout->roles[layout->n++] = (uint8_t)role;
}

static void add_names(struct maker *m, struct draft *d)
{
  add_dimension(m, d, ROLE_MAKE, m->r->make);
  add_dimension(m, d, ROLE_MODEL, m->r->model);
}

static void add_report(struct maker *m, struct draft *d)
{
  static char *metrics[] = {(char *)"eventCount", (char *)"sessions", (char *)"engagedSessions",
                            (char *)"averageSessionDuration"};
  struct models_layout *layout = &m->source->layouts[d->query];
  char **names = ARENA_ARRAY(m->arena, char *, MODELS_DIMENSIONS);
  for (size_t i = 0; names != NULL && i < layout->n; i++)
    names[i] = borrow_text(d->dimensions[i]);
  struct query_spec spec = {.id = d->query,
                            .dimensions = names,
                            .n_dimensions = layout->n,
                            .metrics = metrics,
                            .n_metrics = d->n_metrics,
                            .n_periods = d->n_periods + d->look_back,
                            .dimension_filter = d->filter};
  for (size_t i = 0; i < d->n_periods; i++)
    spec.periods[i] = m->q->periods[i];
  if (d->look_back)
    spec.periods[d->n_periods] = m->q->look_back;
  for (size_t i = 0; d->query == MODELS_DAYS && i < m->q->n_baselines; i++)
    spec.periods[spec.n_periods++] = &m->q->baselines[i];
  m->ok = m->ok && names != NULL && query_set_add(m->set, query_new(&spec, m->arena));
  if (spec.n_periods > 1) /* Google adds dateRange behind the asked dimensions */
    layout->roles[layout->n++] = ROLE_RANGE;
}

/* Views of vehicle pages. */
static Expression *views_filter(struct maker *m)
{
  Expression *x = m->r->fields
                      ? query_in_list("eventName", vdp_events, 1, m->arena)
                      : query_both(query_in_list("eventName", page_events, 1, m->arena),
                                   query_matches("pagePath", m->r->pattern, m->arena), m->arena);
  m->ok = m->ok && x != NULL;
  return x;
}

/* Lead events; of a dealer that is read by paths only those sent from a vehicle page, unless
 * anywhere. */
static Expression *leads_filter(struct maker *m, bool anywhere)
{
  size_t n = 0;
  char **names = ARENA_ARRAY(m->arena, char *, m->leads->n);
  for (size_t i = 0; names != NULL && i < m->leads->n; i++)
    if (i < LEAD_DEFAULTS || i >= LEAD_FIXED) /* candidates and configured events */
      names[n++] = m->leads->names[i];
  Expression *x = names != NULL ? query_in_list("eventName", names, n, m->arena) : NULL;
  if (x != NULL && !m->r->fields && !anywhere)
    x = query_both(x, query_matches("pagePath", m->r->pattern, m->arena), m->arena);
  m->ok = m->ok && x != NULL;
  return x;
}

static void add_totals(struct maker *m)
{
  const struct vehicle_questions *q = m->q;
  if (q->vdp)
    add_report(m, &(struct draft){MODELS_VDP, {NULL}, 2, q->n_periods, views_filter(m), false});
  struct draft d = {MODELS_DAYS, {NULL}, 3, q->n_periods, NULL, false};
  add_dimension(m, &d, ROLE_DATE, "date");
  add_report(m, &d);
}

static void add_views(struct maker *m)
{
  const struct vehicle_questions *q = m->q;
  struct draft d = {MODELS_VIEWS, {NULL}, 4, q->n_periods, views_filter(m), false};
  add_dimension(m, &d, ROLE_DATE, q->by_date ? "date" : "");
  add_dimension(m, &d, ROLE_WEEK, q->by_week ? "isoYearIsoWeek" : "");
  add_names(m, &d);
  add_dimension(m, &d, ROLE_CONDITION, q->by_condition ? m->r->condition : "");
  add_report(m, &d);
}

/* Paths tell condition and fuel themselves. */
static void add_kinds(struct maker *m)
{
  if (!m->q->kinds || (m->r->condition[0] == '\0' && m->r->fuel[0] == '\0'))
    return;
  struct draft d = {MODELS_KINDS, {NULL}, 1, 1, views_filter(m), false};
  add_names(m, &d);
  add_dimension(m, &d, ROLE_CONDITION, m->r->condition);
  add_dimension(m, &d, ROLE_FUEL, m->r->fuel);
  add_report(m, &d);
}

static void add_leads(struct maker *m)
{
  const struct vehicle_questions *q = m->q;
  if (!q->leads)
    return;
  struct draft d = {MODELS_LEADS, {NULL}, 2, q->n_periods, leads_filter(m, false), m->r->fields};
  add_dimension(m, &d, ROLE_EVENT, "eventName");
  add_names(m, &d);
  add_dimension(m, &d, ROLE_CONDITION, q->by_condition ? m->r->condition : "");
  add_report(m, &d);
  if (m->r->fields) /* the rows without a vehicle are among these */
    return;
  struct draft totals = {MODELS_LEAD_TOTALS, {NULL}, 2, q->n_periods, leads_filter(m, true), true};
  add_dimension(m, &totals, ROLE_EVENT, "eventName");
  add_report(m, &totals);
}

static bool make_set(const struct vehicle_questions *q, const struct reading *r,
                     const struct lead_events *leads, struct models_source *source,
                     struct query_set *set, struct arena *arena)
{
  struct maker m = {q, r, leads, source, set, arena, true};
  source->fields = r->fields;
  add_totals(&m);
  add_views(&m);
  add_kinds(&m);
  add_leads(&m);
  return m.ok;
}

/* ---------------------------------------------------------------------- all dealers */

static bool make_plan(struct tool_call *c, const struct vehicle_questions *q,
                      const struct lead_events *leads, struct plan *p, struct models_fold *fold)
{
  size_t n = c->cohort.n, n_sets = 0;
  struct reading *readings = ARENA_ARRAY(c->arena, struct reading, n);
  struct models_source *sources = ARENA_ARRAY(c->arena, struct models_source, n);
  struct query_set *sets = ARENA_ARRAY(c->arena, struct query_set, n);
  uint16_t *set_of = ARENA_ARRAY(c->arena, uint16_t, n);
  const struct vehicle_aliases *aliases = aliases_of_cohort(&c->cohort, c->arena);
  if (readings == NULL || sources == NULL || sets == NULL || set_of == NULL || aliases == NULL)
    return false;
  for (size_t i = 0; i < n; i++) {
    struct reading r = reading_of(&c->cohort.members[i].vehicles);
    size_t k = 0;
    while (k < n_sets && !same(&readings[k], &r))
      k++;
    if (k == n_sets) {
      readings[n_sets++] = r;
      if (!make_set(q, &readings[k], leads, &sources[k], &sets[k], c->arena))
        return false;
    }
    set_of[i] = (uint16_t)k;
  }
  p->sets = sets;
  p->set_of = set_of;
  p->max_rows_per_report = c->max_rows;
  models_fold_init(fold, sources, set_of, leads, n, c->budget);
  fold->aliases = aliases;
  fold->look_back = q->leads ? (unsigned)q->n_periods : 0;
  fold->ranges = (unsigned)q->n_periods;
  return true;
}

static void find_baselines(const struct tool_call *c, struct vehicle_questions *q)
{
  if (q->n_periods > 1)
    q->n_baselines = period_baselines(q->periods[0], q->periods[1], SUSPECT_BASELINE,
                                      c->now_unix_ms, q->baselines);
  else if (period_days_before(q->periods[0], SUSPECT_BASELINE, c->now_unix_ms, &q->baselines[0]))
    q->n_baselines = 1;
}

enum err_code vehicles_plan(struct tool_call *c, struct vehicle_questions *q,
                            struct lead_events *leads, struct plan *p, struct models_fold *fold,
                            struct err *e)
{
  find_baselines(c, q);
  if ((!q->leads || lead_events_collect(leads, &c->cohort, c->arena)) &&
      make_plan(c, q, leads, p, fold))
    return ERR_OK;
  return tool_cohort_too_large(e, "question");
}
