/* Many tests at once. */
#ifndef AMCP_AGGREGATE_STATS_MULTIPLE_H
#define AMCP_AGGREGATE_STATS_MULTIPLE_H

#include <stddef.h>

/* Benjamini and Hochberg's step-up (1995, JRSS-B 57:289) as adjusted values: with p in ascending
 * order, q(i) = min over j >= i of p(j) M / j, at most 1. Rejecting q <= x keeps the share of
 * false rejections at x. p has M values from 0 to 1: everything the question tests, not what is
 * shown of it. q[i] belongs to p[i]; order is scratch for M places. */
void stats_benjamini_hochberg(const double *p, size_t m, double *q, size_t *order);

#endif
