/* Ranks among dealers. */
#ifndef AMCP_AGGREGATE_STATS_RANK_H
#define AMCP_AGGREGATE_STATS_RANK_H

#include <stdbool.h>
#include <stddef.h>

enum stats_order { STATS_LARGEST_FIRST, STATS_SMALLEST_FIRST };

/* Competition rank of value among x: 1 + the number that come before it; equal values
 * share a rank and the next rank is skipped (1, 2, 2, 4). value itself may be in x. */
size_t stats_rank(const double *x, size_t n, double value, enum stats_order order);
/* Mid-rank percentile: 100 (worse + equal / 2) / n over the others, where worse means
 * smaller for STATS_LARGEST_FIRST. x must not contain the value's own dealer. */
bool stats_percentile(const double *x, size_t n, double value, enum stats_order order, double *out);

#endif
