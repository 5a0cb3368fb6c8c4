/* Indices and averages: values, ranks, pools, and what may be shown of them. */
#include "aggregate-svc/answer/index.h"

#include <math.h>

#include "aggregate-svc/disclosure/cell.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__MetricAverage MetricAverage;
typedef Analytics__Aggregate__V1__Standing Standing;

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
  x->opt_rank_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_RANK_RANK;
  x->rank = (int32_t)stats_rank(others, n, x->value, order);
  x->opt_of_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_OF_OF;
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

static void set_interval(MetricIndex *x, double low, double high)
{
  x->opt_index_low_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_INDEX_LOW_INDEX_LOW;
  x->index_low = low;
  x->opt_index_high_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_INDEX_HIGH_INDEX_HIGH;
  x->index_high = high;
}

static void set_expected(MetricIndex *x, double expected)
{
  x->opt_expected_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_EXPECTED_EXPECTED;
  x->expected = expected;
}

/* What a caller that sees every dealer is shown of a cell beside its index. */
static void fill_open_cell(MetricIndex *x, const struct verdict_cell *cell,
                           enum judge_unusual unusual)
{
  static const char *const words[] = {
      [UNUSUAL_NO] = "", [UNUSUAL_WATCH] = "watch", [UNUSUAL_YES] = "unusual"};
  set_index(x, cell->index);
  set_expected(x, cell->expected);
  x->unusual_among_dealers = borrow_text(words[unusual]);
  if (cell->has_interval)
    set_interval(x, cell->low, cell->high);
  if (!cell->tested)
    return;
  x->opt_q_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_Q_Q;
  x->q = cell->q;
}

/* For others: an exact interval gives the pool's size, so its ends are moved outwards to steps, q
 * and what rests on single dealers are left out. */
static void fill_restricted_cell(MetricIndex *x, const struct verdict_cell *cell)
{
  double low, high;
  set_index(x, nearbyint(cell->index));
  set_expected(x, form_expected(cell->expected));
  if (!cell->has_interval)
    return;
  form_interval(cell->low, cell->high, &low, &high);
  set_interval(x, low, high);
}

/* Rates: the others' pool. Index, interval and word come from one cell. */
static void fill_rate(MetricIndex *x, const struct dealer_metric *m,
                      const struct group_values *others, const struct verdict_cell *cell,
                      enum judge_unusual unusual)
{
  double benchmark;
  if (!others->pooled || !metric_value(m, others->pool, &benchmark))
    return;
  set_benchmark(x, benchmark);
  if (cell->has_index)
    fill_open_cell(x, cell, unusual);
}

/* ---------------------------------------------------------------------- changes */

static bool change_of(double before, double now, double *percent)
{
  if (!(before > 0))
    return false;
  *percent = 100 * (now - before) / before;
  return true;
}

/* The others in one of the two periods: their pool, or for counts their mean. Those outside the
 * view are asked for as such. */
static bool others_in(const struct benchmarked *b, const struct cohort_figures *figures,
                      enum cell_period period, struct metric_group g, size_t member, double *out)
{
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  if (b->figures.cohort->outside > 0) {
    CLEANUP(door_figure_free) struct door_figure f;
    cell_figure(b->door, period == CELL_NOW ? &b->figures : figures, g, period, &f);
    *out = f.pooled;
    return metric_is_rate(m) && f.code == DISCLOSURE_RESTRICTED;
  }
  CLEANUP(group_free)
  struct group_values others = group_gather(figures, g, (long)member, GROUP_ALL);
  return metric_is_rate(m) ? others.pooled && metric_value(m, others.pool, out)
                           : stats_mean(others.values, others.n, out);
}

static void fill_change(const struct benchmarked *b, MetricIndex *x, struct metric_group g,
                        size_t member)
{
  AUTO_FREE struct dealer_figures *space = xcalloc(2 * b->figures.cohort->n + 1, sizeof(*space));
  struct cohort_figures then = group_trend(&b->figures, true, space);
  struct cohort_figures now = group_trend(&b->figures, false, space + b->figures.cohort->n);
  double before, others, percent;
  if (!b->figures.dealers[member].has_before || !group_value(&then, g, member, &before) ||
      !change_of(before, x->value, &percent))
    return;
  x->opt_change_percent_case =
      ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_CHANGE_PERCENT_CHANGE_PERCENT;
  x->change_percent = percent;
  if (x->opt_benchmark_case == 0 || !others_in(b, &then, CELL_BEFORE, g, member, &before) ||
      !others_in(b, &now, CELL_NOW, g, member, &others) || !change_of(before, others, &percent))
    return;
  x->opt_others_change_percent_case =
      ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_OTHERS_CHANGE_PERCENT_OTHERS_CHANGE_PERCENT;
  x->others_change_percent = b->figures.cohort->outside == 0 ? percent : nearbyint(percent);
}

/* --------------------------------------------------------------------- messages */

Standing standing_message(enum verdict v)
{
  switch (v) {
  case VERDICT_BETTER:
    return ANALYTICS__AGGREGATE__V1__STANDING__BETTER;
  case VERDICT_WORSE:
    return ANALYTICS__AGGREGATE__V1__STANDING__WORSE;
  case VERDICT_NO_CLEAR_DIFFERENCE:
    return ANALYTICS__AGGREGATE__V1__STANDING__NO_CLEAR_DIFFERENCE;
  case VERDICT_CONTEXT:
    return ANALYTICS__AGGREGATE__V1__STANDING__CONTEXT_ONLY;
  case VERDICT_SUSPECT:
    return ANALYTICS__AGGREGATE__V1__STANDING__SUSPECT_DATA;
  case VERDICT_NOT_JUDGED:
    return ANALYTICS__AGGREGATE__V1__STANDING__NOT_JUDGED;
  case VERDICT_WITHHELD:
    return ANALYTICS__AGGREGATE__V1__STANDING__BENCHMARK_WITHHELD;
  case VERDICT_TOO_LITTLE_DATA:
  default:
    return ANALYTICS__AGGREGATE__V1__STANDING__TOO_LITTLE_DATA;
  }
}

/* What is released of the dealers outside. */
static bool find_outside(const void *arg, struct metric_group g, size_t member,
                         struct judge_others *out)
{
  const struct benchmarked *b = arg;
  (void)member;
  CLEANUP(door_figure_free) struct door_figure f;
  cell_figure(b->door, &b->figures, g, CELL_NOW, &f);
  out->phi = f.record.dispersion;
  out->withheld = f.code != DISCLOSURE_RESTRICTED;
  return cell_pool(&dealer_metrics[g.metric], &f, &out->pool);
}

void benchmarked_judge(struct judgement *out, const struct benchmarked *b, long only,
                       uint32_t metrics)
{
  struct judge_question q = {&b->figures, only,
                             b->figures.cohort->outside > 0 ? find_outside : NULL, b, metrics};
  judge(out, &q);
}

/* The caller sees every dealer: against all the others. */
static void compare_open(MetricIndex *x, const struct benchmarked *b,
                         const struct judgement *judgement, struct metric_group g, size_t member)
{
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  size_t at = member * METRIC_COUNT + (size_t)g.metric;
  CLEANUP(group_free)
  struct group_values others = group_gather(&b->figures, g, (long)member, GROUP_ALL);
  set_rank(x, others.values, others.n);
  if (metric_is_rate(m))
    fill_rate(x, m, &others, &judgement->cells[at], judgement->unusual[at]);
  else
    fill_count(x, &others);
}

/* Some dealers are outside the view: against what is released of those, the same for each of the
 * caller's own. */
static void compare_outside(MetricIndex *x, const struct benchmarked *b,
                            const struct verdict_cell *cell, struct metric_group g)
{
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  CLEANUP(door_figure_free) struct door_figure f;
  cell_figure(b->door, &b->figures, g, CELL_NOW, &f);
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
  if (cell->has_index)
    fill_restricted_cell(x, cell);
}

/* The figures of a dealer whose data is suspect stand beside the benchmark, and are not measured by
 * it. */
static void withhold_standing(MetricIndex *x)
{
  x->opt_index_case = 0;
  x->opt_index_low_case = 0;
  x->opt_index_high_case = 0;
  x->opt_expected_case = 0;
  x->opt_percentile_case = 0;
  x->opt_q_case = 0;
  x->opt_rank_case = 0;
  x->opt_of_case = 0;
  x->unusual_among_dealers = borrow_text("");
}

MetricIndex *index_message(const struct benchmarked *b, const struct judgement *judgement,
                           enum metric_id id, size_t member, struct arena *arena)
{
  const struct cohort_figures *c = &b->figures;
  const struct dealer_metric *m = &dealer_metrics[id];
  const struct verdict_cell *cell = judgement_cell(judgement, member, id);
  struct metric_group g = group_of(c, id, member);
  MetricIndex *x = ARENA_NEW(arena, MetricIndex);
  double value;
  analytics__aggregate__v1__metric_index__init(x);
  x->metric = borrow_text(m->name);
  x->better = m->better;
  x->standing = standing_message(cell->word);
  if (!group_value(c, g, member, &value))
    return x;
  x->opt_value_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_VALUE_VALUE;
  x->value = value;
  if (c->cohort->outside == 0)
    compare_open(x, b, judgement, g, member);
  else
    compare_outside(x, b, cell, g);
  fill_change(b, x, g, member);
  if (!metric_is_usable(m, &c->dealers[member]))
    withhold_standing(x);
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
  CLEANUP(door_figure_free) struct door_figure f;
  cell_figure(b->door, &b->figures, g, CELL_NOW, &f);
  if (f.code != DISCLOSURE_RESTRICTED)
    return;
  a->dealers = f.dealers;
  if (!metric_is_rate(&dealer_metrics[g.metric]))
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
