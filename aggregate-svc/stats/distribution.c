/* Normal and t probabilities. */
#include "aggregate-svc/stats/distribution.h"

#include <math.h>

enum { T_DF_MAX = 10000, T_STEPS = 100 };

double stats_normal_p(double z)
{
  return erfc(fabs(z) * M_SQRT1_2);
}

/* P(|T| < tan(angle) sqrt(df)): A and S 26.7.3 (odd df) and 26.7.4 (even df). */
static double t_inside(double angle, int64_t df)
{
  double s = sin(angle), c = cos(angle), c2 = c * c;
  bool odd = df % 2 == 1;
  double term = odd ? c : 1, sum = df == 1 ? 0 : term;
  for (int64_t i = odd ? 3 : 2; i <= df - 2; i += 2) {
    term *= c2 * (double)(i - 1) / (double)i;
    sum += term;
  }
  return odd ? M_2_PI * (angle + s * sum) : s * sum;
}

double stats_t_p(double t, int64_t df)
{
  if (df < 1)
    return 1;
  if (df > T_DF_MAX)
    return stats_normal_p(t);
  double outside = 1 - t_inside(atan(fabs(t) / sqrt((double)df)), df);
  return outside > 0 ? outside : 0;
}

/* Bisection over the angle, in which the probability is smooth and bounded. */
bool stats_t_limit(double p, int64_t df, double *out)
{
  if (!(p > 0 && p < 1) || df < 1)
    return false;
  int64_t used = df > T_DF_MAX ? T_DF_MAX : df;
  double low = 0, high = M_PI_2;
  for (int i = 0; i < T_STEPS; i++) {
    double middle = (low + high) / 2;
    if (1 - t_inside(middle, used) > p)
      low = middle;
    else
      high = middle;
  }
  *out = tan((low + high) / 2) * sqrt((double)used);
  return true;
}
