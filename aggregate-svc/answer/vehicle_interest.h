/* The answer about interest in vehicle models: a pure function, figures in, result message out. */
#ifndef AMCP_AGGREGATE_VEHICLE_INTEREST_H
#define AMCP_AGGREGATE_VEHICLE_INTEREST_H

#include "aggregate-svc/answer/vehicle_parts.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"

/* Everything lives in the arena, which must have no cap, or in the question. Reads a time zone
 * file: not for a poller. */
Analytics__Aggregate__V1__AnalyzeVehicleInterestResult *
vehicle_interest(const struct vehicle_question *q, struct arena *arena);

/* Inside the room: headline, coverage, period and caveats of the result, whose figures are there.
 */
void vehicle_interest_words(const struct vehicle_question *q, struct vehicle_matching matching,
                            Analytics__Aggregate__V1__AnalyzeVehicleInterestResult *r,
                            struct arena *arena);

#endif
