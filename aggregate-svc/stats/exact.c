/* Saddle-point probabilities and tails. */
#include "aggregate-svc/stats/exact.h"

#include <math.h>
#include <stdbool.h>

#include "aggregate-svc/stats/distribution.h"

#define LN_SQRT_2PI 0.918938533204672741780329736406
#define EXACT_MEAN_MAX 1e9

/* ------------------------------------------------------- probability of one value */

/* ln n! - ln(sqrt(2 pi n) (n / e)^n). */
static double stirling_error(double n)
{
  int sign;
  if (n < 16)
    return lgamma_r(n + 1, &sign) - (n + 0.5) * log(n) + n - LN_SQRT_2PI;
  double n2 = n * n;
  return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680) / n2) / n2) / n2) / n;
}

/* Deviance x ln(x / m) + m - x, without cancellation where x is near m: a series in
 * v = (x - m) / (x + m). */
static double deviance(double x, double m)
{
  if (fabs(x - m) >= 0.1 * (x + m))
    return x * log(x / m) + m - x;
  double v = (x - m) / (x + m), sum = (x - m) * v, term = 2 * x * v;
  for (int i = 1; i < 1000; i++) {
    term *= v * v;
    double next = sum + term / (2 * i + 1);
    if (next == sum)
      break;
    sum = next;
  }
  return sum;
}

static double poisson_at(double k, double mean)
{
  if (mean == 0)
    return k == 0 ? 1 : 0;
  if (k == 0)
    return exp(-mean);
  return exp(-stirling_error(k) - deviance(k, mean)) / sqrt(2 * M_PI * k);
}

static double binomial_at(double k, double n, double p)
{
  double q = 1 - p;
  if (p == 0)
    return k == 0 ? 1 : 0;
  if (q == 0)
    return k == n ? 1 : 0;
  if (k == 0)
    return exp(n * log1p(-p));
  if (k == n)
    return exp(n * log(p));
  double log_p = stirling_error(n) - stirling_error(k) - stirling_error(n - k) -
                 deviance(k, n * p) - deviance(n - k, n * q);
  return exp(log_p) * sqrt(n / (2 * M_PI * k * (n - k)));
}

/* ------------------------------------------------------------------------- tails */

/* A tail is its first term times 1 + r1 + r1 r2 + ..., r the ratio of a term to the one before:
 * P(k - 1) / P(k) downwards, P(k + 1) / P(k) upwards. Poisson when n is 0. */
struct tail {
  double k, n, at; /* at: the mean of a Poisson, p of a binomial */
};

static double ratio_down(const struct tail *t, double k)
{
  return t->n == 0 ? k / t->at : k * (1 - t->at) / ((t->n - k + 1) * t->at);
}

static double ratio_up(const struct tail *t, double k)
{
  return t->n == 0 ? t->at / (k + 1) : (t->n - k) * t->at / ((k + 1) * (1 - t->at));
}

static double first_term(const struct tail *t)
{
  return t->n == 0 ? poisson_at(t->k, t->at) : binomial_at(t->k, t->n, t->at);
}

/* Terms shrink all along on the far side of the mean, so that the sum ends by itself. */
static double sum_tail(const struct tail *t, bool down)
{
  double term = 1, sum = 1;
  for (double k = t->k; term > 1e-17 * sum; k += down ? -1 : 1) {
    double r = down ? ratio_down(t, k) : ratio_up(t, k);
    if (!(r > 0))
      break;
    term *= r;
    sum += term;
  }
  return first_term(t) * sum;
}

/* P(X <= k) by the normal distribution with continuity correction. */
static double normal_below(double k, double mean, double sd)
{
  return 0.5 * erfc(-(k + 0.5 - mean) / sd * M_SQRT1_2);
}

double stats_poisson_below(int64_t k, double mean)
{
  double x = (double)k;
  if (k < 0)
    return 0;
  if (mean > EXACT_MEAN_MAX)
    return normal_below(x, mean, sqrt(mean));
  if (x <= mean)
    return sum_tail(&(struct tail){x, 0, mean}, true);
  return 1 - sum_tail(&(struct tail){x + 1, 0, mean}, false);
}

double stats_poisson_above(int64_t k, double mean)
{
  double x = (double)k;
  if (k <= 0)
    return 1;
  if (mean > EXACT_MEAN_MAX)
    return 1 - normal_below(x - 1, mean, sqrt(mean));
  if (x >= mean)
    return sum_tail(&(struct tail){x, 0, mean}, false);
  return 1 - sum_tail(&(struct tail){x - 1, 0, mean}, true);
}

double stats_poisson_p(int64_t observed, double expected)
{
  double below = stats_poisson_below(observed, expected);
  double above = stats_poisson_above(observed, expected);
  return fmin(1, 2 * fmin(below, above));
}

double stats_binomial_below(int64_t k, int64_t n, double p)
{
  double x = (double)k, m = (double)n;
  if (k < 0)
    return 0;
  if (k >= n)
    return 1;
  if (m * p > EXACT_MEAN_MAX)
    return normal_below(x, m * p, sqrt(m * p * (1 - p)));
  if (x <= m * p)
    return sum_tail(&(struct tail){x, m, p}, true);
  return 1 - sum_tail(&(struct tail){x + 1, m, p}, false);
}

double stats_binomial_above(int64_t k, int64_t n, double p)
{
  return stats_binomial_below(n - k, n, 1 - p);
}

/* The number closest to n p, from the side of `near`, that is no likelier than k: outcomes get
 * less likely with their distance from the mean, so bisection finds it. */
static int64_t other_end(int64_t k, int64_t n, double p)
{
  double limit = binomial_at((double)k, (double)n, p) * (1 + 1e-7);
  double mean = (double)n * p;
  bool up = (double)k < mean;
  int64_t inside = up ? (int64_t)ceil(mean) - 1 : (int64_t)floor(mean) + 1;
  int64_t outside = up ? n + 1 : -1;
  while (up ? outside - inside > 1 : inside - outside > 1) {
    int64_t middle = inside + (outside - inside) / 2;
    if (binomial_at((double)middle, (double)n, p) <= limit)
      outside = middle;
    else
      inside = middle;
  }
  return outside;
}

double stats_binomial_p(int64_t k, int64_t n, double p)
{
  double mean = (double)n * p;
  if (n <= 0 || (double)k == mean)
    return 1;
  int64_t other = other_end(k, n, p);
  double sum = (double)k < mean ? stats_binomial_below(k, n, p) + stats_binomial_above(other, n, p)
                                : stats_binomial_above(k, n, p) + stats_binomial_below(other, n, p);
  return fmin(1, sum);
}
