/* Which side of a benchmark a dealer is on. */
#ifndef AMCP_AGGREGATE_STANDING_H
#define AMCP_AGGREGATE_STANDING_H

#include <stdbool.h>

#include "aggregate-svc/figures/metrics.h"

/* The standing of a rate by the exact parts of the dealer and of the others' pool, both with a
 * positive denominator. TOO_LITTLE_DATA when the dealer's own and expected events are below 10
 * or the others have fewer than 20; CONTEXT_ONLY for metrics without a better side. */
Analytics__Aggregate__V1__Standing
standing_of_parts(const struct dealer_metric *m, struct stats_ratio own, struct stats_ratio others);
/* The same where only a rounded index is shown: the word agrees with the index. */
Analytics__Aggregate__V1__Standing standing_of_index(const struct dealer_metric *m,
                                                     struct stats_ratio own,
                                                     struct stats_ratio others, double index);
/* The standing without a benchmark. */
Analytics__Aggregate__V1__Standing standing_unknown(const struct dealer_metric *m);

#endif
