/* SQL of a report over the world's tables. */
#ifndef GA4_SIM_QUERY_H
#define GA4_SIM_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "ga4-sim/report/request.h"
#include "ga4-sim/world/world.h"

/* One row per group: slice (comparison x ranges + range), d1..dn, m1..mk, in the
 * order of the answer; where a combination of dimension values may have rows of several date ranges,
 * also its number, from 1. last_day caps the ranges: there is no data of the future. */
bool query_rows(const struct report_request *r, const struct world *w, int64_t last_day,
                struct buf *sql);
/* One row per slice: slice, m1..mk over the groups that the report shows. */
bool query_totals(const struct report_request *r, const struct world *w, int64_t last_day,
                  struct buf *sql);

#endif
