/* Leads by model against what its vehicle page traffic predicts.
 *
 * Expected lead sessions of a model: over dealers and conditions, its VDP sessions times the lead
 * rate of its class (body style and condition, pooled over dealers), times the dealer's own level
 * (its lead sessions over what the class rates predict for it). Without the level a model would be
 * judged by the dealers that sell it: lead rates of dealers differ by a factor of two for reasons
 * that are not the model's. Expectations add up to the leads there are, per dealer. The two-sided
 * Poisson p of every model with enough expected leads goes through Benjamini and Hochberg at once;
 * which models are shown changes nothing. Only dealers that count the same lead event take part. */
#include "aggregate-svc/answer/vehicle_leads.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/stats/stats.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "aggregate-svc/verdict/models.h"
#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__VehicleLeadConversionResult Result;
typedef Analytics__Aggregate__V1__ModelLeads ModelLeads;
typedef Analytics__Aggregate__V1__UnattributedLeads Unattributed;

enum { HEADLINE_BYTES = 1000, HEADLINE_MODELS = 3 };

/* One model over all dealers. */
struct model_leads {
  int64_t views, vdp_sessions, leads, lead_sessions;
  double expected;
  double q; /* of tested models */
  bool tested;
  int32_t dealers;
  size_t last_member; /* plus 1, of those counted in `dealers` */
};

/* Lead sessions and VDP sessions of a body style in a condition. */
struct class_rate {
  int64_t leads, sessions;
};

struct sums {
  const struct vehicle_question *q;
  struct arena *arena;
  int event;        /* that is compared */
  bool all_suspect; /* the data of every dealer with the event is suspect */
  struct model_leads *models;
  struct class_rate *classes; /* body x condition */
  int64_t leads, attributed;
  double many_views; /* third quartile */
};

static bool is_usable(const struct sums *s, size_t member)
{
  return s->q->cohort->members[member].state == DEALER_OK &&
         vehicle_lead_event(s->q, member) == s->event &&
         metric_is_usable(&dealer_metrics[METRIC_LEADS_PER_100_SESSIONS], &s->q->dealers[member]);
}

/* Whether there is nobody else: then suspect dealers are shown, and not judged. */
static bool is_all_suspect(const struct sums *s)
{
  bool any = false;
  for (size_t i = 0; i < s->q->cohort->n; i++)
    any = any || is_usable(s, i);
  return !any;
}

static bool takes_part(const struct sums *s, size_t member)
{
  return s->all_suspect ? s->q->cohort->members[member].state == DEALER_OK &&
                              vehicle_lead_event(s->q, member) == s->event
                        : is_usable(s, member);
}

/* The event that most dealers count; of equals the first. */
static int main_event(const struct vehicle_question *q)
{
  AUTO_FREE size_t *dealers = xcalloc(q->leads->n + 1, sizeof(*dealers));
  int best = LEAD_UNKNOWN;
  for (size_t i = 0; i < q->cohort->n; i++) {
    int event = q->cohort->members[i].state == DEALER_OK ? vehicle_lead_event(q, i) : LEAD_UNKNOWN;
    if (event != LEAD_UNKNOWN)
      dealers[event]++;
  }
  for (int i = 0; i < (int)q->leads->n; i++)
    if (dealers[i] > 0 && (best == LEAD_UNKNOWN || dealers[i] > dealers[best]))
      best = i;
  return best;
}

static struct class_rate *class_of(const struct sums *s, struct models_key key)
{
  return &s->classes[(size_t)vehicle_models[key.model].body * MODELS_CONDITIONS + key.condition];
}

/* Whether a cell is about a model, and about leads of the compared event. */
static bool is_about_model(const struct sums *s, struct models_key key)
{
  return key.range == 0 && key.model != MODELS_NONE &&
         (key.query == MODELS_VIEWS || (key.query == MODELS_LEADS && key.slot == s->event));
}

/* --------------------------------------------------------------------------- sums */

static void add_cell(struct sums *s, size_t member, struct models_key key, const struct cell *c)
{
  struct model_leads *m = &s->models[key.model];
  if (key.query == MODELS_LEADS) {
    m->leads += c->events;
    m->lead_sessions += c->sessions;
    class_of(s, key)->leads += c->sessions;
    s->attributed += c->events;
    return;
  }
  m->views += c->events;
  m->vdp_sessions += c->sessions;
  class_of(s, key)->sessions += c->sessions;
  if (m->last_member != member + 1)
    m->dealers++;
  m->last_member = member + 1;
}

static void add_members(struct sums *s)
{
  for (size_t i = 0; i < s->q->cohort->n; i++) {
    const struct cells *cells = &s->q->fold->members[i].cells;
    if (!takes_part(s, i))
      continue;
    for (size_t k = 0; k < cells->n; k++) {
      struct models_key key = models_unpack(cells->list[k].key);
      if (is_about_model(s, key))
        add_cell(s, i, key, &cells->list[k]);
    }
    const int64_t *leads = models_lead_events(s->q->fold, i, 0);
    s->leads += leads != NULL && s->event != LEAD_UNKNOWN ? leads[s->event] : 0;
  }
}

/* ------------------------------------------------------------------- expectations */

static double predicted(const struct sums *s, struct models_key key, const struct cell *c)
{
  const struct class_rate *r = class_of(s, key);
  return r->sessions > 0 ? (double)c->sessions * (double)r->leads / (double)r->sessions : 0;
}

/* A dealer's lead sessions over what the class rates predict for it. */
static double level_of(const struct sums *s, const struct cells *cells)
{
  double leads = 0, expected = 0;
  for (size_t k = 0; k < cells->n; k++) {
    struct models_key key = models_unpack(cells->list[k].key);
    if (!is_about_model(s, key))
      continue;
    if (key.query == MODELS_LEADS)
      leads += (double)cells->list[k].sessions;
    else
      expected += predicted(s, key, &cells->list[k]);
  }
  return expected > 0 ? leads / expected : 0;
}

static void expect(struct sums *s)
{
  for (size_t i = 0; i < s->q->cohort->n; i++) {
    const struct cells *cells = &s->q->fold->members[i].cells;
    double level = takes_part(s, i) ? level_of(s, cells) : 0;
    for (size_t k = 0; level > 0 && k < cells->n; k++) {
      struct models_key key = models_unpack(cells->list[k].key);
      if (is_about_model(s, key) && key.query == MODELS_VIEWS)
        s->models[key.model].expected += level * predicted(s, key, &cells->list[k]);
    }
  }
}

/* -------------------------------------------------------------------------- tests */

/* Tests every model with enough expected leads; returns how many there are. */
static size_t run_tests(struct sums *s)
{
  size_t n = 0;
  struct model_leads **tested = ARENA_ARRAY(s->arena, struct model_leads *, vehicle_models_len);
  double *p = ARENA_ARRAY(s->arena, double, vehicle_models_len);
  double *q = ARENA_ARRAY(s->arena, double, vehicle_models_len);
  size_t *order = ARENA_ARRAY(s->arena, size_t, vehicle_models_len);
  for (size_t i = 0; i < vehicle_models_len; i++) {
    struct model_leads *m = &s->models[i];
    m->tested = m->expected >= VEHICLE_EXPECTED_MIN && !s->all_suspect;
    if (!m->tested)
      continue;
    p[n] = stats_poisson_p(m->lead_sessions, m->expected);
    tested[n++] = m;
  }
  stats_benjamini_hochberg(p, n, q, order);
  for (size_t i = 0; i < n; i++)
    tested[i]->q = q[i];
  return n;
}

/* The third quartile of the models' views. */
static void find_many_views(struct sums *s)
{
  size_t n = 0;
  double *views = ARENA_ARRAY(s->arena, double, vehicle_models_len);
  for (size_t i = 0; i < vehicle_models_len; i++)
    if (s->models[i].views > 0)
      views[n++] = (double)s->models[i].views;
  stats_sort(views, n);
  stats_quantile(views, n, 0.75, &s->many_views);
}

/* ------------------------------------------------------------------------- message */

static const char *verdict_of(const struct sums *s, const struct model_leads *m,
                              struct stats_interval ratio)
{
  return expected_word_name(s->all_suspect ? EXPECTED_SUSPECT
                            : !m->tested   ? EXPECTED_TOO_LITTLE_DATA
                                           : model_judge_leads(ratio, m->q));
}

static void put_rate(ModelLeads *m)
{
  struct stats_interval i;
  if (!stats_wilson(m->lead_sessions, m->vdp_sessions, STATS_Z95, &i))
    return;
  m->opt_lead_rate_case = ANALYTICS__AGGREGATE__V1__MODEL_LEADS__OPT_LEAD_RATE_LEAD_RATE;
  m->lead_rate = (double)m->lead_sessions / (double)m->vdp_sessions;
  m->opt_low_case = ANALYTICS__AGGREGATE__V1__MODEL_LEADS__OPT_LOW_LOW;
  m->low = i.low;
  m->opt_high_case = ANALYTICS__AGGREGATE__V1__MODEL_LEADS__OPT_HIGH_HIGH;
  m->high = i.high;
}

static void put_expected(const struct sums *s, const struct model_leads *of, ModelLeads *m)
{
  struct stats_interval i = {0, 0};
  if (of->expected > 0 && stats_byar(of->lead_sessions, STATS_Z95, &i)) {
    i.low /= of->expected;
    i.high /= of->expected;
    m->opt_expected_case = ANALYTICS__AGGREGATE__V1__MODEL_LEADS__OPT_EXPECTED_EXPECTED;
    m->expected = of->expected;
    m->opt_ratio_case = ANALYTICS__AGGREGATE__V1__MODEL_LEADS__OPT_RATIO_RATIO;
    m->ratio = (double)of->lead_sessions / of->expected;
    m->opt_ratio_low_case = ANALYTICS__AGGREGATE__V1__MODEL_LEADS__OPT_RATIO_LOW_RATIO_LOW;
    m->ratio_low = i.low;
    m->opt_ratio_high_case = ANALYTICS__AGGREGATE__V1__MODEL_LEADS__OPT_RATIO_HIGH_RATIO_HIGH;
    m->ratio_high = i.high;
  }
  if (of->tested) {
    m->opt_q_case = ANALYTICS__AGGREGATE__V1__MODEL_LEADS__OPT_Q_Q;
    m->q = of->q;
  }
  m->verdict = borrow_text(verdict_of(s, of, i));
  bool many = of->views >= VEHICLE_SIGNAL_VIEWS && (double)of->views >= s->many_views;
  if (many && strcmp(m->verdict, "below_expected") == 0)
    m->signal = borrow_text("high_interest_low_leads");
}

static ModelLeads *model_message(const struct sums *s, const struct vehicle_rank *rank)
{
  const struct model_leads *of = &s->models[rank->model];
  ModelLeads *m = ARENA_NEW(s->arena, ModelLeads);
  analytics__aggregate__v1__model_leads__init(m);
  m->model = borrow_text(rank->label);
  m->body = borrow_text(vehicle_body(rank->model));
  m->views = of->views;
  m->vdp_sessions = of->vdp_sessions;
  m->leads = of->leads;
  m->lead_sessions = of->lead_sessions;
  m->dealers = of->dealers;
  put_rate(m);
  put_expected(s, of, m);
  return m;
}

/* All models with traffic or leads, most VDP sessions first. */
static ModelLeads **all_models(const struct sums *s, size_t *n)
{
  struct vehicle_rank *list = ARENA_ARRAY(s->arena, struct vehicle_rank, vehicle_models_len);
  *n = 0;
  for (size_t i = 0; i < vehicle_models_len; i++)
    if (s->models[i].views > 0 || s->models[i].leads > 0)
      list[(*n)++] =
          (struct vehicle_rank){(uint16_t)i, s->models[i].vdp_sessions, vehicle_label(i, s->arena)};
  vehicle_rank(list, *n);
  ModelLeads **all = ARENA_ARRAY(s->arena, ModelLeads *, *n);
  for (size_t i = 0; i < *n; i++)
    all[i] = model_message(s, &list[i]);
  return all;
}

static Unattributed *unattributed_message(const struct sums *s)
{
  Unattributed *u = ARENA_NEW(s->arena, Unattributed);
  analytics__aggregate__v1__unattributed_leads__init(u);
  u->leads = s->leads - s->attributed;
  u->of = s->leads;
  if (s->leads > 0) {
    u->opt_share_case = ANALYTICS__AGGREGATE__V1__UNATTRIBUTED_LEADS__OPT_SHARE_SHARE;
    u->share = (double)u->leads / (double)s->leads;
  }
  return u;
}

/* -------------------------------------------------------------------------- words */

/* "fewer leads than expected: Ford Bronco (x0.52), Kia K5 (x0.61)"; returns how many there are. */
static size_t put_verdict(struct buf *b, ModelLeads *const *all, size_t n, const char *verdict,
                          const char *words)
{
  size_t found = 0;
  for (size_t i = 0; i < n; i++) {
    if (strcmp(all[i]->verdict, verdict) != 0)
      continue;
    if (++found > HEADLINE_MODELS)
      continue;
    buf_puts(b, found == 1 ? words : ", ");
    buf_printf(b, "%s (x%.2f)", all[i]->model, all[i]->ratio);
  }
  if (found > HEADLINE_MODELS)
    buf_printf(b, " and %zu more", found - HEADLINE_MODELS);
  return found;
}

static void put_findings(struct buf *b, const Result *r, ModelLeads *const *all, size_t n)
{
  size_t below =
      put_verdict(b, all, n, "below_expected", "Fewer leads than their traffic predicts: ");
  size_t above = put_verdict(b, all, n, "above_expected",
                             below > 0 ? "; more than predicted: "
                                       : "More leads than their traffic predicts: ");
  if (below + above > 0)
    return;
  if (n > 0 && strcmp(all[0]->verdict, "suspect_data") == 0)
    buf_puts(b, "The data is suspect, so no model is judged");
  else if (r->tested == 0)
    buf_puts(b, "There are too few leads to compare models");
  else
    buf_printf(b, "No model has clearly more or fewer leads than its traffic predicts (%d tested)",
               r->tested);
}

static void conversion_caveats(struct caveats *c, const struct sums *s, const Result *r)
{
  if (r->unattributed->of > 0 && 2 * r->unattributed->leads > r->unattributed->of)
    caveats_add(c,
                "%.0f %% of the leads name no vehicle: the figures are about the others, which may "
                "differ.",
                100 * r->unattributed->share);
  if (s->event != LEAD_UNKNOWN)
    vehicle_lead_caveats(c, s->q);
}

static void put_words(const struct sums *s, struct vehicle_matching matching, Result *r,
                      ModelLeads *const *all, size_t n)
{
  struct resolved_period resolved;
  struct caveats c = {.arena = s->arena};
  AUTO_BUF struct buf b = BUF_INIT(HEADLINE_BYTES);
  r->period = period_message(s->q->period, s->q->cohort, s->q->fold->notes, s->q->now_unix_ms,
                             s->arena, &resolved);
  r->coverage = vehicle_coverage(s->q, s->arena);
  vehicle_caveats(&c, s->q, matching, r->period, &resolved);
  conversion_caveats(&c, s, r);
  r->caveats = c.items;
  r->n_caveats = c.n;
  if (s->event == LEAD_UNKNOWN)
    buf_puts(&b, "No event that counts as a lead is known");
  else if (!vehicle_rankable(matching))
    vehicle_put_refusal(&b, matching, &resolved);
  else
    put_findings(&b, r, all, n);
  vehicle_put_scope(&b, r->coverage, r->period);
  r->headline = arena_strdup(s->arena, buf_str(&b));
}

static void add_page(const struct vehicle_question *q, Result *r, ModelLeads **all, size_t n)
{
  size_t from = q->offset < n ? q->offset : n;
  r->models = all + from;
  r->n_models = n - from < q->limit ? n - from : q->limit;
  r->next_offset = from + r->n_models < n ? (int32_t)(from + r->n_models) : 0;
}

Result *vehicle_leads(const struct vehicle_question *q, struct arena *arena)
{
  struct sums s = {.q = q, .arena = arena, .event = main_event(q)};
  struct vehicle_matching matching = vehicle_matching_of(q);
  Result *r = ARENA_NEW(arena, Result);
  ModelLeads **all = NULL;
  size_t n = 0;
  analytics__aggregate__v1__vehicle_lead_conversion_result__init(r);
  s.models = ARENA_ARRAY(arena, struct model_leads, vehicle_models_len);
  s.all_suspect = is_all_suspect(&s);
  s.classes = ARENA_ARRAY(arena, struct class_rate, vehicle_bodies_len * MODELS_CONDITIONS);
  add_members(&s);
  r->unattributed = unattributed_message(&s);
  r->attribution = borrow_text("lead_event_item");
  if (s.event != LEAD_UNKNOWN)
    r->lead_event = q->leads->names[s.event];
  if (s.event != LEAD_UNKNOWN && vehicle_rankable(matching)) {
    expect(&s);
    r->tested = (int32_t)run_tests(&s);
    find_many_views(&s);
    all = all_models(&s, &n);
    add_page(q, r, all, n);
  }
  put_words(&s, matching, r, all, n);
  return r;
}
