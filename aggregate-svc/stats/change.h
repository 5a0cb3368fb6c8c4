/* Changes between two periods. */
#ifndef AMCP_AGGREGATE_STATS_CHANGE_H
#define AMCP_AGGREGATE_STATS_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/stats/ratio.h"

struct stats_change {
  double ratio;     /* rate after / rate before */
  double low, high; /* ratio x exp(-+ z se) */
  double se;        /* of ln ratio */
  double p;         /* two-sided, see below */
};

/* Ratio of two periods' rates (events over exposure): se^2 = phi / y1 + phi / y2. p is the exact
 * binomial one of y2 among y1 + y2 with n2 / (n1 + n2), which knows no over-dispersion: with
 * phi > 1 it is the normal one of ln ratio / se. False when a part is not positive. */
bool stats_change(struct stats_ratio before, struct stats_ratio after, double phi, double z,
                  struct stats_change *out);
/* A change relative to another's (the market's): the difference of the logarithms, variances
 * added; p is the normal one. */
struct stats_change stats_change_relative(const struct stats_change *own,
                                          const struct stats_change *market, double z);

/* A part and its whole at one dealer in two periods: views of a model, and of all models. */
struct stats_share {
  double part_before, all_before, part_after, all_after;
};
struct stats_share_change {
  double before, after; /* pooled shares, 0 to 1 */
  double change, se;    /* after - before, and its clustered standard error */
  double low, high;     /* with t of k - 1 degrees of freedom */
  double p;             /* of t = change / se; 1 when se is 0 */
  size_t up, down;      /* dealers whose own share rose or fell */
};
/* Change of a share over k dealers, each of which moves as a whole (one advertisement, one
 * truckload), so that a pooled two-proportion z would lie: linearised per dealer,
 * e = (a2 - p2 T2) / sum T2 - (a1 - p1 T1) / sum T1, se^2 = k / (k - 1) sum e^2. p_level is 0.05
 * for a 95 % interval. False when k < 2 or a period has no whole. */
bool stats_share_shift(const struct stats_share *dealers, size_t k, double p_level,
                       struct stats_share_change *out);

#endif
