/* Intervals of one rate or one count. */
#ifndef AMCP_AGGREGATE_STATS_INTERVAL_H
#define AMCP_AGGREGATE_STATS_INTERVAL_H

#include <stdbool.h>
#include <stdint.h>

struct stats_interval {
  double low, high;
};

/* Wilson's score interval of a proportion k / n (Wilson 1927, JASA 22:209): for sessions with a
 * lead. False unless n > 0 and 0 <= k <= n. */
bool stats_wilson(int64_t k, int64_t n, double z, struct stats_interval *out);
/* Byar's approximation of the exact interval of a Poisson count (Rothman, Modern Epidemiology):
 * for lead events, and over an expected count for O / E. Within 2 % of the exact one from 4
 * events on; the lower end of 0 events is 0. False for a negative count. */
bool stats_byar(int64_t count, double z, struct stats_interval *out);

#endif
