/* A figure of the others by the values of one dimension, for answers that count rows: their lead
 * rate in each value, or the value's share of their sessions. Of dealers outside the caller's view
 * it comes through the door, value by value, where the split of the dimension lets it. */
#ifndef AMCP_AGGREGATE_SLICED_H
#define AMCP_AGGREGATE_SLICED_H

#include "aggregate-svc/answer/subject.h"
#include "aggregate-svc/disclosure/split.h"
#include "aggregate-svc/figures/breakdown.h"

struct sliced {
  const struct subject_question *q;
  const struct breakdown *parts; /* leads / sessions per value and member */
  /* The same in each week or month that the door looks at, base x value x member; NULL where it has
   * none. */
  const struct stats_ratio *bases;
  const char *metric, *dimension; /* as the door keeps them */
  const int *lead_events;         /* per member; NULL: shares of the sessions */
  bool lead_sessions;             /* leads are sessions with one: so is what is left */
  double scale, dispersion;
};

/* Which values the benchmark shows apart; as split_decide(). */
enum disclosure_code sliced_split(const struct sliced *s, enum slice_fate *fates);
/* The outside dealers in one value, by what the split says of it. Free *out with
 * door_figure_free(). */
void sliced_release(const struct sliced *s, size_t value, enum disclosure_code split,
                    enum slice_fate fate, struct door_figure *out);

#endif
