/* Sums that lose nothing: compensated doubles, counts checked for overflow. */
#ifndef AMCP_AGGREGATE_STATS_SUM_H
#define AMCP_AGGREGATE_STATS_SUM_H

#include <stdbool.h>
#include <stdint.h>

/* Neumaier's compensated sum: the error does not grow with the number of terms. */
struct stats_sum {
  double sum;
  double compensation;
};

void stats_sum_add(struct stats_sum *s, double x);
double stats_sum_value(const struct stats_sum *s);

/* Adds a count. False, and *total as it was, when x is negative or the sum overflows. */
bool stats_count_add(int64_t *total, int64_t x);
/* A count that travelled as a double: false unless it is a whole number from 0 to 2^53. */
bool stats_count_from_double(double x, int64_t *out);

#endif
