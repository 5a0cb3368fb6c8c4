/* Which GA4 metrics may be added over dealers, and which rows of a report overlap. */
#ifndef AMCP_GA4_ADDITIVE_H
#define AMCP_GA4_ADDITIVE_H

#include <stdbool.h>

enum additive {
  ADDITIVE_NO,       /* rates, averages, users, and every metric not listed */
  ADDITIVE_YES,      /* counts and durations: the sum over properties means something */
  ADDITIVE_CURRENCY, /* money: only when all properties report in one currency */
};

/* By API name ("sessions", "keyEvents:generate_lead"). People are the same people on
 * several sites, so no kind of user is additive, newUsers included. */
enum additive additive_kind(const char *metric);

/* Whether an additive metric is a count of things, not of seconds or money. */
bool additive_counts(const char *metric);

/* Whether the metric counts sessions, which appear in several rows under a dimension for
 * which dimension_splits_sessions() holds (one session has many events, pages, hours). */
bool metric_counts_sessions(const char *metric);
bool dimension_splits_sessions(const char *dimension);

#endif
