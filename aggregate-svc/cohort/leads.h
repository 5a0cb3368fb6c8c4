/* Which event counts as a lead on a dealer's site.
 *
 * A dealer's configured event counts, 0 when it did not happen. Without one, the first of
 * asc_form_submission, generate_lead and form_submit that happened in the period counts;
 * when none did, the number of leads is unknown, which is not 0: the site may report leads
 * under another name. Events that vendors fire in addition (asc_form_submission_sales,
 * ...) are never added. */
#ifndef AMCP_AGGREGATE_LEADS_H
#define AMCP_AGGREGATE_LEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "common/base/arena.h"

enum { LEAD_DEFAULTS = 3, LEAD_UNKNOWN = -1 };

/* Names of all events that may count in a cohort: the defaults first, in their order,
 * then the configured ones. */
struct lead_events {
  char **names;
  size_t n;
};

/* Collects them; names point into the cohort. False when the arena is full. */
bool lead_events_collect(struct lead_events *out, const struct cohort *cohort, struct arena *arena);
/* Index of a name; LEAD_UNKNOWN when it is none of them. Letter case matters. */
int lead_events_find(const struct lead_events *l, const char *name);
/* Which event counts for a dealer, by its configured event ("" for none) and the counts
 * of the period in the order of the names; LEAD_UNKNOWN when none does. */
int lead_event_of(const struct lead_events *l, const char *configured, const int64_t *counts);

#endif
