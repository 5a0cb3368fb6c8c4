/* Pools, indices, dispersion. */
#include "aggregate-svc/stats/ratio.h"

#include <math.h>

#include "aggregate-svc/stats/distribution.h"
#include "aggregate-svc/stats/sum.h"

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

bool stats_index(double value, double benchmark, double *out)
{
  if (!(benchmark > 0))
    return false;
  *out = 100.0 * value / benchmark;
  return true;
}

/* ------------------------------------------------------------------- intervals */

/* Var(ln r) of a rate; false when the parts do not allow one. */
static bool log_variance(struct stats_ratio r, enum stats_model model, double phi, double *out)
{
  if (r.numerator <= 0 || r.denominator <= 0 ||
      (model == STATS_BINOMIAL && r.numerator > r.denominator))
    return false;
  double variance = 1 / (double)r.numerator;
  if (model == STATS_BINOMIAL) /* (1 - r) / y without 1 - r, which cancels */
    variance *= (double)(r.denominator - r.numerator) / (double)r.denominator;
  *out = phi * variance;
  return true;
}

bool stats_index_interval(struct stats_ratio own, struct stats_ratio others, enum stats_model model,
                          double phi, double phi_others, double z, struct stats_index_interval *out)
{
  double a, b;
  if (!log_variance(own, model, phi, &a) || !log_variance(others, model, phi_others, &b))
    return false;
  double ratio = (double)own.numerator / (double)own.denominator /
                 ((double)others.numerator / (double)others.denominator);
  double se = sqrt(a + b);
  out->index = 100 * ratio;
  out->se = se;
  out->low = out->index * exp(-z * se);
  out->high = out->index * exp(z * se);
  out->p = se > 0 ? stats_normal_p(log(ratio) / se) : (ratio == 1 ? 1 : 0);
  return true;
}

/* ------------------------------------------------------------------ dispersion */

/* Sums over the days that have sessions. */
struct day_sums {
  double y, n;
  int64_t days;
};
static struct day_sums sum_days(const struct stats_ratio *days, size_t n)
{
  struct day_sums s = {0, 0, 0};
  for (size_t i = 0; i < n; i++) {
    if (days[i].denominator <= 0)
      continue;
    s.y += (double)days[i].numerator;
    s.n += (double)days[i].denominator;
    s.days++;
  }
  return s;
}

void stats_dispersion_add(struct stats_dispersion *d, const struct stats_ratio *days, size_t n,
                          enum stats_model model)
{
  struct day_sums all = sum_days(days, n);
  double rest = model == STATS_BINOMIAL ? (all.n - all.y) / all.n : 1;
  if (all.days < 2 || all.y <= 0 || rest <= 0)
    return;
  struct stats_sum pearson = {0, 0};
  for (size_t i = 0; i < n; i++) {
    if (days[i].denominator <= 0)
      continue;
    double expected = all.y / all.n * (double)days[i].denominator;
    double off = (double)days[i].numerator - expected;
    stats_sum_add(&pearson, off * off / (expected * rest));
  }
  d->pearson += stats_sum_value(&pearson);
  d->df += all.days - 1;
}

double stats_dispersion_phi(const struct stats_dispersion *d)
{
  return d->df > 0 ? fmax(1, d->pearson / (double)d->df) : 1;
}

bool stats_clustered_ratio(const double *x, const double *n, size_t k, struct stats_clustered *out)
{
  struct stats_sum sx = {0, 0}, sn = {0, 0}, squares = {0, 0};
  for (size_t i = 0; i < k; i++) {
    stats_sum_add(&sx, x[i]);
    stats_sum_add(&sn, n[i]);
  }
  double all = stats_sum_value(&sn);
  if (k < 2 || !(all > 0))
    return false;
  double ratio = stats_sum_value(&sx) / all;
  for (size_t i = 0; i < k; i++) {
    double off = (x[i] - ratio * n[i]) / all;
    stats_sum_add(&squares, off * off);
  }
  out->value = ratio;
  out->se = sqrt((double)k / (double)(k - 1) * stats_sum_value(&squares));
  out->df = (int64_t)k - 1;
  return true;
}
