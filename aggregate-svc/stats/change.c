/* Two periods: rates, and shares over dealers. */
#include "aggregate-svc/stats/change.h"

#include <math.h>

#include "aggregate-svc/stats/distribution.h"
#include "aggregate-svc/stats/exact.h"
#include "aggregate-svc/stats/sum.h"

static void set_interval(struct stats_change *c, double log_ratio, double se, double z)
{
  c->ratio = exp(log_ratio);
  c->se = se;
  c->low = exp(log_ratio - z * se);
  c->high = exp(log_ratio + z * se);
}

static bool is_positive(struct stats_ratio r)
{
  return r.numerator > 0 && r.denominator > 0;
}

bool stats_change(struct stats_ratio before, struct stats_ratio after, double phi, double z,
                  struct stats_change *out)
{
  if (!is_positive(before) || !is_positive(after))
    return false;
  double y1 = (double)before.numerator, n1 = (double)before.denominator;
  double y2 = (double)after.numerator, n2 = (double)after.denominator;
  double log_ratio = log(y2) - log(n2) - log(y1) + log(n1);
  double se = sqrt(phi / y1 + phi / y2);
  int64_t both;
  if (__builtin_add_overflow(before.numerator, after.numerator, &both))
    return false;
  set_interval(out, log_ratio, se, z);
  out->p = phi > 1 ? stats_normal_p(log_ratio / se)
                   : stats_binomial_p(after.numerator, both, n2 / (n1 + n2));
  return true;
}

struct stats_change stats_change_relative(const struct stats_change *own,
                                          const struct stats_change *market, double z)
{
  struct stats_change out;
  double log_ratio = log(own->ratio) - log(market->ratio), se = hypot(own->se, market->se);
  set_interval(&out, log_ratio, se, z);
  out.p = se > 0 ? stats_normal_p(log_ratio / se) : (log_ratio == 0 ? 1 : 0);
  return out;
}

/* ------------------------------------------------------------------------ shares */

static struct stats_share total_of(const struct stats_share *dealers, size_t k)
{
  struct stats_sum sums[4] = {{0, 0}, {0, 0}, {0, 0}, {0, 0}};
  for (size_t i = 0; i < k; i++) {
    stats_sum_add(&sums[0], dealers[i].part_before);
    stats_sum_add(&sums[1], dealers[i].all_before);
    stats_sum_add(&sums[2], dealers[i].part_after);
    stats_sum_add(&sums[3], dealers[i].all_after);
  }
  return (struct stats_share){stats_sum_value(&sums[0]), stats_sum_value(&sums[1]),
                              stats_sum_value(&sums[2]), stats_sum_value(&sums[3])};
}

/* Counts a dealer as risen or fallen, by products, so that equal shares stay equal. */
static void count_direction(const struct stats_share *d, struct stats_share_change *c)
{
  double before = d->part_before * d->all_after, after = d->part_after * d->all_before;
  if (!(d->all_before > 0) || !(d->all_after > 0))
    return;
  c->up += after > before;
  c->down += after < before;
}

bool stats_share_shift(const struct stats_share *dealers, size_t k, double p_level,
                       struct stats_share_change *out)
{
  struct stats_share total = total_of(dealers, k);
  struct stats_sum squares = {0, 0};
  double limit;
  if (k < 2 || !(total.all_before > 0) || !(total.all_after > 0) ||
      !stats_t_limit(p_level, (int64_t)k - 1, &limit))
    return false;
  struct stats_share_change c = {.before = total.part_before / total.all_before,
                                 .after = total.part_after / total.all_after};
  for (size_t i = 0; i < k; i++) {
    const struct stats_share *d = &dealers[i];
    double e = (d->part_after - c.after * d->all_after) / total.all_after -
               (d->part_before - c.before * d->all_before) / total.all_before;
    stats_sum_add(&squares, e * e);
    count_direction(d, &c);
  }
  c.change = c.after - c.before;
  c.se = sqrt((double)k / (double)(k - 1) * stats_sum_value(&squares));
  c.low = c.change - limit * c.se;
  c.high = c.change + limit * c.se;
  c.p = c.se > 0 ? stats_t_p(c.change / c.se, (int64_t)k - 1) : 1;
  *out = c;
  return true;
}
