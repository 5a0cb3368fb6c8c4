/* Statistics over dealers: pure functions, no state, no allocation.
 *
 * Counts are int64 and checked for overflow; doubles are added with compensation.
 * Functions that may have no answer (no values, zero denominator) return false and
 * leave *out untouched: an unknown figure is absent, never 0. Values must be finite. */
#ifndef AMCP_AGGREGATE_STATS_H
#define AMCP_AGGREGATE_STATS_H

#include <stdbool.h>
#include <stddef.h>
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

/* A rate by its parts, for example lead events and sessions. Rates of several dealers
 * are combined by their parts, never by their quotients. */
struct stats_ratio {
  int64_t numerator;
  int64_t denominator;
};

/* Sum of the parts; false on overflow or a negative part. n may be 0. */
bool stats_pool(const struct stats_ratio *parts, size_t n, struct stats_ratio *out);
/* The pool without one of its parts. */
struct stats_ratio stats_leave_out(struct stats_ratio pool, struct stats_ratio part);
/* numerator / denominator; false when the denominator is not positive. */
bool stats_ratio_value(struct stats_ratio r, double *out);
/* Compares value with percent % of benchmark on the parts, without rounding: negative,
 * 0 or positive. Both denominators must be positive, parts at most 2^53. */
int stats_ratio_compare(struct stats_ratio value, struct stats_ratio benchmark, int percent);

/* Arithmetic mean. */
bool stats_mean(const double *x, size_t n, double *out);
/* Sorts ascending. */
void stats_sort(double *x, size_t n);
/* Quantile type 7 (Hyndman and Fan; the default of R and NumPy) of ascending values:
 * h = (n - 1) p, linear between the neighbours. p from 0 to 1. */
bool stats_quantile(const double *sorted, size_t n, double p, double *out);
/* Quantile at 1/2 of ascending values. */
bool stats_median(const double *sorted, size_t n, double *out);
/* Mean of the middle three values (n odd) or the middle four (n even): a typical value
 * that, unlike a quartile of few values, is not one dealer's own. n must be 4 or more. */
bool stats_middle_mean(const double *sorted, size_t n, double *out);

enum stats_order { STATS_LARGEST_FIRST, STATS_SMALLEST_FIRST };

/* Competition rank of value among x: 1 + the number that come before it; equal values
 * share a rank and the next rank is skipped (1, 2, 2, 4). value itself may be in x. */
size_t stats_rank(const double *x, size_t n, double value, enum stats_order order);
/* Mid-rank percentile: 100 (worse + equal / 2) / n over the others, where worse means
 * smaller for STATS_LARGEST_FIRST. x must not contain the value's own dealer. */
bool stats_percentile(const double *x, size_t n, double value, enum stats_order order, double *out);

/* 100 value / benchmark; false unless the benchmark is positive. */
bool stats_index(double value, double benchmark, double *out);
/* x rounded to significant decimal digits (1 to 15), half to even on the exact value. */
double stats_round_significant(double x, int digits);

#endif
