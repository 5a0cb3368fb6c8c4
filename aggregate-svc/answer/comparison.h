/* The comparison of dealers as a pure function: figures in, result message out.
 *
 * Rates are pooled from their parts (sum / sum). A benchmark leaves the dealer itself out.
 * When the cohort holds dealers that the caller may not see, every figure that rests on
 * them passes the disclosure policy and is shown in its restricted form.
 *
 * A question about a subject judges that dealer's cells only; one without judges those of every
 * dealer that is shown. `everyone` adds the index rows of the other dealers and no verdict.
 *
 * The dealers come in pages, with the subject first; verdicts, averages, headline and the subject's
 * index are the same on each. */
#ifndef AMCP_AGGREGATE_COMPARISON_H
#define AMCP_AGGREGATE_COMPARISON_H

#include <stdint.h>

#include "aggregate-svc/answer/index.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/period/message.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"

struct comparison {
  struct benchmarked of;
  const struct dealer_notes *notes; /* per member */
  const struct period *period;
  int64_t now_unix_ms;
  bool everyone; /* index rows of all dealers that are shown */
  size_t offset; /* dealers to skip */
  size_t limit;  /* dealers of the page; 0 for those that fit what a model is shown */
};

/* Computes the answer. Everything lives in the arena or in the comparison, which must
 * outlive it; the arena must not have a cap below 16 MiB. Needs at least one dealer in the
 * figures. Reads time zone files: not for a poller. */
Analytics__Aggregate__V1__CompareDealerSessionsResult *compare_dealers(const struct comparison *c,
                                                                       struct arena *arena);

/* Inside the room: the index of the subject; NULL when it has none. */
const Analytics__Aggregate__V1__DealerIndex *
comparison_index_of_subject(const struct comparison *c,
                            const Analytics__Aggregate__V1__CompareDealerSessionsResult *r);
/* Inside the room: the sentence that answers the question, from the finished result. */
char *comparison_headline(const struct comparison *c,
                          const Analytics__Aggregate__V1__CompareDealerSessionsResult *r,
                          const struct resolved_period *period, struct arena *arena);
/* Inside the room: the caveats, from the finished result. */
void comparison_caveats(const struct comparison *c,
                        Analytics__Aggregate__V1__CompareDealerSessionsResult *r,
                        const struct resolved_period *period, struct arena *arena);

#endif
