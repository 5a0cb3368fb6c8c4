/* Caveats that all answers about a dealer beside others share. */
#ifndef AMCP_AGGREGATE_DEALER_CAVEATS_H
#define AMCP_AGGREGATE_DEALER_CAVEATS_H

#include "aggregate-svc/answer/index.h"
#include "aggregate-svc/cohort/notes.h"

/* Adds sentences about dealers that are missing, benchmarks that are withheld, what counts as a
 * lead or as a shopper session, and dealers without sessions. */
void dealer_caveats(struct caveats *out, const struct benchmarked *b);

/* What is suspect in the data of visible dealers, a sentence each. */
void dealer_caveats_suspect(struct caveats *out, const struct cohort *c,
                            const struct dealer_figures *dealers);

/* The dealers that are left out as suspect, in the answer's coverage. */
void dealer_left_out(Analytics__Report__V1__Coverage *coverage, const struct cohort *c,
                     const struct dealer_figures *dealers, struct arena *arena);

/* Names in the configuration of these dealers (vehicle_overrides) whose model the catalogue does
 * not have. */
void dealer_caveats_names(struct caveats *out, const struct cohort_member *members, size_t n);

/* For answers about one dealer that count by other columns than a benchmark's figures. */

/* Whether the subject is the only dealer of the cohort; and what to do then. */
bool dealer_is_alone(const struct cohort *c);
void dealer_caveats_alone(struct caveats *out, const struct cohort *c);
/* What is shown of dealers outside the caller's view, and why nothing is, when so. */
void dealer_caveats_outside(struct caveats *out, const struct cohort *c, const struct door *door);
/* Which event counts as the subject's leads, and that some dealers count another. lead_events: per
 * member, an index into leads or LEAD_UNKNOWN. */
void dealer_caveats_leads(struct caveats *out, const struct cohort *c,
                          const struct lead_events *leads, const int *lead_events);

#endif
