/* Statistics over dealers: pure functions, no state, no allocation; thread-safe.
 *
 * Counts are int64 and checked for overflow; doubles are added with compensation.
 * Functions that may have no answer (no values, zero denominator) return false and
 * leave *out untouched: an unknown figure is absent, never 0. Values must be finite.
 *
 * All of the room at once; each family has its own header. */
#ifndef AMCP_AGGREGATE_STATS_H
#define AMCP_AGGREGATE_STATS_H

#include "aggregate-svc/stats/change.h"
#include "aggregate-svc/stats/distribution.h"
#include "aggregate-svc/stats/exact.h"
#include "aggregate-svc/stats/funnel.h"
#include "aggregate-svc/stats/interval.h"
#include "aggregate-svc/stats/mix.h"
#include "aggregate-svc/stats/multiple.h"
#include "aggregate-svc/stats/rank.h"
#include "aggregate-svc/stats/ratio.h"
#include "aggregate-svc/stats/robust.h"
#include "aggregate-svc/stats/round.h"
#include "aggregate-svc/stats/shrink.h"
#include "aggregate-svc/stats/sum.h"
#include "aggregate-svc/stats/trend.h"

#endif
