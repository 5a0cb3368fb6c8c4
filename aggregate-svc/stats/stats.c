/* Statistics over dealers: sums, pooled ratios, quantiles, ranks, indices. */
#include "aggregate-svc/stats/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void stats_sum_add(struct stats_sum *s, double x)
{
  double t = s->sum + x;
  if (fabs(s->sum) >= fabs(x))
    s->compensation += (s->sum - t) + x;
  else
    s->compensation += (x - t) + s->sum;
  s->sum = t;
}

double stats_sum_value(const struct stats_sum *s)
{
  return s->sum + s->compensation;
}

bool stats_count_add(int64_t *total, int64_t x)
{
  int64_t sum;
  if (x < 0 || __builtin_add_overflow(*total, x, &sum))
    return false;
  *total = sum;
  return true;
}

bool stats_count_from_double(double x, int64_t *out)
{
  if (!(x >= 0 && x <= 9007199254740992.0) || x != floor(x))
    return false;
  *out = (int64_t)x;
  return true;
}

bool stats_pool(const struct stats_ratio *parts, size_t n, struct stats_ratio *out)
{
  struct stats_ratio pool = {0, 0};
  for (size_t i = 0; i < n; i++)
    if (!stats_count_add(&pool.numerator, parts[i].numerator) ||
        !stats_count_add(&pool.denominator, parts[i].denominator))
      return false;
  *out = pool;
  return true;
}

struct stats_ratio stats_leave_out(struct stats_ratio pool, struct stats_ratio part)
{
  return (struct stats_ratio){pool.numerator - part.numerator, pool.denominator - part.denominator};
}

bool stats_ratio_value(struct stats_ratio r, double *out)
{
  if (r.denominator <= 0)
    return false;
  *out = (double)r.numerator / (double)r.denominator;
  return true;
}

/* Products of two counts and a percentage need more than 64 bits. */
__extension__ typedef __int128 wide;

int stats_ratio_compare(struct stats_ratio value, struct stats_ratio benchmark, int percent)
{
  wide left = (wide)100 * value.numerator * benchmark.denominator;
  wide right = (wide)percent * benchmark.numerator * value.denominator;
  return (left > right) - (left < right);
}

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

void stats_sort(double *x, size_t n)
{
  if (n > 1)
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

bool stats_index(double value, double benchmark, double *out)
{
  if (!(benchmark > 0))
    return false;
  *out = 100.0 * value / benchmark;
  return true;
}

double stats_round_significant(double x, int digits)
{
  char text[40];
  if (!isfinite(x) || digits < 1 || digits > 15)
    return x;
  snprintf(text, sizeof(text), "%.*e", digits - 1, x);
  return strtod(text, NULL);
}
