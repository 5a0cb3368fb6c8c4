/* Competition ranks and mid-ranks. */
#include "aggregate-svc/stats/rank.h"

static bool comes_before(double a, double b, enum stats_order order)
{
  return order == STATS_LARGEST_FIRST ? a > b : a < b;
}

size_t stats_rank(const double *x, size_t n, double value, enum stats_order order)
{
  size_t rank = 1;
  for (size_t i = 0; i < n; i++)
    rank += comes_before(x[i], value, order);
  return rank;
}

bool stats_percentile(const double *x, size_t n, double value, enum stats_order order, double *out)
{
  if (n == 0)
    return false;
  size_t halves = 0; /* two for each that does worse, one for each equal */
  for (size_t i = 0; i < n; i++) {
    if (comes_before(value, x[i], order))
      halves += 2;
    else if (!comes_before(x[i], value, order))
      halves += 1;
  }
  *out = 100.0 * (double)halves / (2.0 * (double)n);
  return true;
}
