/* Traffic sources of a dealer against those of the others: a pure function, rows in, result message
 * out.
 *
 * Sessions whose source is the dealer's own website, that of another dealer of the caller's or a
 * tool's are one row, "(self-referral)": they say that a visit was cut in two, not where people
 * come from. A lead rate is compared with the dealers that count the same lead event, a share with
 * all of them. Lead rates of all shown sources are judged together. Figures of dealers outside the
 * caller's view come through the door, for sources that the split of the dimension releases. */
#ifndef AMCP_AGGREGATE_TRAFFIC_H
#define AMCP_AGGREGATE_TRAFFIC_H

#include "aggregate-svc/answer/subject.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"

/* The reports, by query_id. */
enum traffic_query {
  TRAFFIC_SESSIONS = 1, /* date, channel, source, medium or campaign: sessions */
  TRAFFIC_LEADS,        /* the same and eventName: eventCount, sessions */
  TRAFFIC_HOSTS,        /* hostName: sessions */
  TRAFFIC_LOOKBACK,     /* eventName: eventCount, sessions */
  TRAFFIC_DAYS,         /* date: sessions, engagedSessions; the days before the period, too */
  TRAFFIC_QUERIES = TRAFFIC_DAYS,
};

enum traffic_by { TRAFFIC_BY_CHANNEL, TRAFFIC_BY_SOURCE_MEDIUM, TRAFFIC_BY_CAMPAIGN };

enum { TRAFFIC_ROWS_MAX = 25 }; /* sources of their own in an answer */

struct traffic_question {
  struct subject_question of; /* leads of the period are added to its dealers */
  enum traffic_by by;
};

/* Everything lives in the arena, which must have no cap, or in the question. Reads a time zone
 * file: not for a poller. */
Analytics__Aggregate__V1__CompareTrafficSourcesResult *
compare_traffic(const struct traffic_question *q, struct arena *arena);

#endif
