/* What answers that compare a dealer with others have around their figures. */
#ifndef AMCP_AGGREGATE_FRAME_H
#define AMCP_AGGREGATE_FRAME_H

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/cohort/leads.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/disclosure/door.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"
#include "common/base/buf.h"

/* Which dealers were compared. */
Analytics__Aggregate__V1__Cohort *frame_cohort(const struct cohort *c, struct arena *arena);
/* What is shown of dealers outside the caller's view, and why nothing is, when so. */
void frame_outside(struct caveats *out, const struct cohort *c, const struct door *door);
/* Which event counts as the subject's leads, and that some dealers count another. lead_events: per
 * member, an index into leads or LEAD_UNKNOWN. */
void frame_leads(struct caveats *out, const struct cohort *c, const struct lead_events *leads,
                 const int *lead_events);
/* " against the other dealers of West (22 of 24 dealers), 2026-10-26 to 2026-11-22" */
void frame_put_scope(struct buf *b, const Analytics__Aggregate__V1__Cohort *cohort,
                     const Analytics__Report__V1__Coverage *coverage,
                     const Analytics__Aggregate__V1__Period *period);

#endif
