/* The forms in which figures of dealers outside the caller's view are shown.
 *
 * Everything is made from the released pool, never from a second look at the dealers: an index of
 * the caller's own dealer is the quotient of its exact value and the rounded pool, so that it adds
 * nothing to what the pool says. Pure, thread-safe. */
#ifndef AMCP_AGGREGATE_FORMS_H
#define AMCP_AGGREGATE_FORMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A pooled rate: 3 significant digits. */
double form_pooled(double exact);
/* 100 x own / pool as a whole number, from the pool as it is shown; false when that is 0. */
bool form_index(double own, double pooled, double *out);
/* Bounds of an interval of an index, outward to multiples of 5: an exact interval would give the
 * pool's size away. The lower bound is never below 0. */
void form_interval(double lower, double upper, double *out_lower, double *out_upper);
/* Events expected of an own dealer under the pool: 2 significant digits. */
double form_expected(double exact);

/* The pool's events as an interval may use them: rounded down to 20, 80, 320, 1,280 ..., for the
 * width of an interval gives away how many there were. The interval is never too narrow. 0 below
 * 20. */
int64_t form_events(int64_t exact);

/* What a typical dealer's value is, from the values of the outside dealers in ascending order. */
struct form_typical {
  bool quartiles;       /* below 8 dealers a quartile is one dealer's own value */
  double p25, p50, p75; /* 2 significant digits */
  bool middle;          /* 5 to 7 dealers: the mean of the middle three (or four) */
  double middle_mean;   /* 3 significant digits */
};
struct form_typical form_typical(const double *ascending, size_t n, size_t min_quantile_members,
                                 size_t min_contributors);

#endif
