/* One metric of a dealer over weeks or months beside the others: a pure function.
 *
 * The others' figures of each week or month, and of each block of them, pass the disclosure on
 * their own. Intervals and words of the dealer's own change rest on its own figures; where dealers
 * are outside the caller's view, on an over-dispersion of those that are not. */
#ifndef AMCP_AGGREGATE_TRENDS_H
#define AMCP_AGGREGATE_TRENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/answer/index.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/period/grain.h"
#include "aggregate-svc/period/message.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"

/* Some days and their figures. */
struct trend_span {
  struct iso_span days;
  struct cohort_figures figures;
};

/* Weeks or months in a row; n 0: there are none. */
struct trend_block {
  struct trend_span all;           /* of all its days */
  const struct trend_span *single; /* each */
  size_t n;
};

struct trends {
  struct benchmarked of; /* the whole series; with a subject */
  const struct dealer_notes *notes;
  const struct period *period;
  int64_t now_unix_ms;
  enum metric_id metric;
  enum grain grain;
  struct trend_block series;
  struct trend_block after, before; /* the end of the series, and as many just before */
  struct trend_block year_before;   /* `after` a year before */
};

/* Weeks from which on a trend is tested. */
enum { TRENDS_MIN_WEEKS = 8 };

/* Everything lives in the arena, which must have no cap, or in the question, which must outlive it.
 * Reads time zone files: not for a poller. */
Analytics__Aggregate__V1__CompareTrendsResult *trends_make(const struct trends *t,
                                                           struct arena *arena);

/* Inside the room: the headline and caveats, from the finished result. */
char *trends_headline(const struct trends *t,
                      const Analytics__Aggregate__V1__CompareTrendsResult *r, struct arena *arena);
void trends_caveats(const struct trends *t, Analytics__Aggregate__V1__CompareTrendsResult *r,
                    const struct resolved_period *period, struct arena *arena);
/* Inside the room: "Labor Day, Thanksgiving"; "" for none. */
char *trends_holidays(struct iso_span days, struct arena *arena);

#endif
