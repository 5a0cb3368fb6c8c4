/* Benjamini and Hochberg. */
#include "aggregate-svc/stats/multiple.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static int by_p(const void *a, const void *b, void *p)
{
  const double *values = p;
  double x = values[*(const size_t *)a], y = values[*(const size_t *)b];
  return (x > y) - (x < y);
}

void stats_benjamini_hochberg(const double *p, size_t m, double *q, size_t *order)
{
  for (size_t i = 0; i < m; i++)
    order[i] = i;
  if (m > 1)
    qsort_r(order, m, sizeof(*order), by_p, (void *)(uintptr_t)p);
  double least = 1;
  for (size_t j = m; j > 0; j--) {
    least = fmin(least, p[order[j - 1]] * (double)m / (double)j);
    q[order[j - 1]] = least;
  }
}
