/* Rates by their parts: pooled, and with an interval.
 *
 * Rates of several dealers are combined by their parts, never by their quotients. */
#ifndef AMCP_AGGREGATE_STATS_RATIO_H
#define AMCP_AGGREGATE_STATS_RATIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For example lead events and sessions. */
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

/* 100 value / benchmark; false unless the benchmark is positive. */
bool stats_index(double value, double benchmark, double *out);

/* How the count of a rate varies. */
enum stats_model {
  STATS_POISSON,  /* events per session: Var(ln r) = phi / y */
  STATS_BINOMIAL, /* sessions with an event per session: Var(ln r) = phi (1 - r) / y */
};

struct stats_index_interval {
  double index;     /* 100 r / B */
  double low, high; /* 100 r / B x exp(-+ z se) */
  double se;        /* of ln(r / B) */
  double p;         /* two-sided, from the same se, of "the two rates are equal" */
};

/* Interval of the index of a dealer (y of n) against others that do not hold it (Y of N): the
 * delta method on the logarithm, ln I = ln r - ln B, whose variances add because the two are
 * independent. It covers sampling only: "different from these peers in this period". phi and
 * phi_others (1 or more) are the over-dispersions; z is STATS_Z95 for 95 %. False when y, n, Y
 * or N is not positive (for y = 0 use stats_byar() over the expected count), or for
 * STATS_BINOMIAL when y > n or Y > N. */
bool stats_index_interval(struct stats_ratio own, struct stats_ratio others, enum stats_model model,
                          double phi, double phi_others, double z,
                          struct stats_index_interval *out);

/* Over-dispersion of counts around a rate, from daily rows, pooled over dealers: add each
 * dealer's days, then take phi. Start with zeros. */
struct stats_dispersion {
  double pearson; /* sum of (y - r n)^2 over the variance of y, r each dealer's own rate */
  int64_t df;     /* sum of days - 1 */
};
/* Adds one dealer's days; the variance of a day is r n (STATS_POISSON) or r n (1 - r)
 * (STATS_BINOMIAL). Days without sessions do not count, nor does a dealer with fewer than two
 * other days, without any event, or (STATS_BINOMIAL) with nothing but events: it says nothing
 * about variation. */
void stats_dispersion_add(struct stats_dispersion *d, const struct stats_ratio *days, size_t n,
                          enum stats_model model);
/* max(1, pearson / df); 1 without degrees of freedom. */
double stats_dispersion_phi(const struct stats_dispersion *d);

/* A ratio of sums over units that vary as a whole (days of a dealer, dealers of a region), by
 * linearisation (Cochran, Sampling Techniques, ch. 6): R = sum x / sum n and
 * se^2 = k / (k - 1) sum (x - R n)^2 / (sum n)^2. For a mean whose single values are not known
 * (duration per session), or when the units are a sample ("dealers like these"). Its interval
 * is R -+ t(k - 1) se. False when k < 2 or sum n is not positive. */
struct stats_clustered {
  double value, se;
  int64_t df; /* k - 1 */
};
bool stats_clustered_ratio(const double *x, const double *n, size_t k, struct stats_clustered *out);

#endif
