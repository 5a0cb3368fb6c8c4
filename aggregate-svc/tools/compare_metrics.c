/* The metrics of a comparison: parts, groups, indices, averages. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/tools/compare.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__MetricAverage MetricAverage;
typedef Analytics__Aggregate__V1__Standing Standing;

#define HIGHER ANALYTICS__AGGREGATE__V1__BETTER__HIGHER
#define LOWER ANALYTICS__AGGREGATE__V1__BETTER__LOWER
#define CONTEXT ANALYTICS__AGGREGATE__V1__BETTER__CONTEXT
#define STANDING(word) ANALYTICS__AGGREGATE__V1__STANDING__##word

/* Below these a rate says little: own and expected events, events of the others. */
enum { MIN_OWN_EVENTS = 10, MIN_PEER_EVENTS = 20 };
/* Within so many percent of the benchmark a dealer is similar. */
enum { SIMILAR_PERCENT = 5 };
enum { RATE_DIGITS = 3, QUANTILE_DIGITS = 2 };

const struct metric_info compare_metrics[METRIC_COUNT] = {
    [METRIC_SESSIONS] = {"sessions", CONTEXT, false, false, 1},
    [METRIC_ENGAGED_SESSIONS] = {"engaged_sessions", CONTEXT, false, false, 1},
    [METRIC_ENGAGEMENT_RATE] = {"engagement_rate", HIGHER, true, false, 1},
    [METRIC_BOUNCE_RATE] = {"bounce_rate", LOWER, true, false, 1},
    [METRIC_LEAD_EVENTS] = {"lead_events", CONTEXT, false, true, 1},
    [METRIC_LEADS_PER_100_SESSIONS] = {"leads_per_100_sessions", HIGHER, true, true, 100},
};

/* ---------------------------------------------------------- values and groups */

struct stats_ratio compare_parts(enum compare_metric m, const struct dealer_figures *f)
{
  int64_t bounces = f->sessions > f->engaged_sessions ? f->sessions - f->engaged_sessions : 0;
  switch (m) {
  case METRIC_SESSIONS:
    return (struct stats_ratio){f->sessions, 1};
  case METRIC_ENGAGED_SESSIONS:
    return (struct stats_ratio){f->engaged_sessions, 1};
  case METRIC_ENGAGEMENT_RATE:
    return (struct stats_ratio){f->engaged_sessions, f->sessions};
  case METRIC_BOUNCE_RATE:
    return (struct stats_ratio){bounces, f->sessions};
  case METRIC_LEAD_EVENTS:
    return (struct stats_ratio){f->leads, 1};
  case METRIC_LEADS_PER_100_SESSIONS:
    return (struct stats_ratio){f->leads, f->sessions};
  case METRIC_COUNT:
    break;
  }
  return (struct stats_ratio){0, 0};
}

bool compare_in_group(const struct comparison *c, struct metric_group g, size_t member)
{
  const struct dealer_figures *f = &c->figures[member];
  if (!f->ok || compare_parts(g.metric, f).denominator <= 0)
    return false;
  return !compare_metrics[g.metric].lead ||
         (f->lead_event != LEAD_UNKNOWN && f->lead_event == g.lead_event);
}

static bool scaled(enum compare_metric m, struct stats_ratio r, double *out)
{
  if (r.denominator <= 0)
    return false;
  *out = compare_metrics[m].scale * (double)r.numerator / (double)r.denominator;
  return true;
}

bool compare_value(const struct comparison *c, struct metric_group g, size_t member, double *out)
{
  return compare_in_group(c, g, member) &&
         scaled(g.metric, compare_parts(g.metric, &c->figures[member]), out);
}

/* An event that only outside dealers configured may tell who they are by its name. */
static bool may_be_named(const struct comparison *c, int event)
{
  for (size_t i = 0; event >= LEAD_DEFAULTS && i < c->cohort->n; i++)
    if (c->cohort->members[i].visible && c->figures[i].ok && c->figures[i].lead_event == event)
      return true;
  return event < LEAD_DEFAULTS;
}

int compare_region_lead_event(const struct comparison *c)
{
  long subject = c->cohort->subject;
  if (subject >= 0 && c->figures[subject].ok && c->figures[subject].lead_event != LEAD_UNKNOWN)
    return c->figures[subject].lead_event;
  int best = LEAD_UNKNOWN;
  int64_t best_dealers = 0, best_sessions = -1;
  for (int event = 0; event < (int)c->leads->n; event++) {
    int64_t dealers = 0, sessions = 0;
    for (size_t i = 0; may_be_named(c, event) && i < c->cohort->n; i++) {
      if (!c->figures[i].ok || c->figures[i].lead_event != event)
        continue;
      dealers++;
      sessions += c->figures[i].sessions;
    }
    if (dealers > best_dealers || (dealers == best_dealers && sessions > best_sessions)) {
      best = dealers > 0 ? event : best;
      best_dealers = dealers;
      best_sessions = sessions;
    }
  }
  return best;
}

/* ------------------------------------------------------------------ disclosure */

static enum disclosure_code ask(const struct comparison *c, struct metric_group g,
                                enum disclosure_form form, long left_out, bool complement)
{
  const struct cohort *cohort = c->cohort;
  AUTO_FREE struct disclosure_member *members = xcalloc(cohort->n + 1, sizeof(*members));
  bool rate = compare_metrics[g.metric].rate;
  for (size_t i = 0; i < cohort->n; i++) {
    struct stats_ratio parts = compare_parts(g.metric, &c->figures[i]);
    if (complement)
      parts.numerator = parts.denominator - parts.numerator;
    members[i].visible = cohort->members[i].visible;
    members[i].contributes = compare_in_group(c, g, i);
    members[i].owner = cohort->members[i].owner;
    members[i].denominator = rate ? parts.denominator : parts.numerator;
    members[i].numerator = parts.numerator;
  }
  struct disclosure_question q = {form, members, cohort->n, rate, left_out};
  return disclosure_allowed(&c->policy, &q);
}

enum disclosure_code compare_disclosure(const struct comparison *c, struct metric_group g,
                                        enum disclosure_form form, long left_out)
{
  enum disclosure_code code = ask(c, g, form, left_out, false);
  /* Who knows a share knows the rest: engaged sessions and bounces must both pass. */
  bool share = g.metric == METRIC_ENGAGEMENT_RATE || g.metric == METRIC_BOUNCE_RATE;
  return code == DISCLOSURE_RESTRICTED && share ? ask(c, g, form, left_out, true) : code;
}

/* --------------------------------------------------------------------- indices */

/* Values of a group, and its pool; left_out (-1 for none) is in neither. */
struct group_values {
  double *values;
  size_t n;
  struct stats_ratio pool;
  bool pooled; /* false on overflow */
};

static void free_group(struct group_values *v)
{
  free(v->values);
}

static struct group_values gather(const struct comparison *c, struct metric_group g, long left_out,
                                  bool outside_only)
{
  struct group_values v = {.values = xcalloc(c->cohort->n + 1, sizeof(double)), .pooled = true};
  for (size_t i = 0; i < c->cohort->n; i++) {
    if ((long)i == left_out || (outside_only && c->cohort->members[i].visible) ||
        !compare_value(c, g, i, &v.values[v.n]))
      continue;
    v.n++;
    struct stats_ratio parts[2] = {v.pool, compare_parts(g.metric, &c->figures[i])};
    v.pooled = v.pooled && stats_pool(parts, 2, &v.pool);
  }
  return v;
}

static bool too_little(struct stats_ratio own, struct stats_ratio others)
{
  double expected = (double)others.numerator / (double)others.denominator * (double)own.denominator;
  return (own.numerator < MIN_OWN_EVENTS && expected < MIN_OWN_EVENTS) ||
         others.numerator < MIN_PEER_EVENTS;
}

static Standing standing_of(enum compare_metric m, bool above, bool below)
{
  bool lower_is_better = compare_metrics[m].better == LOWER;
  if (above)
    return lower_is_better ? STANDING(WORSE) : STANDING(BETTER);
  if (below)
    return lower_is_better ? STANDING(BETTER) : STANDING(WORSE);
  return STANDING(SIMILAR);
}

static Standing standing_exact(enum compare_metric m, struct stats_ratio own,
                               struct stats_ratio others)
{
  bool above = stats_ratio_compare(own, others, 100 + SIMILAR_PERCENT) >= 0;
  bool below = stats_ratio_compare(own, others, 100 - SIMILAR_PERCENT) <= 0;
  return standing_of(m, above, below);
}

static void set_benchmark(MetricIndex *x, double benchmark)
{
  x->opt_benchmark_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_BENCHMARK_BENCHMARK;
  x->benchmark = benchmark;
}

static void set_index(MetricIndex *x, double index)
{
  x->opt_index_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_INDEX_INDEX;
  x->index = index;
}

static void set_rank(MetricIndex *x, const struct group_values *others)
{
  enum stats_order order = x->better == LOWER ? STATS_SMALLEST_FIRST : STATS_LARGEST_FIRST;
  double percentile;
  x->rank = (int32_t)stats_rank(others->values, others->n, x->value, order);
  x->of = (int32_t)others->n + 1;
  if (stats_percentile(others->values, others->n, x->value, order, &percentile)) {
    x->opt_percentile_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_PERCENTILE_PERCENTILE;
    x->percentile = percentile;
  }
}

/* Counts: the others' mean, for size only. */
static void fill_count(MetricIndex *x, const struct group_values *others, enum disclosure_code code)
{
  double mean, index;
  if (code != DISCLOSURE_OPEN) {
    x->suppressed = (char *)disclosure_code_name(DISCLOSURE_PEER_COUNTS);
    return;
  }
  if (!stats_mean(others->values, others->n, &mean))
    return;
  set_benchmark(x, mean);
  if (stats_index(x->value, mean, &index))
    set_index(x, index);
}

/* Rates: the others' pool. */
static void fill_rate(MetricIndex *x, enum compare_metric m, struct stats_ratio own,
                      const struct group_values *others, enum disclosure_code code)
{
  double benchmark, index;
  if (!others->pooled || !scaled(m, others->pool, &benchmark))
    return;
  bool restricted = code != DISCLOSURE_OPEN;
  set_benchmark(x, restricted ? stats_round_significant(benchmark, RATE_DIGITS) : benchmark);
  if (!stats_index(x->value, benchmark, &index))
    return;
  set_index(x, restricted ? nearbyint(index) : index);
  if (too_little(own, others->pool))
    return;
  /* The words agree with the index that is shown. */
  x->standing = restricted ? standing_of(m, x->index >= 100 + SIMILAR_PERCENT,
                                         x->index <= 100 - SIMILAR_PERCENT)
                           : standing_exact(m, own, others->pool);
}

MetricIndex *compare_index(const struct comparison *c, enum compare_metric m, size_t member,
                           struct arena *arena)
{
  const struct metric_info *info = &compare_metrics[m];
  struct metric_group g = {m, c->figures[member].lead_event};
  MetricIndex *x = ARENA_NEW(arena, MetricIndex);
  double value;
  analytics__aggregate__v1__metric_index__init(x);
  x->metric = (char *)info->name;
  x->better = info->better;
  x->standing = info->better == CONTEXT ? STANDING(CONTEXT_ONLY) : STANDING(TOO_LITTLE_DATA);
  if (!compare_value(c, g, member, &value))
    return x;
  x->opt_value_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_VALUE_VALUE;
  x->value = value;
  enum disclosure_code code =
      compare_disclosure(c, g, info->rate ? DISCLOSURE_INDEX : DISCLOSURE_RANK, (long)member);
  if (!disclosure_ok(code)) {
    x->suppressed = (char *)disclosure_code_name(code);
    return x;
  }
  CLEANUP(free_group) struct group_values others = gather(c, g, (long)member, false);
  set_rank(x, &others);
  if (info->rate)
    fill_rate(x, m, compare_parts(m, &c->figures[member]), &others, code);
  else
    fill_count(x, &others, code);
  return x;
}

/* -------------------------------------------------------------------- averages */

static void set_pooled(MetricAverage *a, double x)
{
  a->opt_pooled_case = ANALYTICS__AGGREGATE__V1__METRIC_AVERAGE__OPT_POOLED_POOLED;
  a->pooled = x;
}

static void set_median(MetricAverage *a, double x)
{
  a->opt_median_case = ANALYTICS__AGGREGATE__V1__METRIC_AVERAGE__OPT_MEDIAN_MEDIAN;
  a->median = x;
}

/* The caller sees every dealer. */
static void fill_open(MetricAverage *a, struct metric_group g, struct group_values *v)
{
  double x;
  if (v->n == 0)
    return;
  if (!compare_metrics[g.metric].rate)
    v->pool.denominator = 1;
  if (v->pooled && scaled(g.metric, v->pool, &x))
    set_pooled(a, x);
  if (stats_mean(v->values, v->n, &x)) {
    a->opt_mean_case = ANALYTICS__AGGREGATE__V1__METRIC_AVERAGE__OPT_MEAN_MEAN;
    a->mean = x;
  }
  stats_sort(v->values, v->n);
  if (stats_median(v->values, v->n, &x))
    set_median(a, x);
}

/* Some dealers are outside the caller's view: a pooled rate, and a typical value of the
 * outside dealers that is no single dealer's. */
static void fill_restricted(const struct comparison *c, MetricAverage *a, struct metric_group g,
                            const struct group_values *v)
{
  double x;
  if (!compare_metrics[g.metric].rate)
    return;
  if (compare_disclosure(c, g, DISCLOSURE_POOLED_RATE, -1) != DISCLOSURE_RESTRICTED)
    return;
  if (v->pooled && scaled(g.metric, v->pool, &x))
    set_pooled(a, stats_round_significant(x, RATE_DIGITS));
  CLEANUP(free_group) struct group_values outside = gather(c, g, -1, true);
  stats_sort(outside.values, outside.n);
  if (compare_disclosure(c, g, DISCLOSURE_QUANTILE, -1) == DISCLOSURE_RESTRICTED) {
    if (stats_median(outside.values, outside.n, &x))
      set_median(a, stats_round_significant(x, QUANTILE_DIGITS));
  } else if (compare_disclosure(c, g, DISCLOSURE_MIDDLE_MEAN, -1) == DISCLOSURE_RESTRICTED) {
    if (stats_middle_mean(outside.values, outside.n, &x))
      set_median(a, stats_round_significant(x, RATE_DIGITS));
  }
}

MetricAverage *compare_average(const struct comparison *c, struct metric_group g,
                               struct arena *arena)
{
  MetricAverage *a = ARENA_NEW(arena, MetricAverage);
  analytics__aggregate__v1__metric_average__init(a);
  a->metric = (char *)compare_metrics[g.metric].name;
  a->better = compare_metrics[g.metric].better;
  CLEANUP(free_group) struct group_values v = gather(c, g, -1, false);
  a->dealers = (int32_t)v.n;
  if (c->cohort->outside == 0)
    fill_open(a, g, &v);
  else
    fill_restricted(c, a, g, &v);
  return a;
}
