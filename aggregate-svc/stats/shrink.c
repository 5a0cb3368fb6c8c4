/* Marshall's estimator. */
#include "aggregate-svc/stats/shrink.h"

#include <math.h>

#include "aggregate-svc/stats/sum.h"

/* Variance of the true rates: what is left of the spread after the counts' own. Dealers without
 * sessions do not count. */
static double between(const struct stats_ratio *parts, size_t n, struct stats_ratio pool, double m)
{
  struct stats_sum squares = {0, 0};
  double all = (double)pool.denominator;
  size_t used = 0;
  for (size_t i = 0; i < n; i++) {
    double r, weight = (double)parts[i].denominator / all;
    if (!stats_ratio_value(parts[i], &r))
      continue;
    stats_sum_add(&squares, weight * (r - m) * (r - m));
    used++;
  }
  return fmax(0, stats_sum_value(&squares) - m * (double)used / all);
}

bool stats_shrink(const struct stats_ratio *parts, size_t n, double *rates,
                  struct stats_shrinkage *out)
{
  struct stats_ratio pool;
  double m;
  if (!stats_pool(parts, n, &pool) || !stats_ratio_value(pool, &m))
    return false;
  double a = between(parts, n, pool, m);
  for (size_t i = 0; i < n; i++) {
    double r;
    rates[i] = m;
    if (a > 0 && stats_ratio_value(parts[i], &r))
      rates[i] = m + a / (a + m / (double)parts[i].denominator) * (r - m);
  }
  *out = (struct stats_shrinkage){m, a};
  return true;
}

double stats_shrunk_ratio(double observed, double expected, double prior)
{
  return (observed + prior) / (expected + prior);
}
