/* Means, quantiles, deviations. */
#include "aggregate-svc/stats/robust.h"

#include <math.h>
#include <stdlib.h>

#include "aggregate-svc/stats/sum.h"

#define QUARTER_Z 0.6744897501960817 /* 75 % of normal values lie below */

bool stats_mean(const double *x, size_t n, double *out)
{
  if (n == 0)
    return false;
  struct stats_sum s = {0, 0};
  for (size_t i = 0; i < n; i++)
    stats_sum_add(&s, x[i]);
  *out = stats_sum_value(&s) / (double)n;
  return true;
}

static int compare_doubles(const void *a, const void *b)
{
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Shell's sort: of the few values of a window it takes a fraction of what qsort() does, which
 * calls back for each comparison. */
static void sort_few(double *x, size_t n)
{
  static const size_t gaps[] = {23, 10, 4, 1}; /* Ciura 2001 */
  for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
    for (size_t gap = gaps[g], i = gap; i < n; i++) {
      double value = x[i];
      size_t at = i;
      for (; at >= gap && x[at - gap] > value; at -= gap)
        x[at] = x[at - gap];
      x[at] = value;
    }
}

void stats_sort(double *x, size_t n)
{
  enum { FEW = 64 };
  if (n <= FEW)
    sort_few(x, n);
  else
    qsort(x, n, sizeof(*x), compare_doubles);
}

bool stats_quantile(const double *sorted, size_t n, double p, double *out)
{
  if (n == 0 || !(p >= 0 && p <= 1))
    return false;
  double h = (double)(n - 1) * p;
  size_t low = (size_t)floor(h);
  size_t high = low + 1 < n ? low + 1 : low;
  *out = sorted[low] + (h - (double)low) * (sorted[high] - sorted[low]);
  return true;
}

bool stats_median(const double *sorted, size_t n, double *out)
{
  return stats_quantile(sorted, n, 0.5, out);
}

bool stats_middle_mean(const double *sorted, size_t n, double *out)
{
  if (n < 4)
    return false;
  size_t take = n % 2 == 1 ? 3 : 4;
  return stats_mean(sorted + (n - take) / 2, take, out);
}

bool stats_mad(const double *sorted, size_t n, double *scratch, double *out)
{
  double median;
  if (!stats_median(sorted, n, &median))
    return false;
  for (size_t i = 0; i < n; i++)
    scratch[i] = fabs(sorted[i] - median);
  stats_sort(scratch, n);
  return stats_median(scratch, n, out);
}

bool stats_modified_z(double x, double median, double mad, double *out)
{
  if (!(mad > 0))
    return false;
  *out = QUARTER_Z * (x - median) / mad;
  return true;
}
