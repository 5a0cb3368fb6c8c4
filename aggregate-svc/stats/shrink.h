/* Rates of small dealers drawn towards the pool, for ranking. */
#ifndef AMCP_AGGREGATE_STATS_SHRINK_H
#define AMCP_AGGREGATE_STATS_SHRINK_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/stats/ratio.h"

struct stats_shrinkage {
  double mean;     /* m: the pooled rate */
  double variance; /* A: of the true rates between dealers, 0 or more */
};

/* Gamma-Poisson shrinkage by moments (Marshall 1991, Applied Statistics 40:283): with
 * s2 = sum n (r - m)^2 / sum n and A = max(0, s2 - m / mean n), each rate becomes
 * m + C (r - m), C = A / (A + m / n). A dealer without sessions gets m. Rank by the shrunk rate,
 * print the own one. rates has n places. False on overflow or when all denominators are 0. */
bool stats_shrink(const struct stats_ratio *parts, size_t n, double *rates,
                  struct stats_shrinkage *out);
/* (O + prior) / (E + prior): a ratio of observed to expected that few events do not blow up.
 * prior is 5 for landing pages. expected + prior must be positive. */
double stats_shrunk_ratio(double observed, double expected, double prior);

#endif
