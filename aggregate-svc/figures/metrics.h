/* The metrics of a dealer's website: one table, from which values, groups, benchmarks,
 * standings and headlines are made. A further metric is a row here, and a figure it counts. */
#ifndef AMCP_AGGREGATE_METRICS_H
#define AMCP_AGGREGATE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/stats/stats.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"

/* What one dealer's reports say about a period. */
struct dealer_figures {
  bool ok; /* in the figures */
  int64_t sessions;
  int64_t engaged_sessions;
  int lead_event; /* index into the lead events of the cohort, or LEAD_UNKNOWN */
  int64_t leads;  /* 0 when the event is unknown */
};

enum metric_unit {
  UNIT_COUNT,   /* a number of sessions or events */
  UNIT_SHARE,   /* part of a whole, 0 to 1: who knows it knows the rest, too */
  UNIT_PER_100, /* events per 100 sessions; may exceed 100 */
};

/* In the order of the answer. */
enum metric_id {
  METRIC_SESSIONS,
  METRIC_ENGAGED_SESSIONS,
  METRIC_ENGAGEMENT_RATE,
  METRIC_BOUNCE_RATE,
  METRIC_LEAD_EVENTS,
  METRIC_LEADS_PER_100_SESSIONS,
  METRIC_COUNT,
};

struct dealer_metric {
  const char *name;  /* in the answer */
  const char *words; /* in a sentence */
  /* Parts, as offsets of an int64 in struct dealer_figures; 0 for none. The value is
   * scale x (of - less) / per, never below 0; a count has no `per`. */
  size_t of, less, per;
  int scale;
  enum metric_unit unit;
  Analytics__Aggregate__V1__Better better;
  bool lead; /* compared only between dealers that count the same lead event */
};
extern const struct dealer_metric dealer_metrics[METRIC_COUNT];

static inline bool metric_is_rate(const struct dealer_metric *m)
{
  return m->per != 0;
}
/* A dealer's value in parts, before scaling; the denominator of a count is 1. */
struct stats_ratio metric_parts(const struct dealer_metric *m, const struct dealer_figures *f);
/* The value of parts; false without a denominator. */
bool metric_value(const struct dealer_metric *m, struct stats_ratio parts, double *out);

#endif
