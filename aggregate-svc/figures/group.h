/* The dealers that can be compared in one metric, their values and their pool. */
#ifndef AMCP_AGGREGATE_GROUP_H
#define AMCP_AGGREGATE_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/cohort/leads.h"
#include "aggregate-svc/figures/metrics.h"

/* The figures of a cohort. All of it must outlive what is made from it. */
struct cohort_figures {
  const struct cohort *cohort;
  const struct dealer_figures *dealers; /* per member */
  const struct lead_events *leads;
};

/* A metric over the cohort: lead metrics over the dealers that count one lead event, those of
 * shoppers over the dealers with one definition of a shopper session. */
struct metric_group {
  enum metric_id metric;
  int lead_event;      /* ignored by the other metrics */
  int shopper;         /* likewise */
  uint64_t key_events; /* signature of the frequent key events; matters to engagement */
};
/* In the place of a signature: the figures do not know it, so dealers are compared whatever their
 * key events are. */
#define GROUP_ANY_KEY_EVENTS UINT64_MAX
/* The figures of the period before, as if they were the period's; space has a place per member. */
struct cohort_figures group_before(const struct cohort_figures *c, struct dealer_figures *space);
/* The group that a member is compared in. */
struct metric_group group_of(const struct cohort_figures *c, enum metric_id metric, size_t member);
/* The group that stands for the region: the subject's, else that of most dealers. */
struct metric_group group_of_region(const struct cohort_figures *c, enum metric_id metric);

/* Whether what a metric counts is known of a member: it answered, and its site reports it. */
bool group_knows(const struct cohort_figures *c, enum metric_id metric, size_t member);
/* Whether a member has a value in the group: it answered, has a denominator, and counts the
 * group's lead event and shopper sessions. */
bool group_has(const struct cohort_figures *c, struct metric_group g, size_t member);
/* Whether it may stand in the pool of its group, too: nothing suspect speaks against it. */
bool group_counts(const struct cohort_figures *c, struct metric_group g, size_t member);
/* The member's value; false when it has none. */
bool group_value(const struct cohort_figures *c, struct metric_group g, size_t member, double *out);

/* The figures of the dealers that have a trend, of the period or (as if they were its) of the one
 * before; space has a place per member. */
struct cohort_figures group_trend(const struct cohort_figures *c, bool before,
                                  struct dealer_figures *space);

/* Over-dispersion of a rate around each dealer's own, from the days of all members: per dealer it
 * would be too noisy. 1 without daily figures. */
double group_dispersion(const struct cohort_figures *c, enum metric_id metric);

/* Whom to gather. */
enum group_scope {
  GROUP_ALL,
  GROUP_OUTSIDE, /* members the caller may not see */
  GROUP_VISIBLE, /* those it may see */
};

/* Values of a group and its pool. Release with group_free(). */
struct group_values {
  double *values;
  size_t n;
  struct stats_ratio pool; /* sum of the parts */
  bool pooled;             /* false when the sum overflowed */
};
/* left_out (-1 for none) is in neither the values nor the pool, nor are suspect dealers. */
struct group_values group_gather(const struct cohort_figures *c, struct metric_group g,
                                 long left_out, enum group_scope scope);
void group_free(struct group_values *v);
/* Sum of a count over its group, without suspect dealers; false when nobody has one or it
 * overflows. */
bool group_count(const struct cohort_figures *c, struct metric_group g, int64_t *out);

/* The frequent key events that most of these dealers have (of equals the smaller signature); 0
 * when there are none. */
uint64_t group_usual_key_events(const struct cohort_figures *c, enum group_scope scope);

/* The lead event of the region: the subject's, else the one most dealers count (then the one
 * with more sessions); LEAD_UNKNOWN when no dealer has one. An event that only dealers outside
 * the caller's view configured is left out: its name may identify them. */
int group_lead_event(const struct cohort_figures *c);

#endif
