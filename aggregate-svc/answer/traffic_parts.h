/* The counts behind an answer about traffic sources. Inside the room. */
#ifndef AMCP_AGGREGATE_TRAFFIC_PARTS_H
#define AMCP_AGGREGATE_TRAFFIC_PARTS_H

#include "aggregate-svc/answer/traffic.h"
#include "aggregate-svc/disclosure/outside.h"
#include "aggregate-svc/figures/breakdown.h"

extern const char traffic_self[]; /* "(self-referral)" */

struct traffic_parts {
  struct breakdown by_source;
  int *lead_events; /* per member */
  int64_t *own;     /* lead events of the subject, per source */
  /* Parts of the dealers outside in each week or month that the door looks at: base x source x
   * member; NULL where it has none. */
  struct stats_ratio *bases;
  double phi; /* over-dispersion of leads per session around each dealer's source */
};

/* GA4's dimension that the rows of an answer are of. */
const char *traffic_dimension(enum traffic_by by);
/* Adds the rows up. Free with breakdown_free(&by_source). */
void traffic_parts_make(struct traffic_parts *out, const struct traffic_question *q,
                        struct arena *arena);
/* Frame, headline and caveats of the result, whose rows are there; `folded` sources are in
 * "(other)". */
void traffic_words(const struct traffic_question *q, const struct outside_view *shown,
                   const struct traffic_parts *p, size_t folded,
                   Analytics__Aggregate__V1__CompareTrafficSourcesResult *r, struct arena *arena);

#endif
