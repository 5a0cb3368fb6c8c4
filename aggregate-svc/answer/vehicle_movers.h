/* The answer about rising and falling models: a pure function, figures in, result message out. */
#ifndef AMCP_AGGREGATE_VEHICLE_MOVERS_H
#define AMCP_AGGREGATE_VEHICLE_MOVERS_H

#include "aggregate-svc/answer/vehicle_parts.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"

enum {
  MOVERS_WEEKS = 8,       /* that are read */
  MOVERS_VIEWS_MIN = 200, /* of a model in each period */
  MOVERS_DEALERS_MIN = 5, /* with views of it in both */
};
/* The first and the last 4 of the 8 weeks: each is looked at for what is suspect. */
void vehicle_movers_halves(int64_t monday, struct period *early, struct period *late);

/* The question's period are the 8 weeks; its first day is `monday` (days since 1970-01-01).
 * Everything lives in the arena, which must have no cap, or in the question. Reads a time zone
 * file: not for a poller. */
Analytics__Aggregate__V1__VehicleMoversResult *vehicle_movers(const struct vehicle_question *q,
                                                              int64_t monday, struct arena *arena);

#endif
