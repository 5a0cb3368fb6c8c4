/* Wilson and Byar. */
#include "aggregate-svc/stats/interval.h"

#include <math.h>

bool stats_wilson(int64_t k, int64_t n, double z, struct stats_interval *out)
{
  if (n <= 0 || k < 0 || k > n)
    return false;
  double m = (double)n, p = (double)k / m, q = (double)(n - k) / m, z2 = z * z;
  double centre = (p + z2 / (2 * m)) / (1 + z2 / m);
  double half = z * sqrt(p * q / m + z2 / (4 * m * m)) / (1 + z2 / m);
  out->low = k == 0 ? 0 : fmax(0, centre - half);
  out->high = k == n ? 1 : fmin(1, centre + half);
  return true;
}

/* x (1 - 1 / (9 x) + d)^3, the cube root of a Poisson count being nearly normal. */
static double cube(double x, double d)
{
  double root = 1 - 1 / (9 * x) + d;
  return root > 0 ? x * root * root * root : 0;
}

bool stats_byar(int64_t count, double z, struct stats_interval *out)
{
  if (count < 0)
    return false;
  double x = (double)count;
  out->low = count == 0 ? 0 : cube(x, -z / (3 * sqrt(x)));
  out->high = cube(x + 1, z / (3 * sqrt(x + 1)));
  return true;
}
