/* Why a figure of a dealer moved between two periods: a pure function, rows in, result message out.
 *
 * The move is split over the values of several axes, each of which adds up to the whole move. Of a
 * rate, a value has two parts (Kitagawa): `mix`, because its share of the sessions changed, and
 * `within`, because its own rate did. Of a count it is the difference. Axes are views of the same
 * move: parts of different axes must not be added. What the market did is shown beside it. */
#ifndef AMCP_AGGREGATE_EXPLAIN_H
#define AMCP_AGGREGATE_EXPLAIN_H

#include "aggregate-svc/answer/subject.h"
#include "aggregate-svc/figures/metrics.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"

/* The reports, by query_id; all but the look-back read both periods and end with dateRange, the
 * days also the baselines of both (period_baselines()). */
enum explain_query {
  EXPLAIN_DAYS = 1,   /* date: sessions, engagedSessions */
  EXPLAIN_DAY_LEADS,  /* date, eventName: eventCount, sessions */
  EXPLAIN_LOOKBACK,   /* eventName: eventCount, sessions */
  EXPLAIN_PARTS,      /* of the subject: channel, device, city, landing page: as EXPLAIN_DAYS */
  EXPLAIN_PART_LEADS, /* of the subject: the same and eventName: eventCount, sessions */
  EXPLAIN_QUERIES = EXPLAIN_PART_LEADS,
};

/* What can be explained, as rows of the table of metrics. */
#define EXPLAIN_METRICS(row)                                                                       \
  row(METRIC_SESSIONS) row(METRIC_LEAD_EVENTS) row(METRIC_LEADS_PER_100_SESSIONS)                  \
      row(METRIC_ENGAGEMENT_RATE)

struct explain_question {
  struct subject_question of;
  enum metric_id metric;
  const struct period *before;
  int64_t left_out; /* days that were asked for and are not over */
};

/* Everything lives in the arena, which must have no cap, or in the question. Reads a time zone
 * file: not for a poller. */
Analytics__Aggregate__V1__ExplainChangeResult *explain_change(const struct explain_question *q,
                                                              struct arena *arena);

#endif
