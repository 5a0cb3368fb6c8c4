/* What counts as a lead on the websites of a call: rows of dealers that share it. */
#ifndef AMCP_AGGREGATE_LEAD_LIST_H
#define AMCP_AGGREGATE_LEAD_LIST_H

#include <stdbool.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/cohort/leads.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"

enum { LEAD_LIST_ROWS = 12 }; /* most rows; the dealers of the others are counted in a caveat */

/* Of one website. */
struct lead_site {
  int event; /* index into the lead events, LEAD_UNKNOWN when none is known */
  bool configured;
  unsigned contacts; /* other kinds that fired: bits of enum lead_kind */
  bool told_apart;   /* chats from texts */
};

/* Fills in rows, coverage and caveats. sites[i] belongs to member i of a cohort whose members the
 * caller may all see; those that are not DEALER_OK are named as missing. name_bytes: room for all
 * names, which the rows of fewest dealers have first. `without` says why no dealer could be asked,
 * or has the code ERR_OK. The arena has no cap. */
void lead_list(Analytics__Aggregate__V1__ListMetricsResponse *out, const struct cohort *c,
               const struct lead_events *leads, const struct lead_site *sites, size_t name_bytes,
               const struct err *without, struct arena *arena);

#endif
