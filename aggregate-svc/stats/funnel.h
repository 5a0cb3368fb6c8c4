/* Who is unusual among dealers: funnel plot with over-dispersion. */
#ifndef AMCP_AGGREGATE_STATS_FUNNEL_H
#define AMCP_AGGREGATE_STATS_FUNNEL_H

#include <stdbool.h>
#include <stddef.h>

struct stats_funnel {
  double phi;       /* of the winsorised z */
  double tau2;      /* variance between dealers on the square-root scale */
  double low, high; /* winsorising limits */
};

enum { STATS_FUNNEL_MIN_DEALERS = 5 };

/* Spiegelhalter's additive model on square roots (2005, Statistics in Medicine 24:1185):
 * z = 2 (sqrt O - sqrt E), winsorised at its type-7 quantiles at 10 and 90 %;
 * phi = sum z^2 / k; tau^2 = max(0, (k phi - (k - 1)) / (sum w - sum w^2 / sum w)), w = 4 E; then
 * z_d = (sqrt(O / E) - 1) / sqrt(1 / (4 E) + tau^2). Beyond 3.09 a dealer is unusual, beyond
 * 1.96 worth watching.
 *
 * tau is at least tau_floor (an ordinary spread, 0.10 is some 20 % of the rate; 0 for none), which
 * alone counts below 5 dealers. observed and expected (all positive) have k values, z_d and
 * scratch k places. False when k is 0 or an expected count is not positive. */
bool stats_funnel(const double *observed, const double *expected, size_t k, double tau_floor,
                  double *z_d, double *scratch, struct stats_funnel *out);

/* Limits of O / E in the funnel for an expected count: (1 -+ z sqrt(1 / (4 E) + tau^2))^2, the
 * lower one at least 0. */
void stats_funnel_limits(double expected, double tau2, double z, double *low, double *high);

#endif
