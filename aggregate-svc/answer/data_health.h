/* The answer of check_data_health as a pure function: what was found in, result message out. Only
 * dealers that the caller may see. */
#ifndef AMCP_AGGREGATE_DATA_HEALTH_H
#define AMCP_AGGREGATE_DATA_HEALTH_H

#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/figures/health.h"
#include "aggregate-svc/period/message.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"

struct health_answer {
  const struct cohort *cohort;
  size_t not_visible;                  /* dealers of the region that take no part */
  const struct health_dealer *dealers; /* per member */
  const bool *no_lead_event;           /* per member: none is known */
  const struct dealer_notes *notes;    /* per member */
  const struct period *period;
  int64_t now_unix_ms;
  size_t offset; /* dealers to skip */
  size_t limit;  /* dealers of the page; 0 for those that fit what a model is shown */
};

/* Everything lives in the arena or in what it was made from; the arena must have no cap. Reads time
 * zone files: not for a poller. */
Analytics__Aggregate__V1__CheckDataHealthResult *data_health(const struct health_answer *a,
                                                             struct arena *arena);

#endif
