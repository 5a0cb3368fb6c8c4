/* Indices and averages: values, ranks, pools, and what may be shown of them. */
#include "aggregate-svc/answer/index.h"

#include <math.h>

#include "aggregate-svc/disclosure/cell.h"
#include "aggregate-svc/verdict/standing.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__MetricAverage MetricAverage;

/* Significant digits of figures that rest on dealers the caller may not see. */
enum { RATE_DIGITS = 3, QUANTILE_DIGITS = 2 };

/* --------------------------------------------------------------------- indices */

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
  enum stats_order order = x->better == ANALYTICS__AGGREGATE__V1__BETTER__LOWER
                               ? STATS_SMALLEST_FIRST
                               : STATS_LARGEST_FIRST;
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
    x->suppressed = borrow_text(disclosure_code_name(DISCLOSURE_PEER_COUNTS));
    return;
  }
  if (!stats_mean(others->values, others->n, &mean))
    return;
  set_benchmark(x, mean);
  if (stats_index(x->value, mean, &index))
    set_index(x, index);
}

/* Rates: the others' pool. The word agrees with the index that is shown. */
static void fill_rate(MetricIndex *x, const struct dealer_metric *m, struct stats_ratio own,
                      const struct group_values *others, enum disclosure_code code)
{
  double benchmark, index;
  if (!others->pooled || !metric_value(m, others->pool, &benchmark))
    return;
  bool restricted = code != DISCLOSURE_OPEN;
  set_benchmark(x, restricted ? stats_round_significant(benchmark, RATE_DIGITS) : benchmark);
  if (!stats_index(x->value, benchmark, &index))
    return;
  set_index(x, restricted ? nearbyint(index) : index);
  x->standing = restricted ? standing_of_index(m, own, others->pool, x->index)
                           : standing_of_parts(m, own, others->pool);
}

MetricIndex *index_message(const struct benchmarked *b, enum metric_id id, size_t member,
                           struct arena *arena)
{
  const struct cohort_figures *c = &b->figures;
  const struct dealer_metric *m = &dealer_metrics[id];
  struct metric_group g = {id, c->dealers[member].lead_event};
  MetricIndex *x = ARENA_NEW(arena, MetricIndex);
  double value;
  analytics__aggregate__v1__metric_index__init(x);
  x->metric = borrow_text(m->name);
  x->better = m->better;
  x->standing = standing_unknown(m);
  if (!group_value(c, g, member, &value))
    return x;
  x->opt_value_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_VALUE_VALUE;
  x->value = value;
  enum disclosure_form form = metric_is_rate(m) ? DISCLOSURE_INDEX : DISCLOSURE_RANK;
  enum disclosure_code code = disclosure_cell(&b->policy, c, g, form, (long)member);
  if (!disclosure_ok(code)) {
    x->suppressed = borrow_text(disclosure_code_name(code));
    return x;
  }
  CLEANUP(group_free) struct group_values others = group_gather(c, g, (long)member, GROUP_ALL);
  set_rank(x, &others);
  if (metric_is_rate(m))
    fill_rate(x, m, metric_parts(m, &c->dealers[member]), &others, code);
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
static void fill_open(MetricAverage *a, const struct dealer_metric *m, struct group_values *v)
{
  double x;
  if (v->n == 0)
    return;
  if (!metric_is_rate(m))
    v->pool.denominator = 1;
  if (v->pooled && metric_value(m, v->pool, &x))
    set_pooled(a, x);
  if (stats_mean(v->values, v->n, &x)) {
    a->opt_mean_case = ANALYTICS__AGGREGATE__V1__METRIC_AVERAGE__OPT_MEAN_MEAN;
    a->mean = x;
  }
  stats_sort(v->values, v->n);
  if (stats_median(v->values, v->n, &x))
    set_median(a, x);
}

static bool may_show(const struct benchmarked *b, struct metric_group g, enum disclosure_form form)
{
  return disclosure_cell(&b->policy, &b->figures, g, form, -1) == DISCLOSURE_RESTRICTED;
}

/* A typical value of the outside dealers that is not any single dealer's. */
static void fill_typical(const struct benchmarked *b, MetricAverage *a, struct metric_group g)
{
  double x;
  CLEANUP(group_free)
  struct group_values outside = group_gather(&b->figures, g, -1, GROUP_OUTSIDE);
  stats_sort(outside.values, outside.n);
  if (may_show(b, g, DISCLOSURE_QUANTILE)) {
    if (stats_median(outside.values, outside.n, &x))
      set_median(a, stats_round_significant(x, QUANTILE_DIGITS));
  } else if (may_show(b, g, DISCLOSURE_MIDDLE_MEAN)) {
    if (stats_middle_mean(outside.values, outside.n, &x))
      set_median(a, stats_round_significant(x, RATE_DIGITS));
  }
}

/* Some dealers are outside the caller's view: rates only. */
static void fill_restricted(const struct benchmarked *b, MetricAverage *a, struct metric_group g,
                            const struct group_values *v)
{
  double x;
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  if (!metric_is_rate(m) || !may_show(b, g, DISCLOSURE_POOLED_RATE))
    return;
  if (v->pooled && metric_value(m, v->pool, &x))
    set_pooled(a, stats_round_significant(x, RATE_DIGITS));
  fill_typical(b, a, g);
}

MetricAverage *average_message(const struct benchmarked *b, struct metric_group g,
                               struct arena *arena)
{
  MetricAverage *a = ARENA_NEW(arena, MetricAverage);
  analytics__aggregate__v1__metric_average__init(a);
  a->metric = borrow_text(dealer_metrics[g.metric].name);
  a->better = dealer_metrics[g.metric].better;
  CLEANUP(group_free) struct group_values v = group_gather(&b->figures, g, -1, GROUP_ALL);
  a->dealers = (int32_t)v.n;
  if (b->figures.cohort->outside == 0)
    fill_open(a, &dealer_metrics[g.metric], &v);
  else
    fill_restricted(b, a, g, &v);
  return a;
}
