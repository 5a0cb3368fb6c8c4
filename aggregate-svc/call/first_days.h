/* From which day on dealers have data that have none in the period of a call.
 *
 * report-svc looks it up and keeps it until the property's day ends. What cannot be looked up stays
 * unknown. */
#ifndef AMCP_AGGREGATE_FIRST_DAYS_H
#define AMCP_AGGREGATE_FIRST_DAYS_H

#include "aggregate-svc/call/lookup.h"
#include "aggregate-svc/call/presence.h"
#include "aggregate-svc/cohort/cohort.h"

struct first_days_question {
  struct cohort *cohort; /* `first_day` of its members is filled in */
  const struct presence *presence;
  int64_t last; /* day of the period, since 1970-01-01: a first day after it is kept */
};
/* Of the dealers that answered with nothing in the period. */
extern const struct lookup_kind first_days_lookup;

#endif
