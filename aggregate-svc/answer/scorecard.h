/* The scorecard of one dealer as a pure function: figures in, result message out.
 *
 * Every metric beside the other dealers of the cohort, the subject left out, with what its mix of
 * channels explains. Verdicts are judged together over the subject's metrics; those of dealers
 * outside the caller's view pass the disclosure (answer/index.h, answer/channel_mix.h). */
#ifndef AMCP_AGGREGATE_SCORECARD_H
#define AMCP_AGGREGATE_SCORECARD_H

#include <stdbool.h>
#include <stdint.h>

#include "aggregate-svc/answer/channel_mix.h"
#include "aggregate-svc/answer/index.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/period/message.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"

struct scorecard {
  struct benchmarked of;            /* with a subject */
  const struct dealer_notes *notes; /* per member */
  const struct period *period;
  int64_t now_unix_ms;
};

/* Everything lives in the arena, which must have no cap, or in the scorecard, which must outlive
 * it. Reads time zone files: not for a poller. */
Analytics__Aggregate__V1__BenchmarkDealerResult *scorecard_make(const struct scorecard *s,
                                                                struct arena *arena);

/* Whether a metric is among its rows. */
bool scorecard_shows(enum metric_id m);

/* Inside the room: the headline, from the finished result; indices has METRIC_COUNT places, NULL
 * for those that are not shown. */
char *scorecard_headline(const struct scorecard *s,
                         const Analytics__Aggregate__V1__BenchmarkDealerResult *r,
                         Analytics__Aggregate__V1__MetricIndex *const *indices,
                         const struct resolved_period *period, struct arena *arena);
/* Inside the room: adds the subject's channels, most sessions first. */
void scorecard_channels(const struct scorecard *s, const struct channel_mix *mix,
                        Analytics__Aggregate__V1__BenchmarkDealerResult *r, struct arena *arena);

#endif
