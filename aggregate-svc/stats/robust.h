/* Locations and spreads that a single odd value does not move. */
#ifndef AMCP_AGGREGATE_STATS_ROBUST_H
#define AMCP_AGGREGATE_STATS_ROBUST_H

#include <stdbool.h>
#include <stddef.h>

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

/* Median absolute deviation from the median of ascending values. scratch holds n values. Times
 * 1.4826 it estimates a normal standard deviation. */
bool stats_mad(const double *sorted, size_t n, double *scratch, double *out);
#define STATS_MAD_TO_SD 1.4826
/* Modified z of a value: 0.6745 (x - median) / mad (Iglewicz and Hoaglin 1993, who suspect
 * beyond 3.5). False when mad is not positive. */
bool stats_modified_z(double x, double median, double mad, double *out);

#endif
