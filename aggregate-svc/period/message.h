/* The period of an answer: days resolved in the first property's time zone. */
#ifndef AMCP_AGGREGATE_PERIOD_MESSAGE_H
#define AMCP_AGGREGATE_PERIOD_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/period/period.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"

struct resolved_period {
  struct period_days days;
  const char *zone; /* "" when no report named one */
  bool zone_known;  /* this system knows the zone; else the days are UTC's */
};

/* Fills *out and makes the message. Reads a time zone file: not for a poller. */
Analytics__Aggregate__V1__Period *period_message(const struct period *p,
                                                 const struct cohort *cohort,
                                                 const struct dealer_notes *notes,
                                                 int64_t now_unix_ms, struct arena *arena,
                                                 struct resolved_period *out);
/* Says that the time zones of the properties differ, where they do. */
void period_caveat_zones(struct caveats *c, const Analytics__Aggregate__V1__Period *message);
/* Caveats about fresh days, an unknown zone, zones that differ. */
void period_caveats(struct caveats *c, const struct period *p,
                    const Analytics__Aggregate__V1__Period *message,
                    const struct resolved_period *resolved);

#endif
