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

/* Box and Muller. */
static double normal(struct draw *d)
{
  double r = sqrt(-2 * log(draw_uniform(d)));
  return r * cos(6.283185307179586 * draw_uniform(d));
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
    if (v > 0 && log(draw_uniform(d)) < 0.5 * x * x + a - a * v + a * log(v))
      return boost * a * v;
  }
}

/* By multiplication; a large mean is the sum of two halves. */
static int64_t poisson(struct draw *d, double mean)
{
  int64_t n = 0;
  for (; mean > 30; mean -= 30)
    n += poisson(d, 30);
  double limit = exp(-mean), product = draw_uniform(d);
  for (; product > limit; n++)
    product *= draw_uniform(d);
  return n;
}

int64_t draw_events(struct draw *d, double mean, double phi)
{
  if (phi > 1)
    mean = (phi - 1) * gamma_of(d, mean / (phi - 1));
  return poisson(d, mean);
}

/* One by one while they are few, by the normal beyond. */
static int64_t binomial(struct draw *d, int64_t n, double p)
{
  double mean = (double)n * p, variance = mean * (1 - p);
  int64_t k = 0;
  if (variance > 40) {
    double x = floor(mean + sqrt(variance) * normal(d) + 0.5);
    return x < 0 ? 0 : x > (double)n ? n : (int64_t)x;
  }
  for (int64_t i = 0; i < n; i++)
    k += draw_uniform(d) < p;
  return k;
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
