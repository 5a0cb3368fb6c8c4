/* Indices and averages: values, ranks, pools, and what may be shown of them. */
#include "aggregate-svc/answer/index.h"

#include <math.h>

#include "aggregate-svc/disclosure/cell.h"
#include "aggregate-svc/verdict/standing.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__MetricAverage MetricAverage;

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

static void set_rank(MetricIndex *x, const double *others, size_t n)
{
  enum stats_order order = x->better == ANALYTICS__AGGREGATE__V1__BETTER__LOWER
                               ? STATS_SMALLEST_FIRST
                               : STATS_LARGEST_FIRST;
  double percentile;
  x->rank = (int32_t)stats_rank(others, n, x->value, order);
  x->of = (int32_t)n + 1;
  if (stats_percentile(others, n, x->value, order, &percentile)) {
    x->opt_percentile_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_PERCENTILE_PERCENTILE;
    x->percentile = percentile;
  }
}

/* Counts: the others' mean, for size only. */
static void fill_count(MetricIndex *x, const struct group_values *others)
{
  double mean, index;
  if (!stats_mean(others->values, others->n, &mean))
    return;
  set_benchmark(x, mean);
  if (stats_index(x->value, mean, &index))
    set_index(x, index);
}

/* Rates: the others' pool. */
static void fill_rate(MetricIndex *x, const struct dealer_metric *m, struct stats_ratio own,
                      const struct group_values *others)
{
  double benchmark, index;
  if (!others->pooled || !metric_value(m, others->pool, &benchmark))
    return;
  set_benchmark(x, benchmark);
  if (!stats_index(x->value, benchmark, &index))
    return;
  set_index(x, index);
  x->standing = standing_of_parts(m, own, others->pool);
}

/* The caller sees every dealer: against all the others. */
static void compare_open(MetricIndex *x, const struct benchmarked *b, struct metric_group g,
                         size_t member)
{
  const struct cohort_figures *c = &b->figures;
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  CLEANUP(group_free) struct group_values others = group_gather(c, g, (long)member, GROUP_ALL);
  set_rank(x, others.values, others.n);
  if (metric_is_rate(m))
    fill_rate(x, m, metric_parts(m, &c->dealers[member]), &others);
  else
    fill_count(x, &others);
}

/* Some dealers are outside the view: against what is released of those, the same for each of the
 * caller's own. The word agrees with the index that is shown. */
static void compare_outside(MetricIndex *x, const struct benchmarked *b, struct metric_group g,
                            size_t member)
{
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  CLEANUP(door_figure_free) struct door_figure f;
  double index;
  cell_figure(b->door, &b->figures, g, &f);
  if (f.code != DISCLOSURE_RESTRICTED) {
    x->suppressed = borrow_text(disclosure_code_name(f.code));
    return;
  }
  set_rank(x, f.record.values, f.record.n_values);
  if (!metric_is_rate(m)) {
    x->suppressed = borrow_text(disclosure_code_name(DISCLOSURE_PEER_COUNTS));
    return;
  }
  set_benchmark(x, f.pooled);
  if (!form_index(x->value, f.pooled, &index))
    return;
  set_index(x, index);
  struct stats_ratio pool = {f.record.numerator, f.record.denominator};
  x->standing = standing_of_index(m, metric_parts(m, &b->figures.dealers[member]), pool, x->index);
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
  if (c->cohort->outside == 0)
    compare_open(x, b, g, member);
  else
    compare_outside(x, b, g, member);
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

/* Some dealers are outside the caller's view: what is released of those. */
static void fill_restricted(const struct benchmarked *b, MetricAverage *a, struct metric_group g)
{
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  CLEANUP(door_figure_free) struct door_figure f;
  cell_figure(b->door, &b->figures, g, &f);
  if (f.code != DISCLOSURE_RESTRICTED)
    return;
  a->dealers = f.dealers;
  if (!metric_is_rate(m))
    return;
  set_pooled(a, f.pooled);
  if (f.typical.quartiles)
    set_median(a, f.typical.p50);
  else if (f.typical.middle)
    set_median(a, f.typical.middle_mean);
}

MetricAverage *average_message(const struct benchmarked *b, struct metric_group g,
                               struct arena *arena)
{
  MetricAverage *a = ARENA_NEW(arena, MetricAverage);
  analytics__aggregate__v1__metric_average__init(a);
  a->metric = borrow_text(dealer_metrics[g.metric].name);
  a->better = dealer_metrics[g.metric].better;
  if (b->figures.cohort->outside > 0) {
    fill_restricted(b, a, g);
    return a;
  }
  CLEANUP(group_free) struct group_values v = group_gather(&b->figures, g, -1, GROUP_ALL);
  a->dealers = (int32_t)v.n;
  fill_open(a, &dealer_metrics[g.metric], &v);
  return a;
}
