/* The normal and Student's t distribution, as far as intervals and tests need them. */
#ifndef AMCP_AGGREGATE_STATS_DISTRIBUTION_H
#define AMCP_AGGREGATE_STATS_DISTRIBUTION_H

#include <stdbool.h>
#include <stdint.h>

/* Two-sided normal limits. */
#define STATS_Z95 1.959963984540054
#define STATS_Z998 3.090232306167813

/* Probability that a normal value is at least as far from 0 as z. */
double stats_normal_p(double z);
/* The same for Student's t with df >= 1 degrees of freedom (Abramowitz and Stegun 26.7.3-4, exact
 * for whole df); beyond 10,000 the normal distribution. 1 when df < 1. */
double stats_t_p(double t, int64_t df);
/* The t that is exceeded on either side with probability p in all: p = 0.05, df = 5 gives 2.5706.
 * False unless 0 < p < 1 and df >= 1. */
bool stats_t_limit(double p, int64_t df, double *out);

#endif
