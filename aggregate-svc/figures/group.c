/* Groups of comparable dealers. */
#include "aggregate-svc/figures/group.h"

#include <stdlib.h>

#include "common/base/mem.h"

static struct stats_ratio parts_of(const struct cohort_figures *c, struct metric_group g,
                                   size_t member)
{
  return metric_parts(&dealer_metrics[g.metric], &c->dealers[member]);
}

/* Whether what the metric counts is known of a dealer. */
static bool is_known(const struct dealer_metric *m, const struct dealer_figures *f)
{
  return f->ok && (!m->lead || f->lead_event != LEAD_UNKNOWN) &&
         (!m->shopper || f->shopper != SHOPPER_UNKNOWN) && (!m->pages || f->pages) &&
         (m->kind == 0 || f->kinds[m->kind - 1] > 0);
}

bool group_knows(const struct cohort_figures *c, enum metric_id metric, size_t member)
{
  return is_known(&dealer_metrics[metric], &c->dealers[member]);
}

bool group_has(const struct cohort_figures *c, struct metric_group g, size_t member)
{
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  const struct dealer_figures *f = &c->dealers[member];
  return is_known(m, f) && parts_of(c, g, member).denominator > 0 &&
         (!m->lead || f->lead_event == g.lead_event) && (!m->shopper || f->shopper == g.shopper) &&
         (!m->engagement || f->key_events == g.key_events);
}

bool group_counts(const struct cohort_figures *c, struct metric_group g, size_t member)
{
  return group_has(c, g, member) &&
         metric_is_usable(&dealer_metrics[g.metric], &c->dealers[member]);
}

struct cohort_figures group_before(const struct cohort_figures *c, struct dealer_figures *space)
{
  for (size_t i = 0; i < c->cohort->n; i++) {
    space[i] = c->dealers[i];
    space[i].now = c->dealers[i].before;
    space[i].days = c->dealers[i].before_days;
    space[i].n_days = c->dealers[i].n_before_days;
    space[i].channels = NULL;
  }
  return (struct cohort_figures){c->cohort, space, c->leads};
}

struct metric_group group_of(const struct cohort_figures *c, enum metric_id metric, size_t member)
{
  const struct dealer_figures *f = &c->dealers[member];
  return (struct metric_group){metric, f->lead_event, f->shopper, f->key_events};
}

struct cohort_figures group_trend(const struct cohort_figures *c, bool before,
                                  struct dealer_figures *space)
{
  if (before)
    group_before(c, space);
  for (size_t i = 0; i < c->cohort->n; i++) {
    if (!before)
      space[i] = c->dealers[i];
    if (c->dealers[i].effects & EFFECT_NO_TREND)
      space[i].ok = false;
  }
  return (struct cohort_figures){c->cohort, space, c->leads};
}

double group_dispersion(const struct cohort_figures *c, enum metric_id metric)
{
  const struct dealer_metric *m = &dealer_metrics[metric];
  struct stats_dispersion d = {0, 0};
  size_t most = 0;
  for (size_t i = 0; i < c->cohort->n; i++)
    most = c->dealers[i].n_days > most ? c->dealers[i].n_days : most;
  AUTO_FREE struct stats_ratio *days = xcalloc(most + 1, sizeof(*days));
  for (size_t i = 0; i < c->cohort->n; i++) {
    const struct dealer_figures *f = &c->dealers[i];
    if (!is_known(m, f) || !metric_is_usable(m, f))
      continue;
    for (size_t k = 0; k < f->n_days; k++)
      days[k] = metric_parts_on(m, f, &f->days[k]);
    stats_dispersion_add(&d, days, f->n_days, metric_model(m));
  }
  return stats_dispersion_phi(&d);
}

bool group_value(const struct cohort_figures *c, struct metric_group g, size_t member, double *out)
{
  return group_has(c, g, member) &&
         metric_value(&dealer_metrics[g.metric], parts_of(c, g, member), out);
}

static bool is_in(const struct cohort_figures *c, size_t member, enum group_scope scope)
{
  return scope == GROUP_ALL || c->cohort->members[member].visible == (scope == GROUP_VISIBLE);
}

struct group_values group_gather(const struct cohort_figures *c, struct metric_group g,
                                 long left_out, enum group_scope scope)
{
  struct group_values v = {.values = xcalloc(c->cohort->n + 1, sizeof(double)), .pooled = true};
  for (size_t i = 0; i < c->cohort->n; i++) {
    if ((long)i == left_out || !is_in(c, i, scope) || !group_counts(c, g, i) ||
        !group_value(c, g, i, &v.values[v.n]))
      continue;
    v.n++;
    struct stats_ratio parts[2] = {v.pool, parts_of(c, g, i)};
    v.pooled = v.pooled && stats_pool(parts, 2, &v.pool);
  }
  return v;
}

void group_free(struct group_values *v)
{
  free(v->values);
}

bool group_count(const struct cohort_figures *c, struct metric_group g, int64_t *out)
{
  int64_t sum = 0;
  bool any = false;
  for (size_t i = 0; i < c->cohort->n; i++) {
    if (!group_counts(c, g, i))
      continue;
    any = true;
    if (!stats_count_add(&sum, parts_of(c, g, i).numerator))
      return false;
  }
  *out = sum;
  return any;
}

/* An event that only outside dealers configured may identify them by its name. */
static bool may_be_named(const struct cohort_figures *c, int event)
{
  for (size_t i = 0; event >= LEAD_DEFAULTS && i < c->cohort->n; i++)
    if (c->cohort->members[i].visible && c->dealers[i].ok && c->dealers[i].lead_event == event)
      return true;
  return event < LEAD_DEFAULTS;
}

/* How many dealers count an event, and their sessions. */
struct event_use {
  int64_t dealers, sessions;
};

static struct event_use use_of(const struct cohort_figures *c, int event)
{
  struct event_use use = {0, 0};
  for (size_t i = 0; may_be_named(c, event) && i < c->cohort->n; i++) {
    if (!c->dealers[i].ok || c->dealers[i].lead_event != event)
      continue;
    use.dealers++;
    use.sessions += c->dealers[i].now.sessions;
  }
  return use;
}

int group_lead_event(const struct cohort_figures *c)
{
  long subject = c->cohort->subject;
  if (subject >= 0 && c->dealers[subject].ok && c->dealers[subject].lead_event != LEAD_UNKNOWN)
    return c->dealers[subject].lead_event;
  int best = LEAD_UNKNOWN;
  struct event_use most = {0, -1};
  for (int event = 0; event < (int)c->leads->n; event++) {
    struct event_use use = use_of(c, event);
    if (use.dealers == 0 || use.dealers < most.dealers ||
        (use.dealers == most.dealers && use.sessions <= most.sessions))
      continue;
    best = event;
    most = use;
  }
  return best;
}

/* The subject's definition of a shopper session, else the one of most dealers; of equals the
 * first by number. Definitions by an event of a dealer's own stand for the subject only. */
static int region_shopper(const struct cohort_figures *c)
{
  long subject = c->cohort->subject;
  if (subject >= 0 && c->dealers[subject].ok && c->dealers[subject].shopper != SHOPPER_UNKNOWN)
    return c->dealers[subject].shopper;
  int best = SHOPPER_UNKNOWN;
  size_t most = 0;
  for (int shopper = 0; shopper < SHOPPER_EVENT + LEAD_FIXED; shopper++) {
    size_t dealers = 0;
    for (size_t i = 0; i < c->cohort->n; i++)
      dealers += c->dealers[i].ok && c->dealers[i].shopper == shopper;
    if (dealers > most) {
      best = shopper;
      most = dealers;
    }
  }
  return best;
}

/* Dealers with a signature. */
static size_t dealers_with(const struct cohort_figures *c, uint64_t key_events,
                           enum group_scope scope)
{
  size_t n = 0;
  for (size_t i = 0; i < c->cohort->n; i++)
    n += c->dealers[i].ok && is_in(c, i, scope) && c->dealers[i].key_events == key_events;
  return n;
}

uint64_t group_usual_key_events(const struct cohort_figures *c, enum group_scope scope)
{
  uint64_t best = 0;
  size_t most = 0;
  for (size_t i = 0; i < c->cohort->n; i++) {
    uint64_t own = c->dealers[i].key_events;
    if (most > 0 && own == best) /* counted: mostly all dealers have the same */
      continue;
    size_t n = c->dealers[i].ok && is_in(c, i, scope) ? dealers_with(c, own, scope) : 0;
    if (n > most || (n == most && n > 0 && own < best)) {
      best = own;
      most = n;
    }
  }
  return best;
}

/* The subject's, else those of most dealers. */
static uint64_t group_key_events(const struct cohort_figures *c)
{
  long subject = c->cohort->subject;
  return subject >= 0 && c->dealers[subject].ok ? c->dealers[subject].key_events
                                                : group_usual_key_events(c, GROUP_ALL);
}

struct metric_group group_of_region(const struct cohort_figures *c, enum metric_id metric)
{
  return (struct metric_group){metric, group_lead_event(c), region_shopper(c), group_key_events(c)};
}
