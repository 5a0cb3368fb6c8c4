/* Judges comparisons. */
#include "tests/unit/isolation/oracle.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__MetricAverage MetricAverage;

enum metric {
  SESSIONS,
  ENGAGED,
  ENGAGEMENT,
  BOUNCE,
  LEADS,
  LEAD_RATE,
  SHOPPERS,
  SHOPPER_RATE,
  SHOPPER_LEAD_RATE,
  UNKNOWN
};

static enum metric metric_of(const char *name)
{
  static const char *const names[] = {
      "sessions",         "engaged_sessions", "engagement_rate",
      "bounce_rate",      "lead_events",      "leads_per_100_sessions",
      "shopper_sessions", "shopper_rate",     "leads_per_100_shopper_sessions"};
  for (size_t i = 0; i < UNKNOWN; i++)
    if (strcmp(name, names[i]) == 0)
      return (enum metric)i;
  return UNKNOWN;
}

static bool is_rate(enum metric m)
{
  return m == ENGAGEMENT || m == BOUNCE || m == LEAD_RATE || m == SHOPPER_RATE ||
         m == SHOPPER_LEAD_RATE;
}

static bool is_lead(enum metric m)
{
  return m == LEADS || m == LEAD_RATE || m == SHOPPER_LEAD_RATE;
}

static double scale(enum metric m)
{
  return m == LEAD_RATE || m == SHOPPER_LEAD_RATE ? 100 : 1;
}

static bool wrong(const char *what, const char *metric, const char *id)
{
  printf("\n  disclosure: %s (%s, %s)\n", what, metric, id);
  return true;
}

/* ------------------------------------------------------------------------- figures */

/* Index into events; -1 when no event is known to count. */
static int lead_event(const struct shop *s)
{
  if (s->lead_event[0] != '\0') {
    for (int e = 0; e < PLAN_EVENTS - 1; e++)
      if (strcmp(s->lead_event, plan_events[e]) == 0)
        return e;
    return PLAN_EVENTS - 1;
  }
  int most = 0;
  for (int e = 1; e < PLAN_EVENTS - 1; e++)
    if (s->events[e] > s->events[most])
      most = e;
  if (s->events[most] == 0)
    return -1;
  return 2 * s->events[0] >= s->events[most] ? 0 : most;
}

/* Own events are different ones though they share an index. */
static bool same_lead_event(const struct shop *a, const struct shop *b)
{
  int x = lead_event(a), y = lead_event(b);
  return x >= 0 && x == y && (x < PLAN_EVENTS - 1 || strcmp(a->lead_event, b->lead_event) == 0);
}

static int64_t numerator(enum metric m, const struct shop *s)
{
  int lead = lead_event(s);
  switch (m) {
  case ENGAGED:
  case ENGAGEMENT:
    return s->engaged;
  case BOUNCE:
    return s->sessions - s->engaged;
  case SHOPPERS:
  case SHOPPER_RATE:
    return plan_shoppers(s);
  case LEADS:
  case LEAD_RATE:
  case SHOPPER_LEAD_RATE:
    return lead < 0 ? 0 : s->events[lead];
  case SESSIONS:
  case UNKNOWN:
  default:
    return s->sessions;
  }
}

static int64_t denominator(enum metric m, const struct shop *s)
{
  return m == SHOPPER_LEAD_RATE ? plan_shoppers(s) : s->sessions;
}

/* A set of dealers whose figures make one statistic. */
struct pool {
  const struct shop *shops[PLAN_SHOPS];
  size_t n;
};

/* The members that count for a metric; `like` (its lead event) and `skip` may be NULL. */
static struct pool pool_of(const struct plan *p, const struct view *v,
                           const bool members[PLAN_SHOPS], enum metric m, const struct shop *like,
                           const struct shop *skip, bool outside_only)
{
  struct pool out = {.n = 0};
  for (size_t i = 0; i < p->n; i++) {
    const struct shop *s = &p->shops[i];
    if (!members[i] || s->fault != SHOP_WELL || s == skip || (outside_only && v->direct[i]))
      continue;
    if (is_rate(m) && denominator(m, s) <= 0)
      continue;
    if (is_lead(m) && (like == NULL || !same_lead_event(s, like)))
      continue;
    out.shops[out.n++] = s;
  }
  return out;
}

static double pooled(const struct pool *x, enum metric m)
{
  double top = 0, bottom = 0;
  for (size_t i = 0; i < x->n; i++) {
    top += (double)numerator(m, x->shops[i]);
    bottom += (double)denominator(m, x->shops[i]);
  }
  return scale(m) * top / bottom;
}

/* -------------------------------------------------------------------------- policy */

/* The numbers that rule 2 looks at. */
enum cell_of { NUMERATORS, DENOMINATORS, RESTS };

static int64_t number_of(enum metric m, enum cell_of which, const struct shop *s)
{
  int64_t rest = denominator(m, s) - numerator(m, s);
  return which == NUMERATORS ? numerator(m, s) : which == DENOMINATORS ? denominator(m, s) : rest;
}

/* Rule 2 on one list of numbers of outside dealers. */
static bool cell_passes(const struct pool *x, enum metric m, enum cell_of which)
{
  int64_t owner[PLAN_SHOPS] = {0}, total = 0, first = 0, second = 0;
  bool has[PLAN_SHOPS] = {false};
  size_t owners = 0;
  for (size_t i = 0; i < x->n; i++) {
    size_t o = x->shops[i]->owner_number;
    owners += !has[o];
    has[o] = true;
    owner[o] += number_of(m, which, x->shops[i]);
    total += number_of(m, which, x->shops[i]);
  }
  for (size_t o = 0; o < PLAN_SHOPS; o++)
    if (owner[o] >= first) {
      second = first;
      first = owner[o];
    } else if (owner[o] > second) {
      second = owner[o];
    }
  return x->n >= 5 && owners >= 3 && total >= 20 && 5 * first <= 2 * total &&
         4 * (first + second) <= 3 * total && 10 * (total - first - second) >= first;
}

/* Both sides of a share must pass: who knows one knows the other. */
static bool rate_passes(const struct pool *outside, enum metric m)
{
  if (!cell_passes(outside, m, DENOMINATORS) || !cell_passes(outside, m, NUMERATORS))
    return false;
  return is_lead(m) || cell_passes(outside, m, RESTS);
}

static bool has_digits(double x, int digits)
{
  char text[40];
  snprintf(text, sizeof(text), "%.*g", digits, x);
  double back = 0;
  sscanf(text, "%lf", &back);
  return fabs(back - x) <= 1e-12 * fabs(x);
}

static bool agrees(double told, double truth, int digits)
{
  return has_digits(told, digits) && fabs(told - truth) <= 0.5 * pow(10, 1 - digits) * fabs(truth);
}

/* -------------------------------------------------------------------------- answers */

static bool tells(const MetricIndex *x)
{
  return x->opt_benchmark_case != 0 || x->opt_index_case != 0 || x->rank != 0 || x->of != 0 ||
         x->opt_percentile_case != 0;
}

/* Rule 9: a code, never a number. */
static bool good_code(const char *code)
{
  static const char *const codes[] = {"min_contributors", "min_owners", "dominance",
                                      "p_percent",        "min_volume", "peer_counts"};
  for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
    if (strcmp(code, codes[i]) == 0)
      return true;
  return false;
}

static size_t judge_index(const struct plan *p, const struct view *v, const bool members[],
                          const struct shop *own, const MetricIndex *x, struct oracle_stats *stats)
{
  enum metric m = metric_of(x->metric);
  struct pool outside = pool_of(p, v, members, m, own, own, true);
  bool allowed = is_rate(m) && rate_passes(&outside, m);
  stats->released += tells(x) && is_rate(m);
  stats->withheld += !tells(x) && is_rate(m) && x->opt_value_case != 0;
  if (m == UNKNOWN)
    return wrong("unknown metric", x->metric, own->id);
  if (!tells(x)) {
    if (x->opt_value_case != 0 && (allowed || !good_code(x->suppressed)))
      return wrong(allowed ? "withheld for no reason" : "no code", x->metric, own->id);
    return 0;
  }
  if (!is_rate(m) && (x->opt_benchmark_case != 0 || x->opt_index_case != 0))
    return wrong("a count of peers is disclosed", x->metric, own->id);
  if (is_rate(m) && !allowed)
    return wrong("released against rule 2", x->metric, own->id);
  if (x->opt_benchmark_case != 0 && !agrees(x->benchmark, pooled(&outside, m), 3))
    return wrong("benchmark is not the outside dealers' pool in 3 digits", x->metric, own->id);
  if (x->of != 0 && x->of != (int32_t)outside.n + 1 && is_rate(m))
    return wrong("rank is not among the outside dealers", x->metric, own->id);
  if (x->opt_index_case != 0 && x->index != nearbyint(x->index))
    return wrong("index is not whole", x->metric, own->id);
  if (x->opt_q_case != 0 || x->unusual_among_dealers[0] != '\0')
    return wrong("q or what rests on single dealers is disclosed", x->metric, own->id);
  if (x->opt_index_low_case != 0 && (fmod(x->index_low, 5) != 0 || fmod(x->index_high, 5) != 0))
    return wrong("the interval is not in steps of 5", x->metric, own->id);
  if (x->opt_expected_case != 0 && !has_digits(x->expected, 2))
    return wrong("expected events have too many digits", x->metric, own->id);
  if (x->opt_others_change_percent_case != 0 &&
      x->others_change_percent != nearbyint(x->others_change_percent))
    return wrong("the others' change is not whole", x->metric, own->id);
  return 0;
}

static size_t judge_average(const struct plan *p, const struct view *v, const bool members[],
                            const struct shop *like, const MetricAverage *a)
{
  enum metric m = metric_of(a->metric);
  struct pool outside = pool_of(p, v, members, m, like, NULL, true);
  bool any = a->opt_pooled_case != 0 || a->opt_mean_case != 0 || a->opt_median_case != 0;
  if (!any)
    return 0;
  if (!is_rate(m) || a->opt_mean_case != 0)
    return wrong("a count or mean over peers is disclosed", a->metric, "region");
  if ((is_lead(m) && like == NULL) || !rate_passes(&outside, m))
    return wrong("pooled against rule 2", a->metric, "region");
  if (a->opt_pooled_case != 0 && !agrees(a->pooled, pooled(&outside, m), 3))
    return wrong("pool is not in 3 digits", a->metric, "region");
  if (a->opt_median_case != 0 && !has_digits(a->median, outside.n >= 8 ? 2 : 3))
    return wrong("median has too many digits", a->metric, "region");
  for (size_t i = 0; a->opt_median_case != 0 && i < outside.n; i++)
    if (outside.n < 8 && a->median == scale(m) * (double)numerator(m, outside.shops[i]) /
                                          (double)denominator(m, outside.shops[i]))
      return wrong("median is one dealer's value", a->metric, outside.shops[i]->id);
  return 0;
}

/* The lead event of the region's figures: the subject's, else the one that fits. A visible
 * dealer or an outside one stands for it. */
static const struct shop *region_lead(const struct plan *p, const struct view *v,
                                      const bool members[], const Result *r, int32_t dealers)
{
  for (size_t i = 0; i < r->n_dealers; i++)
    if (r->dealers[i]->subject && r->dealers[i]->lead_event[0] != '\0')
      return &p->shops[plan_marked(r->dealers[i]->dealer_id)];
  for (size_t i = 0; i < p->n; i++) {
    const struct shop *s = &p->shops[i];
    int32_t same = 0;
    for (size_t k = 0; k < p->n; k++)
      same += members[k] && !v->direct[k] && p->shops[k].fault == SHOP_WELL &&
              same_lead_event(s, &p->shops[k]) && p->shops[k].sessions > 0;
    if (members[i] && s->fault == SHOP_WELL && same == dealers)
      return s;
  }
  return NULL;
}

static size_t judge_coverage(const struct plan *p, const struct view *v, const bool members[],
                             const Result *r)
{
  int32_t unseen = 0, outside = 0;
  size_t bad = 0;
  for (size_t i = 0; i < p->n; i++) {
    outside += members[i] && !v->direct[i];
    unseen += members[i] && !v->direct[i] && p->shops[i].fault != SHOP_WELL;
  }
  for (size_t i = 0; i < r->coverage->n_failed; i++) {
    int shop = plan_marked(r->coverage->failed[i]->dealer_id);
    if (shop < 0 || !v->direct[shop])
      bad += wrong("a failed peer is named", "coverage", r->coverage->failed[i]->dealer_id);
  }
  if (r->coverage->failed_undisclosed != unseen || r->cohort->undisclosed != outside)
    bad += wrong("peers are miscounted", "coverage", "");
  return bad;
}

static size_t judge_region(const struct plan *p, const struct view *v, const bool members[],
                           const Result *r)
{
  size_t bad = 0;
  const Analytics__Aggregate__V1__RegionalAverage *a = r->regional_average;
  if (a->opt_sessions_case != 0 || a->opt_engaged_sessions_case != 0 ||
      a->opt_lead_events_case != 0)
    bad += wrong("a total over peers is disclosed", "counts", "region");
  for (size_t i = 0; i < a->n_metrics; i++)
    bad += judge_average(p, v, members, region_lead(p, v, members, r, a->metrics[i]->dealers),
                         a->metrics[i]);
  return bad;
}

size_t oracle_judge(const struct plan *p, const struct view *v, const bool members[PLAN_SHOPS],
                    const Result *r, struct oracle_stats *stats)
{
  bool outside = false;
  size_t bad = 0;
  for (size_t i = 0; i < p->n; i++)
    outside = outside || (members[i] && !v->direct[i]);
  for (size_t i = 0; i < r->n_dealers; i++) {
    int shop = plan_marked(r->dealers[i]->dealer_id);
    if (shop < 0 || !v->direct[shop] || !members[shop])
      bad += wrong("a dealer outside the view has figures", "dealers", r->dealers[i]->dealer_id);
  }
  bad += judge_coverage(p, v, members, r);
  if (!outside) { /* rule 1: the caller's own data */
    stats->open++;
    return bad;
  }
  bad += judge_region(p, v, members, r);
  for (size_t i = 0; i < r->n_performance_index; i++) {
    int shop = plan_marked(r->performance_index[i]->dealer_id);
    if (shop < 0 || !v->direct[shop]) {
      bad += wrong("a peer has an index", "index", r->performance_index[i]->dealer_id);
      continue;
    }
    for (size_t m = 0; m < r->performance_index[i]->n_metrics; m++)
      bad +=
          judge_index(p, v, members, &p->shops[shop], r->performance_index[i]->metrics[m], stats);
  }
  return bad;
}
