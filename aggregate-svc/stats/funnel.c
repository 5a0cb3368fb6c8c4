/* Spiegelhalter's funnel. */
#include "aggregate-svc/stats/funnel.h"

#include <math.h>

#include "aggregate-svc/stats/robust.h"
#include "aggregate-svc/stats/sum.h"

#define WINSOR_SHARE 0.10

static double unadjusted(double observed, double expected)
{
  return 2 * (sqrt(observed) - sqrt(expected));
}

/* Sum of the squared z, those beyond the limits drawn in to them. */
static double winsorised_squares(const double *z, size_t k, const struct stats_funnel *f)
{
  struct stats_sum squares = {0, 0};
  for (size_t i = 0; i < k; i++) {
    double x = fmin(fmax(z[i], f->low), f->high);
    stats_sum_add(&squares, x * x);
  }
  return stats_sum_value(&squares);
}

static double between(const double *expected, size_t k, double phi)
{
  struct stats_sum w = {0, 0}, w2 = {0, 0};
  for (size_t i = 0; i < k; i++) {
    stats_sum_add(&w, 4 * expected[i]);
    stats_sum_add(&w2, 16 * expected[i] * expected[i]);
  }
  double sum = stats_sum_value(&w), n = (double)k;
  return fmax(0, (n * phi - (n - 1)) / (sum - stats_sum_value(&w2) / sum));
}

bool stats_funnel(const double *observed, const double *expected, size_t k, double tau_floor,
                  double *z_d, double *scratch, struct stats_funnel *out)
{
  struct stats_funnel f = {1, 0, 0, 0};
  for (size_t i = 0; i < k; i++) {
    if (!(expected[i] > 0))
      return false;
    z_d[i] = scratch[i] = unadjusted(observed[i], expected[i]);
  }
  stats_sort(scratch, k);
  if (!stats_quantile(scratch, k, WINSOR_SHARE, &f.low) ||
      !stats_quantile(scratch, k, 1 - WINSOR_SHARE, &f.high))
    return false;
  f.phi = winsorised_squares(z_d, k, &f) / (double)k;
  if (k >= STATS_FUNNEL_MIN_DEALERS)
    f.tau2 = between(expected, k, f.phi);
  f.tau2 = fmax(f.tau2, tau_floor * tau_floor);
  for (size_t i = 0; i < k; i++)
    z_d[i] = (sqrt(observed[i] / expected[i]) - 1) / sqrt(1 / (4 * expected[i]) + f.tau2);
  *out = f;
  return true;
}

void stats_funnel_limits(double expected, double tau2, double z, double *low, double *high)
{
  double half = z * sqrt(1 / (4 * expected) + tau2);
  *low = half < 1 ? (1 - half) * (1 - half) : 0;
  *high = (1 + half) * (1 + half);
}
