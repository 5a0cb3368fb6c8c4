/* Landing pages of a dealer against what their kind of page and their channels predict: a pure
 * function, rows in, result message out.
 *
 * Expected lead sessions of a page: over channels, its sessions times the lead rate of the page
 * type in that channel (indirect standardisation, stats/mix; a cell with few sessions or leads
 * takes the type's rate over all channels). The rates are the dealer's own, or the other dealers',
 * pooled. Of dealers outside the caller's view a rate by page type alone is released, because a
 * benchmark is sliced by one dimension at a time. Pages of different types are never compared. */
#ifndef AMCP_AGGREGATE_PAGES_H
#define AMCP_AGGREGATE_PAGES_H

#include "aggregate-svc/answer/subject.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"

/* The reports, by query_id. */
enum pages_query {
  PAGES_SESSIONS = 1, /* landingPage, channel (or week, see pages_by_week()): sessions */
  PAGES_LEADS,        /* the same and eventName: sessions with the event */
  PAGES_LOOKBACK,     /* eventName: eventCount, sessions */
  PAGES_DAYS,         /* date: sessions, engagedSessions; the days before the period, too */
  PAGES_QUERIES = PAGES_DAYS,
};

enum { PAGES_ROWS_MAX = 25 };

struct pages_question {
  struct subject_question of; /* its cohort is the subject alone when expectations are its own */
  bool from_region;
};

/* Whether the reports of the other dealers, not the subject's, are read by weeks or months of the
 * door (lattice_dimension()) in the place of the channel. */
bool pages_by_week(const struct door *d, bool from_region);

/* Everything lives in the arena, which must have no cap, or in the question. Reads a time zone
 * file: not for a poller. */
Analytics__Aggregate__V1__CompareLandingPagesResult *compare_pages(const struct pages_question *q,
                                                                   struct arena *arena);

#endif
