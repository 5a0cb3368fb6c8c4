/* Reading segments: what the readers of filters share. */
#ifndef GA4_SIM_SEGMENT_READ_H
#define GA4_SIM_SEGMENT_READ_H

#include "ga4-sim/report/segment.h"

/* Where in a request. */
struct segment_place {
  struct reader *x;
  struct segments *all;
  enum segment_scope scope; /* of the group or step */
};

/* An expression with room for n parts; NULL with the error set. */
struct segment_expression *segment_expression_new(struct segment_place *p, enum segment_join join,
                                                  size_t n);
/* A filter as a condition on an event, which becomes one bit of it; `filter` is the
 * SegmentFilterExpression that holds it. */
struct segment_expression *segment_read_filter(struct segment_place *p, const cJSON *filter);

/* Whether an event filter adds up its events over days (inAnyNDayPeriod). */
bool segment_accumulates(const cJSON *event_filter);
/* The expression of such a filter. */
const struct segment_expression *segment_read_counts(struct segment_place *p,
                                                     const cJSON *event_filter);

#endif
