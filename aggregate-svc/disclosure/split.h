/* Which values of a dimension a benchmark shows apart, decided once and then kept.
 *
 * slices.h decides on the figures of the moment. When a member is lost or late data arrive, the
 * decision could change, and a value that was part of "(other)" and then is not would be the
 * difference of two answers. So the first decision of (cohort, view, metric, dimension, period)
 * that releases anything is a release of its own: every later answer follows it, also one for which
 * the dealers outside are not asked. That nothing may be shown is kept for a day, like any refusal.
 */
#ifndef AMCP_AGGREGATE_DISCLOSURE_SPLIT_H
#define AMCP_AGGREGATE_DISCLOSURE_SPLIT_H

#include "aggregate-svc/disclosure/door.h"
#include "aggregate-svc/disclosure/slices.h"

struct split_question {
  const char *metric;            /* as of the figures: "session_share" */
  const char *dimension;         /* "sessionDefaultChannelGroup" */
  const char *const *labels;     /* of the values */
  struct slices_question slices; /* parts of the door's period */
};

/* Fills fates[n_values]. With DISCLOSURE_OPEN nobody is outside and all are released; with
 * DISCLOSURE_RESTRICTED those with SLICE_RELEASED may be asked of door_figure() as the slice
 * "DIMENSION=LABEL"; any other code says why nothing of the dimension is shown. */
enum disclosure_code split_decide(struct door *d, const struct split_question *q,
                                  enum slice_fate *fates);
/* "DIMENSION=LABEL", the door's name of a value. */
void split_slice(char *out, size_t size, const char *dimension, const char *label);

#endif
