/* Rounding for outside viewers. */
#include "aggregate-svc/disclosure/forms.h"

#include <math.h>

#include "aggregate-svc/stats/stats.h"

enum { RATE_DIGITS = 3, QUANTILE_DIGITS = 2, EXPECTED_DIGITS = 2, INTERVAL_STEP = 5 };
enum { LEAST_EVENTS = 20, EVENTS_FACTOR = 4 };

double form_pooled(double exact)
{
  return stats_round_significant(exact, RATE_DIGITS);
}

bool form_index(double own, double pooled, double *out)
{
  double index;
  if (!stats_index(own, pooled, &index))
    return false;
  *out = nearbyint(index);
  return true;
}

void form_interval(double lower, double upper, double *out_lower, double *out_upper)
{
  double low = floor(lower / INTERVAL_STEP) * INTERVAL_STEP;
  *out_lower = low > 0 ? low : 0;
  *out_upper = ceil(upper / INTERVAL_STEP) * INTERVAL_STEP;
}

double form_expected(double exact)
{
  return stats_round_significant(exact, EXPECTED_DIGITS);
}

int64_t form_events(int64_t exact)
{
  int64_t step = LEAST_EVENTS;
  if (exact < step)
    return 0;
  while (step <= exact / EVENTS_FACTOR)
    step *= EVENTS_FACTOR;
  return step;
}

static double quartile(const double *ascending, size_t n, double p)
{
  double x = 0;
  stats_quantile(ascending, n, p, &x);
  return stats_round_significant(x, QUANTILE_DIGITS);
}

struct form_typical form_typical(const double *ascending, size_t n, size_t min_quantile_members,
                                 size_t min_contributors)
{
  struct form_typical t = {0};
  double x;
  if (n >= min_quantile_members && n >= min_contributors) {
    t.quartiles = true;
    t.p25 = quartile(ascending, n, 0.25);
    t.p50 = quartile(ascending, n, 0.5);
    t.p75 = quartile(ascending, n, 0.75);
  } else if (n >= min_contributors && stats_middle_mean(ascending, n, &x)) {
    t.middle = true;
    t.middle_mean = stats_round_significant(x, RATE_DIGITS);
  }
  return t;
}
