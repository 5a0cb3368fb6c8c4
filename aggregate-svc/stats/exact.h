/* Exact probabilities of counts: Poisson and binomial.
 *
 * Probabilities of one value come from Loader's saddle-point form (C. Loader, Fast and Accurate
 * Computation of Binomial Probabilities, 2000), which loses no digits at large counts; tails are
 * sums from their largest term outwards. A tail of mean m takes some 10 sqrt(m) steps; beyond a
 * mean of 1e9 the normal approximation is used, whose error there is below 1e-5. */
#ifndef AMCP_AGGREGATE_STATS_EXACT_H
#define AMCP_AGGREGATE_STATS_EXACT_H

#include <stdint.h>

/* P(X <= k) and P(X >= k) for X of a Poisson distribution with the mean (0 or more). */
double stats_poisson_below(int64_t k, double mean);
double stats_poisson_above(int64_t k, double mean);
/* Two-sided p of an observed count against an expected one: twice the smaller tail, at most 1.
 * Conservative for small counts. */
double stats_poisson_p(int64_t observed, double expected);

/* P(X <= k) and P(X >= k) for X successes of n trials with probability p. */
double stats_binomial_below(int64_t k, int64_t n, double p);
double stats_binomial_above(int64_t k, int64_t n, double p);
/* Two-sided p of k successes: the probability of all outcomes that are no likelier than k (as R's
 * binom.test and SciPy's binomtest have it). 1 when n is 0. */
double stats_binomial_p(int64_t k, int64_t n, double p);

#endif
