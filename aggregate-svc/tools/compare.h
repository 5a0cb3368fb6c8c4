/* The comparison of dealers as a pure function: figures in, result message out.
 *
 * Rates are pooled from their parts (sum / sum). A benchmark leaves the dealer itself out.
 * When the cohort holds dealers that the caller may not see, every figure that rests on
 * them passes disclosure_allowed() and is told in its restricted form. */
#ifndef AMCP_AGGREGATE_COMPARE_H
#define AMCP_AGGREGATE_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/disclosure/disclosure.h"
#include "aggregate-svc/cohort/leads.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/period/message.h"
#include "aggregate-svc/stats/stats.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"

/* What one dealer's reports say. */
struct dealer_figures {
  bool ok; /* in the figures */
  int64_t sessions;
  int64_t engaged_sessions;
  int lead_event; /* index into lead events, or LEAD_UNKNOWN */
  int64_t leads;  /* 0 when the event is unknown */
};

enum compare_metric {
  METRIC_SESSIONS,
  METRIC_ENGAGED_SESSIONS,
  METRIC_ENGAGEMENT_RATE,
  METRIC_BOUNCE_RATE,
  METRIC_LEAD_EVENTS,
  METRIC_LEADS_PER_100_SESSIONS,
  METRIC_COUNT,
};

struct comparison {
  const struct cohort *cohort;
  const struct dealer_figures *figures; /* per member */
  const struct dealer_notes *notes;     /* per member */
  const struct lead_events *leads;
  const struct period *period;
  int64_t now_unix_ms;
  struct disclosure_policy policy;
};

/* Computes the answer. Everything lives in the arena or in the comparison, which must
 * outlive it; the arena must not have a cap below 16 MiB. Needs at least one dealer in the
 * figures. Reads a time zone file: not for a poller. */
Analytics__Aggregate__V1__CompareDealerSessionsResult *compare_dealers(const struct comparison *c,
                                                                       struct arena *arena);

/* ----------------------------------------------------- parts, for the other files */

struct metric_info {
  const char *name;
  Analytics__Aggregate__V1__Better better;
  bool rate; /* numerator / sessions; otherwise a count */
  bool lead; /* compared only between dealers with the same lead event */
  int scale; /* 100 for "per 100" */
};
extern const struct metric_info compare_metrics[METRIC_COUNT];

/* The lead event of the region: the subject's, else the one most dealers count (then the
 * one with more sessions); LEAD_UNKNOWN when no dealer has one. An event that only dealers
 * outside the caller's view configured is none: its name may tell whose it is. */
int compare_region_lead_event(const struct comparison *c);

/* The dealers that can be compared in a metric: lead metrics by lead event. */
struct metric_group {
  enum compare_metric metric;
  int lead_event; /* ignored by the other metrics */
};
bool compare_in_group(const struct comparison *c, struct metric_group g, size_t member);
/* Parts of a dealer's value: counts have denominator 1. */
struct stats_ratio compare_parts(enum compare_metric m, const struct dealer_figures *f);
/* The dealer's value; false when it has none (no sessions, unknown lead event). */
bool compare_value(const struct comparison *c, struct metric_group g, size_t member, double *out);
/* Decides about a figure of a group. left_out is the compared dealer or -1. */
enum disclosure_code compare_disclosure(const struct comparison *c, struct metric_group g,
                                        enum disclosure_form form, long left_out);

/* The index of one dealer in one metric. */
Analytics__Aggregate__V1__MetricIndex *compare_index(const struct comparison *c,
                                                     enum compare_metric m, size_t member,
                                                     struct arena *arena);
/* One metric over the cohort. */
Analytics__Aggregate__V1__MetricAverage *
compare_average(const struct comparison *c, struct metric_group g, struct arena *arena);

/* The sentence that answers the question, from the finished result. */
char *compare_headline(const struct comparison *c,
                       const Analytics__Aggregate__V1__CompareDealerSessionsResult *r,
                       struct arena *arena);
/* The caveats, from the finished result. */
void compare_caveats(const struct comparison *c,
                     Analytics__Aggregate__V1__CompareDealerSessionsResult *r,
                     const struct resolved_period *period, struct arena *arena);

#endif
