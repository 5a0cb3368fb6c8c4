/* Compensated and checked sums. */
#include "aggregate-svc/stats/sum.h"

#include <math.h>

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
