/* Samplers. */
#include "tests/truth/null/draw.h"

#include <math.h>

double draw_uniform(struct draw *d)
{
  uint64_t z = d->state += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  z ^= z >> 31;
  return ((double)(z >> 11) + 0.5) / 9007199254740992.0;
}

/* Box and Muller, who make two at a time. */
static double normal(struct draw *d)
{
  d->has_normal = !d->has_normal;
  if (!d->has_normal)
    return d->normal;
  double r = sqrt(-2 * log(draw_uniform(d))), angle = 6.283185307179586 * draw_uniform(d);
  d->normal = r * sin(angle);
  return r * cos(angle);
}

/* Marsaglia and Tsang 2000; below shape 1 by the usual boost. */
static double gamma_of(struct draw *d, double shape)
{
  double boost = 1;
  if (shape < 1) {
    boost = pow(draw_uniform(d), 1 / shape);
    shape += 1;
  }
  double a = shape - 1.0 / 3, c = 1 / sqrt(9 * a);
  for (;;) {
    double x = normal(d), v = 1 + c * x;
    v = v * v * v;
    if (v <= 0)
      continue;
    double u =
        draw_uniform(d); /* the first bound, which spares the logarithms, is theirs as well */
    if (u < 1 - 0.0331 * x * x * x * x || log(u) < 0.5 * x * x + a - a * v + a * log(v))
      return boost * a * v;
  }
}

/* By inversion from the most likely count outwards, which takes about two standard deviations of
 * steps. chance: of the count `mode`; that of k + 1 is (a - b k) / (k + 1) times that of k, as both
 * Poisson's and the binomial distribution have it. */
static int64_t outwards(double u, int64_t mode, double chance, double a, double b)
{
  int64_t high = mode, low = mode;
  double up = chance, down = chance;
  u -= chance;
  while (u > 0 && up + down > 1e-18) { /* what is left then is rounding */
    up *= (a - b * (double)high) / (double)(high + 1);
    high++;
    if ((u -= up) <= 0)
      return high;
    down *= (double)low / (a - b * (double)(low - 1)); /* 0 below none */
    low--;
    if ((u -= down) <= 0)
      return low;
  }
  return mode;
}

static double log_factorial(int64_t n)
{
  enum { KNOWN = 512 };
  static double known[KNOWN];
  static int64_t n_known = 1; /* 0! */
  if (n >= KNOWN) {
    int sign;
    return lgamma_r((double)n + 1, &sign);
  }
  for (; n_known <= n; n_known++)
    known[n_known] = known[n_known - 1] + log((double)n_known);
  return known[n];
}

static int64_t poisson(struct draw *d, double mean)
{
  if (mean <= 0)
    return 0;
  int64_t mode = (int64_t)mean;
  double chance = exp((double)mode * log(mean) - mean - log_factorial(mode));
  return outwards(draw_uniform(d), mode, chance, mean, 0);
}

int64_t draw_events(struct draw *d, double mean, double phi)
{
  if (phi > 1)
    mean = (phi - 1) * gamma_of(d, mean / (phi - 1));
  return poisson(d, mean);
}

/* By inversion while they are few, by the normal beyond. */
static int64_t binomial(struct draw *d, int64_t n, double p)
{
  double mean = (double)n * p, variance = mean * (1 - p);
  if (variance > 40) {
    double x = floor(mean + sqrt(variance) * normal(d) + 0.5);
    return x < 0 ? 0 : x > (double)n ? n : (int64_t)x;
  }
  if (p <= 0 || p >= 1)
    return p <= 0 ? 0 : n;
  int64_t mode = (int64_t)(((double)n + 1) * p);
  if (mode > n)
    mode = n;
  double ways = log_factorial(n) - log_factorial(mode) - log_factorial(n - mode);
  double chance = exp(ways + (double)mode * log(p) + (double)(n - mode) * log1p(-p));
  double odds = p / (1 - p);
  int64_t k = outwards(draw_uniform(d), mode, chance, (double)n * odds, odds);
  return k < n ? k : n;
}

int64_t draw_share(struct draw *d, int64_t n, double p, double phi)
{
  if (phi > 1 && (double)n > phi) {
    /* 1 + (n - 1) rho = phi, rho = 1 / (a + b + 1) */
    double size = ((double)n - 1) / (phi - 1) - 1;
    double a = gamma_of(d, p * size), b = gamma_of(d, (1 - p) * size);
    p = a + b > 0 ? a / (a + b) : p;
  }
  return binomial(d, n, p);
}
