/* Interest in vehicle models: sums over dealers, shares, changes.
 *
 * Three passes over the cells of the dealers that answered: sums per model and range, the axes
 * (body style, powertrain, condition), and for the models that are shown their views per day,
 * which give the interval of their share. */
#include "aggregate-svc/answer/vehicle_interest.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/stats/stats.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__AnalyzeVehicleInterestResult Result;
typedef Analytics__Aggregate__V1__ModelInterest ModelInterest;
typedef Analytics__Aggregate__V1__VehicleTotals Totals;
typedef Analytics__Aggregate__V1__ViewShare ViewShare;
typedef Analytics__Aggregate__V1__RegionModel RegionModel;
typedef Analytics__Aggregate__V1__UnmatchedValue UnmatchedValue;

enum { REGION_TOP = 3, UNMATCHED_TOP = 10 };

/* One model over all dealers. */
struct model_sums {
  int64_t views[MODELS_RANGES], sessions[MODELS_RANGES], leads[MODELS_RANGES];
  struct change_sums {
    int64_t views[MODELS_RANGES], sessions[MODELS_RANGES], leads[MODELS_RANGES];
  } change; /* the same of the dealers that changes are measured by */
  int64_t engaged, by_condition[MODELS_CONDITIONS];
  double seconds;
  int32_t dealers;
  size_t last_member; /* plus 1, of those counted in `dealers` */
};

/* All that the answer is made of. */
struct sums {
  const struct vehicle_question *q;
  struct arena *arena;
  struct model_sums *models;
  int64_t *by_powertrain; /* axis */
  int64_t by_condition[MODELS_CONDITIONS];
  int64_t matched[MODELS_RANGES];  /* views */
  int64_t compared[MODELS_RANGES]; /* those of the dealers that changes are measured by */
  int64_t sessions, vdp_sessions, vdp_views, leads, attributed;
  bool leads_known;
};

/* -------------------------------------------------------------------------- sums */

/* A dealer that was not measured in all of both periods would look like a change of its models. */
static bool has_change(const struct sums *s, size_t member)
{
  return metric_has_change(&dealer_metrics[METRIC_SESSIONS], &s->q->dealers[member]);
}

static void add_views(struct sums *s, size_t member, struct models_key key, const struct cell *c)
{
  struct model_sums *m = &s->models[key.model];
  if (has_change(s, member)) {
    m->change.views[key.range] += c->events;
    m->change.sessions[key.range] += c->sessions;
    s->compared[key.range] += c->events;
  }
  m->views[key.range] += c->events;
  m->sessions[key.range] += c->sessions;
  s->matched[key.range] += c->events;
  if (key.range != 0)
    return;
  m->engaged += c->engaged_sessions;
  m->seconds += c->seconds;
  if (c->events > 0 && m->last_member != member + 1) {
    m->dealers++;
    m->last_member = member + 1;
  }
}

/* Whether a cell says how the views split by powertrain and condition. */
static bool is_axis(const struct vehicle_question *q, size_t member, struct models_key key)
{
  bool kinds = models_source_of(q->fold, member)->layouts[MODELS_KINDS].n > 0;
  return key.range == 0 && key.query == (kinds ? MODELS_KINDS : MODELS_VIEWS);
}

static void add_axes(struct sums *s, struct models_key key, const struct cell *c)
{
  s->by_powertrain[key.powertrain] += c->events;
  s->by_condition[key.condition] += c->events;
  s->models[key.model].by_condition[key.condition] += c->events;
}

static void add_member(struct sums *s, size_t member)
{
  const struct models_member *m = &s->q->fold->members[member];
  int event = vehicle_lead_event(s->q, member);
  for (size_t i = 0; i < m->cells.n; i++) {
    const struct cell *c = &m->cells.list[i];
    struct models_key key = models_unpack(c->key);
    if (key.model == MODELS_NONE)
      continue;
    if (key.query == MODELS_VIEWS)
      add_views(s, member, key, c);
    if (is_axis(s->q, member, key))
      add_axes(s, key, c);
    if (key.query == MODELS_LEADS && key.slot == event) {
      s->models[key.model].leads[key.range] += c->events;
      s->models[key.model].change.leads[key.range] += has_change(s, member) ? c->events : 0;
      s->attributed += key.range == 0 ? c->events : 0;
    }
  }
  s->sessions += m->totals[0].sessions;
  s->vdp_sessions += m->totals[0].vdp_sessions;
  s->vdp_views += m->totals[0].vdp_views;
  if (event == LEAD_UNKNOWN)
    return;
  const int64_t *leads = models_lead_events(s->q->fold, member, 0);
  s->leads_known = true;
  s->leads += leads != NULL ? leads[event] : 0;
}

static void add_members(struct sums *s)
{
  for (size_t i = 0; i < s->q->cohort->n; i++)
    if (vehicle_counts(s->q, i))
      add_member(s, i);
}

/* ----------------------------------------------------------------------- intervals */

/* Views of the shown models and of all matched ones by day. */
struct days {
  size_t first, n;
  double *all;
  double *of; /* shown model x day */
};

static void find_days(const struct sums *s, struct days *d)
{
  size_t first = SIZE_MAX, last = 0;
  for (size_t i = 0; i < s->q->cohort->n; i++) {
    const struct cells *cells = &s->q->fold->members[i].cells;
    bool counts = vehicle_counts(s->q, i);
    for (size_t k = 0; counts && k < cells->n; k++) {
      struct models_key key = models_unpack(cells->list[k].key);
      if (key.query != MODELS_VIEWS || key.range != 0)
        continue;
      first = key.slot < first ? key.slot : first;
      last = key.slot > last ? key.slot : last;
    }
  }
  d->first = first;
  d->n = first == SIZE_MAX ? 0 : last - first + 1;
}

/* place[model] is its position among the shown ones plus 1, 0 when it is not shown. */
static void fill_days(const struct sums *s, struct days *d, const size_t *place)
{
  for (size_t i = 0; i < s->q->cohort->n; i++) {
    const struct cells *cells = &s->q->fold->members[i].cells;
    bool counts = vehicle_counts(s->q, i);
    for (size_t k = 0; counts && k < cells->n; k++) {
      struct models_key key = models_unpack(cells->list[k].key);
      if (key.query != MODELS_VIEWS || key.range != 0 || key.model == MODELS_NONE)
        continue;
      size_t day = key.slot - d->first;
      d->all[day] += (double)cells->list[k].events;
      if (place[key.model] > 0)
        d->of[(place[key.model] - 1) * d->n + day] += (double)cells->list[k].events;
    }
  }
}

static struct days days_of(const struct sums *s, const struct vehicle_rank *shown, size_t n)
{
  struct days d = {0};
  find_days(s, &d);
  size_t *place = ARENA_ARRAY(s->arena, size_t, vehicle_models_len);
  for (size_t i = 0; i < n; i++)
    place[shown[i].model] = i + 1;
  d.all = ARENA_ARRAY(s->arena, double, d.n);
  d.of = ARENA_ARRAY(s->arena, double, d.n *n);
  fill_days(s, &d, place);
  return d;
}

/* The interval of a share by its variation from day to day. */
static void put_interval(ModelInterest *m, const struct days *d, size_t shown)
{
  struct stats_clustered r;
  double limit;
  if (!stats_clustered_ratio(d->of + shown * d->n, d->all, d->n, &r) ||
      !stats_t_limit(0.05, r.df, &limit))
    return;
  double low = r.value - limit * r.se, high = r.value + limit * r.se;
  m->opt_low_case = ANALYTICS__AGGREGATE__V1__MODEL_INTEREST__OPT_LOW_LOW;
  m->low = low < 0 ? 0 : low;
  m->opt_high_case = ANALYTICS__AGGREGATE__V1__MODEL_INTEREST__OPT_HIGH_HIGH;
  m->high = high > 1 ? 1 : high;
}

/* -------------------------------------------------------------------------- models */

static void put_changes(const struct sums *s, const struct change_sums *of, ModelInterest *m)
{
  if (!s->q->has_before || s->compared[0] == 0 || s->compared[1] == 0)
    return;
  m->opt_share_change_case =
      ANALYTICS__AGGREGATE__V1__MODEL_INTEREST__OPT_SHARE_CHANGE_SHARE_CHANGE_PP;
  m->share_change_pp = 100 * ((double)of->views[0] / (double)s->compared[0] -
                              (double)of->views[1] / (double)s->compared[1]);
  if (of->sessions[1] > 0) {
    m->opt_sessions_change_case =
        ANALYTICS__AGGREGATE__V1__MODEL_INTEREST__OPT_SESSIONS_CHANGE_SESSIONS_CHANGE;
    m->sessions_change = (double)of->sessions[0] / (double)of->sessions[1] - 1;
  }
  if (s->leads_known) {
    m->opt_leads_change_case =
        ANALYTICS__AGGREGATE__V1__MODEL_INTEREST__OPT_LEADS_CHANGE_LEADS_CHANGE;
    m->leads_change = of->leads[0] - of->leads[1];
  }
}

static void put_sessions(const struct sums *s, const struct model_sums *of, ModelInterest *m)
{
  int64_t sessions = m->vdp_sessions = of->sessions[0];
  if (s->sessions > 0) {
    m->opt_reach_case = ANALYTICS__AGGREGATE__V1__MODEL_INTEREST__OPT_REACH_REACH;
    m->reach = (double)sessions / (double)s->sessions;
  }
  if (sessions == 0)
    return;
  m->opt_session_s_case = ANALYTICS__AGGREGATE__V1__MODEL_INTEREST__OPT_SESSION_S_SESSION_S;
  m->session_s = of->seconds / (double)sessions;
  m->opt_bounce_case = ANALYTICS__AGGREGATE__V1__MODEL_INTEREST__OPT_BOUNCE_BOUNCE;
  m->bounce = (double)(sessions - of->engaged) / (double)sessions;
}

static ModelInterest *model_message(const struct sums *s, const struct vehicle_rank *rank,
                                    const struct days *days, size_t shown)
{
  const struct model_sums *of = &s->models[rank->model];
  int64_t known = of->by_condition[CONDITION_NEW] + of->by_condition[CONDITION_USED];
  ModelInterest *m = ARENA_NEW(s->arena, ModelInterest);
  analytics__aggregate__v1__model_interest__init(m);
  m->model = borrow_text(rank->label);
  m->body = borrow_text(vehicle_body(rank->model));
  m->views = of->views[0];
  m->share = (double)of->views[0] / (double)s->matched[0];
  m->dealers = of->dealers;
  put_interval(m, days, shown);
  put_sessions(s, of, m);
  put_changes(s, &of->change, m);
  if (known > 0) {
    m->opt_new_share_case = ANALYTICS__AGGREGATE__V1__MODEL_INTEREST__OPT_NEW_SHARE_NEW_SHARE;
    m->new_share = (double)of->by_condition[CONDITION_NEW] / (double)known;
  }
  if (s->leads_known) {
    m->opt_leads_case = ANALYTICS__AGGREGATE__V1__MODEL_INTEREST__OPT_LEADS_LEADS;
    m->leads = of->leads[0];
  }
  return m;
}

/* Models by an amount, those without any left out. */
static struct vehicle_rank *rank_models(const int64_t *amounts, size_t *n, struct arena *arena)
{
  struct vehicle_rank *list = ARENA_ARRAY(arena, struct vehicle_rank, vehicle_models_len);
  *n = 0;
  for (size_t i = 0; i < vehicle_models_len; i++)
    if (amounts[i] > 0)
      list[(*n)++] = (struct vehicle_rank){(uint16_t)i, amounts[i], vehicle_label(i, arena)};
  vehicle_rank(list, *n);
  return list;
}

static struct vehicle_rank *rank_all(const struct sums *s, size_t *n)
{
  int64_t *views = ARENA_ARRAY(s->arena, int64_t, vehicle_models_len);
  for (size_t i = 0; i < vehicle_models_len; i++)
    views[i] = s->models[i].views[0];
  return rank_models(views, n, s->arena);
}

static void add_models(const struct sums *s, Result *r, const struct vehicle_rank *all, size_t n)
{
  size_t from = s->q->offset < n ? s->q->offset : n;
  size_t shown = n - from < s->q->limit ? n - from : s->q->limit;
  struct days days = days_of(s, all + from, shown);
  r->models = ARENA_ARRAY(s->arena, ModelInterest *, shown);
  for (; r->n_models < shown; r->n_models++)
    r->models[r->n_models] = model_message(s, &all[from + r->n_models], &days, r->n_models);
  r->next_offset = from + shown < n ? (int32_t)(from + shown) : 0;
}

/* ------------------------------------------------------------------------- regions */

static bool seen_before(const struct vehicle_question *q, size_t member)
{
  const struct cohort *c = q->cohort;
  for (size_t i = 0; i < member; i++)
    if (vehicle_counts(q, i) && strcmp(c->members[i].region, c->members[member].region) == 0)
      return true;
  return false;
}

static int64_t sum_region(const struct sums *s, const char *region, int64_t *views)
{
  int64_t all = 0;
  for (size_t i = 0; i < s->q->cohort->n; i++) {
    const struct cohort_member *member = &s->q->cohort->members[i];
    const struct cells *cells = &s->q->fold->members[i].cells;
    if (!vehicle_counts(s->q, i) || strcmp(member->region, region) != 0)
      continue;
    for (size_t k = 0; k < cells->n; k++) {
      struct models_key key = models_unpack(cells->list[k].key);
      if (key.query != MODELS_VIEWS || key.range != 0 || key.model == MODELS_NONE)
        continue;
      views[key.model] += cells->list[k].events;
      all += cells->list[k].events;
    }
  }
  return all;
}

static void add_region(const struct sums *s, Result *r, const char *region)
{
  size_t n;
  int64_t *views = ARENA_ARRAY(s->arena, int64_t, vehicle_models_len);
  int64_t all = sum_region(s, region, views);
  struct vehicle_rank *list = rank_models(views, &n, s->arena);
  for (size_t i = 0; i < n && i < REGION_TOP; i++) {
    RegionModel *m = ARENA_NEW(s->arena, RegionModel);
    analytics__aggregate__v1__region_model__init(m);
    m->region = borrow_text(region);
    m->rank = (int32_t)i + 1;
    m->model = borrow_text(list[i].label);
    m->views = list[i].amount;
    m->share = (double)list[i].amount / (double)all;
    r->regions[r->n_regions++] = m;
  }
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_regions(const struct sums *s, Result *r)
{
  const struct cohort *c = s->q->cohort;
  const char **names = ARENA_ARRAY(s->arena, const char *, c->n);
  size_t n = 0;
  for (size_t i = 0; i < c->n; i++)
    if (vehicle_counts(s->q, i) && !seen_before(s->q, i))
      names[n++] = c->members[i].region;
  qsort(names, n, sizeof(*names), by_name);
  r->regions = ARENA_ARRAY(s->arena, RegionModel *, REGION_TOP * n);
  for (size_t i = 0; i < n; i++)
    add_region(s, r, names[i]);
}

/* ---------------------------------------------------------------------------- axes */

static int more_views(const void *a, const void *b)
{
  const ViewShare *x = *(ViewShare *const *)a, *y = *(ViewShare *const *)b;
  if (x->views != y->views)
    return x->views > y->views ? -1 : 1;
  return strcmp(x->name, y->name);
}

/* Adds the parts of one axis, largest first; parts without views are left out. */
static void add_axis(const struct sums *s, Result *r, const char *axis, const char *const *names,
                     const int64_t *views, size_t n)
{
  size_t first = r->n_shares;
  int64_t all = 0;
  for (size_t i = 0; i < n; i++)
    all += views[i];
  for (size_t i = 0; i < n; i++) {
    if (views[i] == 0)
      continue;
    ViewShare *v = r->shares[r->n_shares++] = ARENA_NEW(s->arena, ViewShare);
    analytics__aggregate__v1__view_share__init(v);
    v->axis = borrow_text(axis);
    v->name = borrow_text(names[i]);
    v->views = views[i];
    v->share = (double)views[i] / (double)all;
  }
  qsort(r->shares + first, r->n_shares - first, sizeof(*r->shares), more_views);
}

static void add_shares(const struct sums *s, Result *r)
{
  static const char *const conditions[MODELS_CONDITIONS] = {"unknown", "new", "used"};
  const char *powertrains[VEHICLE_POWERTRAINS + 1];
  int64_t *bodies = ARENA_ARRAY(s->arena, int64_t, vehicle_bodies_len);
  for (size_t i = 0; i < vehicle_models_len; i++)
    bodies[vehicle_models[i].body] += s->models[i].views[0];
  for (size_t i = 0; i <= VEHICLE_POWERTRAINS; i++)
    powertrains[i] = vehicle_powertrain_name((enum vehicle_powertrain)i);
  r->shares = ARENA_ARRAY(s->arena, ViewShare *,
                          vehicle_bodies_len + ARRAY_LEN(powertrains) + MODELS_CONDITIONS);
  add_axis(s, r, "body_style", vehicle_bodies, bodies, vehicle_bodies_len);
  add_axis(s, r, "powertrain", powertrains, s->by_powertrain, ARRAY_LEN(powertrains));
  add_axis(s, r, "condition", conditions, s->by_condition, MODELS_CONDITIONS);
}

/* ----------------------------------------------------------------------- unmatched */

static int more_unmatched(const void *a, const void *b)
{
  const UnmatchedValue *x = *(UnmatchedValue *const *)a, *y = *(UnmatchedValue *const *)b;
  if (x->views != y->views)
    return x->views > y->views ? -1 : 1;
  return strcmp(x->value, y->value);
}

static int by_value(const void *a, const void *b)
{
  return strcmp((*(UnmatchedValue *const *)a)->value, (*(UnmatchedValue *const *)b)->value);
}

/* Equal values of several dealers become one. */
static size_t merge(UnmatchedValue **list, size_t n)
{
  size_t kept = 0;
  qsort(list, n, sizeof(*list), by_value);
  for (size_t i = 0; i < n; i++) {
    if (kept > 0 && strcmp(list[kept - 1]->value, list[i]->value) == 0)
      list[kept - 1]->views += list[i]->views;
    else
      list[kept++] = list[i];
  }
  return kept;
}

static void add_unmatched(const struct sums *s, Result *r)
{
  size_t n = 0;
  for (size_t i = 0; i < s->q->cohort->n; i++)
    n += s->q->fold->members[i].unmatched.cells.n;
  UnmatchedValue **list = ARENA_ARRAY(s->arena, UnmatchedValue *, n);
  n = 0;
  for (size_t i = 0; i < s->q->cohort->n; i++) {
    const struct models_unmatched *u = &s->q->fold->members[i].unmatched;
    for (size_t k = 0; s->q->cohort->members[i].state == DEALER_OK && k < u->cells.n; k++) {
      UnmatchedValue *v = list[n++] = ARENA_NEW(s->arena, UnmatchedValue);
      analytics__aggregate__v1__unmatched_value__init(v);
      v->value = u->texts[k];
      v->views = u->cells.list[k].events;
    }
  }
  n = merge(list, n);
  qsort(list, n, sizeof(*list), more_unmatched);
  r->unmatched = list;
  r->n_unmatched = n < UNMATCHED_TOP ? n : UNMATCHED_TOP;
}

/* ---------------------------------------------------------------------------- whole */

static Totals *totals_message(const struct sums *s, struct vehicle_matching matching,
                              size_t n_models)
{
  Totals *t = ARENA_NEW(s->arena, Totals);
  analytics__aggregate__v1__vehicle_totals__init(t);
  t->sessions = s->sessions;
  t->vdp_sessions = s->vdp_sessions;
  t->vdp_views = s->vdp_views;
  t->models = (int32_t)n_models;
  if (s->sessions > 0) {
    t->opt_reach_case = ANALYTICS__AGGREGATE__V1__VEHICLE_TOTALS__OPT_REACH_REACH;
    t->reach = (double)s->vdp_sessions / (double)s->sessions;
  }
  if (matching.views > 0) {
    t->opt_matched_case = ANALYTICS__AGGREGATE__V1__VEHICLE_TOTALS__OPT_MATCHED_MATCHED;
    t->matched = (double)matching.matched / (double)matching.views;
  }
  if (s->leads_known) {
    t->opt_leads_case = ANALYTICS__AGGREGATE__V1__VEHICLE_TOTALS__OPT_LEADS_LEADS;
    t->leads = s->leads;
    t->opt_leads_unattributed_case =
        ANALYTICS__AGGREGATE__V1__VEHICLE_TOTALS__OPT_LEADS_UNATTRIBUTED_LEADS_UNATTRIBUTED;
    t->leads_unattributed = s->leads - s->attributed;
  }
  return t;
}

Result *vehicle_interest(const struct vehicle_question *q, struct arena *arena)
{
  struct sums s = {.q = q, .arena = arena};
  struct vehicle_matching matching = vehicle_matching_of(q);
  Result *r = ARENA_NEW(arena, Result);
  size_t n;
  analytics__aggregate__v1__analyze_vehicle_interest_result__init(r);
  s.models = ARENA_ARRAY(arena, struct model_sums, vehicle_models_len);
  s.by_powertrain = ARENA_ARRAY(arena, int64_t, VEHICLE_POWERTRAINS + 1);
  add_members(&s);
  struct vehicle_rank *all = rank_all(&s, &n);
  r->totals = totals_message(&s, matching, n);
  if (vehicle_rankable(matching)) {
    add_models(&s, r, all, n);
    add_shares(&s, r);
    add_regions(&s, r);
  }
  add_unmatched(&s, r);
  vehicle_interest_words(q, matching, r, arena);
  return r;
}
