/* Mann-Kendall, Theil-Sen, days against their weekday. */
#include "aggregate-svc/stats/trend.h"

#include <math.h>

#include "aggregate-svc/stats/distribution.h"
#include "aggregate-svc/stats/robust.h"

/* n (n - 1) (2 n + 5): 18 times the variance that n different values bring. */
static double variance_of(double n)
{
  return n * (n - 1) * (2 * n + 5);
}

/* How many values equal x[i]; 0 when an earlier one does, so that each group counts once. */
static size_t ties_from(const double *x, size_t n, size_t i)
{
  size_t equal = 0;
  for (size_t k = 0; k < n; k++) {
    if (x[k] != x[i])
      continue;
    if (k < i)
      return 0;
    equal++;
  }
  return equal;
}

bool stats_mann_kendall(const double *x, size_t n, struct stats_mann_kendall *out)
{
  if (n < 3)
    return false;
  struct stats_mann_kendall r = {.variance = variance_of((double)n)};
  for (size_t i = 0; i < n; i++) {
    for (size_t j = i + 1; j < n; j++)
      r.s += (x[j] > x[i]) - (x[j] < x[i]);
    r.variance -= variance_of((double)ties_from(x, n, i));
  }
  r.variance /= 18;
  double towards_zero = (double)((r.s > 0) - (r.s < 0));
  if (r.variance > 0)
    r.z = ((double)r.s - towards_zero) / sqrt(r.variance);
  r.p = stats_normal_p(r.z);
  *out = r;
  return true;
}

bool stats_theil_sen(const double *x, size_t n, double *scratch, double *out)
{
  size_t k = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = i + 1; j < n; j++)
      scratch[k++] = (x[j] - x[i]) / (double)(j - i);
  stats_sort(scratch, k);
  return stats_median(scratch, k, out);
}

/* ---------------------------------------------------------------------- days */

enum { WEEK = 7 };

/* Median of a weekday; weekday is the place of its first day in past. */
static bool weekday_median(const double *past, size_t weekday, double *out)
{
  double days[STATS_DAY_WEEKS];
  size_t n = 0;
  for (size_t i = weekday; i < STATS_DAY_PAST; i += WEEK)
    if (!isnan(past[i]))
      days[n++] = past[i];
  stats_sort(days, n);
  return n >= STATS_DAY_MIN_WEEKS && stats_median(days, n, out);
}

static double residual(double y, double median)
{
  return 2 * (sqrt(y) - sqrt(median));
}

bool stats_day_residual(const double past[STATS_DAY_PAST], double y, double *e)
{
  double median;
  if (!weekday_median(past, 0, &median)) /* 56 days ago it was the same weekday */
    return false;
  *e = residual(y, median);
  return true;
}

/* Residuals of the past days around their weekdays' medians, ascending. */
static size_t past_residuals(const double *past, double out[STATS_DAY_PAST])
{
  size_t n = 0;
  for (size_t weekday = 0; weekday < WEEK; weekday++) {
    double median;
    if (!weekday_median(past, weekday, &median))
      continue;
    for (size_t i = weekday; i < STATS_DAY_PAST; i += WEEK)
      if (!isnan(past[i]))
        out[n++] = residual(past[i], median);
  }
  stats_sort(out, n);
  return n;
}

bool stats_day_z(const double past[STATS_DAY_PAST], double y, double *z)
{
  double e, mad, residuals[STATS_DAY_PAST], scratch[STATS_DAY_PAST];
  if (!stats_day_residual(past, y, &e))
    return false;
  size_t n = past_residuals(past, residuals);
  if (!stats_mad(residuals, n, scratch, &mad))
    return false;
  *z = e / (1.3 * fmax(1, STATS_MAD_TO_SD * mad));
  return true;
}
