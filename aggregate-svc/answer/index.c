/* Indices and averages: values, ranks, pools, and what may be shown of them. */
#include "aggregate-svc/answer/index.h"

#include <math.h>

#include "aggregate-svc/disclosure/cell.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__MetricAverage MetricAverage;
typedef Analytics__Aggregate__V1__Standing Standing;

/* Significant digits of figures that rest on dealers the caller may not see. */
enum { RATE_DIGITS = 3, QUANTILE_DIGITS = 2, EXPECTED_DIGITS = 2 };
/* Index points to which the ends of an interval are moved outwards then. */
#define INTERVAL_STEP 5.0

/* --------------------------------------------------------------------- indices */

static enum disclosure_form form_of(enum metric_id m)
{
  return metric_is_rate(&dealer_metrics[m]) ? DISCLOSURE_INDEX : DISCLOSURE_RANK;
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
  set_index(x, nearbyint(cell->index));
  set_expected(x, stats_round_significant(cell->expected, EXPECTED_DIGITS));
  if (cell->has_interval)
    set_interval(x, INTERVAL_STEP * floor(cell->low / INTERVAL_STEP),
                 INTERVAL_STEP * ceil(cell->high / INTERVAL_STEP));
}

/* Rates: the others' pool. Index, interval and word come from one cell. */
static void fill_rate(MetricIndex *x, const struct dealer_metric *m,
                      const struct group_values *others, const struct verdict_cell *cell,
                      enum judge_unusual unusual, enum disclosure_code code)
{
  double benchmark;
  if (!others->pooled || !metric_value(m, others->pool, &benchmark))
    return;
  bool restricted = code != DISCLOSURE_OPEN;
  set_benchmark(x, restricted ? stats_round_significant(benchmark, RATE_DIGITS) : benchmark);
  if (!cell->has_index)
    return;
  if (restricted)
    fill_restricted_cell(x, cell);
  else
    fill_open_cell(x, cell, unusual);
}

/* ---------------------------------------------------------------------- changes */

/* The figures of the period before, as if they were the period's. */
static struct cohort_figures before_of(const struct cohort_figures *c, struct dealer_figures *space)
{
  for (size_t i = 0; i < c->cohort->n; i++) {
    space[i] = c->dealers[i];
    space[i].now = c->dealers[i].before;
  }
  return (struct cohort_figures){c->cohort, space, c->leads};
}

static bool change_of(double before, double now, double *percent)
{
  if (!(before > 0))
    return false;
  *percent = 100 * (now - before) / before;
  return true;
}

/* The others then: their pool, or for counts their mean, in the form that the caller may see. */
static bool others_before(const struct benchmarked *b, struct metric_group g, size_t member,
                          enum disclosure_code code, double *out)
{
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  CLEANUP(group_free)
  struct group_values others = group_gather(&b->figures, g, (long)member, GROUP_ALL);
  bool known = metric_is_rate(m) ? others.pooled && metric_value(m, others.pool, out)
                                 : stats_mean(others.values, others.n, out);
  if (known && code != DISCLOSURE_OPEN)
    *out = stats_round_significant(*out, RATE_DIGITS);
  return known;
}

static void fill_change(const struct benchmarked *b, MetricIndex *x, struct metric_group g,
                        size_t member)
{
  AUTO_FREE struct dealer_figures *space = xcalloc(b->figures.cohort->n + 1, sizeof(*space));
  struct benchmarked then = {before_of(&b->figures, space), b->policy};
  double before, percent;
  if (!b->figures.dealers[member].has_before || !group_value(&then.figures, g, member, &before) ||
      !change_of(before, x->value, &percent))
    return;
  x->opt_change_percent_case =
      ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_CHANGE_PERCENT_CHANGE_PERCENT;
  x->change_percent = percent;
  enum disclosure_code code =
      disclosure_cell(&b->policy, &then.figures, g, form_of(g.metric), (long)member);
  if (x->opt_benchmark_case == 0 || !disclosure_ok(code) ||
      !others_before(&then, g, member, code, &before) || !change_of(before, x->benchmark, &percent))
    return;
  x->opt_others_change_percent_case =
      ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_OTHERS_CHANGE_PERCENT_OTHERS_CHANGE_PERCENT;
  x->others_change_percent = code == DISCLOSURE_OPEN ? percent : nearbyint(percent);
}

/* --------------------------------------------------------------------- messages */

static Standing standing_of(enum verdict v)
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
  case VERDICT_NOT_JUDGED:
    return ANALYTICS__AGGREGATE__V1__STANDING__NOT_JUDGED;
  case VERDICT_TOO_LITTLE_DATA:
  default:
    return ANALYTICS__AGGREGATE__V1__STANDING__TOO_LITTLE_DATA;
  }
}

static bool is_allowed(const void *arg, struct metric_group g, size_t member)
{
  const struct benchmarked *b = arg;
  return disclosure_ok(
      disclosure_cell(&b->policy, &b->figures, g, form_of(g.metric), (long)member));
}

void benchmarked_judge(struct judgement *out, const struct benchmarked *b, long only)
{
  struct judge_question q = {&b->figures, only, is_allowed, b};
  judge(out, &q);
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
  x->standing = standing_of(cell->word);
  if (!group_value(c, g, member, &value))
    return x;
  x->opt_value_case = ANALYTICS__AGGREGATE__V1__METRIC_INDEX__OPT_VALUE_VALUE;
  x->value = value;
  enum disclosure_code code = disclosure_cell(&b->policy, c, g, form_of(id), (long)member);
  if (!disclosure_ok(code)) {
    x->suppressed = borrow_text(disclosure_code_name(code));
    fill_change(b, x, g, member);
    return x;
  }
  CLEANUP(group_free) struct group_values others = group_gather(c, g, (long)member, GROUP_ALL);
  set_rank(x, &others);
  if (metric_is_rate(m))
    fill_rate(x, m, &others, cell, judgement->unusual[member * METRIC_COUNT + (size_t)id], code);
  else
    fill_count(x, &others, code);
  fill_change(b, x, g, member);
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
