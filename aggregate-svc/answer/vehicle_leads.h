/* The answer about leads by vehicle model: a pure function, figures in, result message out. */
#ifndef AMCP_AGGREGATE_VEHICLE_LEADS_H
#define AMCP_AGGREGATE_VEHICLE_LEADS_H

#include "aggregate-svc/answer/vehicle_parts.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"

/* Below so many expected leads a model is not tested. */
#define VEHICLE_EXPECTED_MIN 5.0
/* Below so many views no signal is given. */
enum { VEHICLE_SIGNAL_VIEWS = 200 };

/* Everything lives in the arena, which must have no cap, or in the question. Reads a time zone
 * file: not for a poller. */
Analytics__Aggregate__V1__VehicleLeadConversionResult *
vehicle_leads(const struct vehicle_question *q, struct arena *arena);

#endif
