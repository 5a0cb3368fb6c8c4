/* Random counts from a seed: what days of a website look like when nothing differs. Shares no code
 * with the product. */
#ifndef AMCP_TESTS_TRUTH_DRAW_H
#define AMCP_TESTS_TRUTH_DRAW_H

#include <stdbool.h>
#include <stdint.h>

struct draw {
  uint64_t state; /* splitmix64 */
  double normal;  /* drawn beside the last one, when has_normal */
  bool has_normal;
};

double draw_uniform(struct draw *d); /* above 0, below 1 */
/* A count with this mean and variance phi x mean (phi >= 1): Poisson, or gamma-Poisson. */
int64_t draw_events(struct draw *d, double mean, double phi);
/* Of n, each with chance p, with variance phi n p (1 - p): binomial, or beta-binomial. */
int64_t draw_share(struct draw *d, int64_t n, double p, double phi);

#endif
