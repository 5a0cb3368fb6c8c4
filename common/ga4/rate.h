/* Rates and averages of GA4, and what each is a share of or an average over. */
#ifndef AMCP_GA4_RATE_H
#define AMCP_GA4_RATE_H

#include <stdbool.h>

/* A rate of several websites is the sum of rate x weight over the sum of weights: rate x weight is
 * the number above the line, such as engaged sessions for engagementRate. */
struct ga4_rate {
  const char *weight; /* metric below the line: sessions, activeUsers, ... */
  bool users;         /* the weight counts people, who may be at several websites */
  bool money;         /* an amount: only in one currency */
  enum ga4_above {
    GA4_AMOUNT, /* seconds, money: not a count */
    GA4_PART,   /* of what is below the line: 0 to 1 */
    GA4_EVENTS, /* a count, which may exceed what is below the line */
  } above;
  signed char better; /* 1: more is better; -1: less is; 0: neither */
  /* Metric above the line where that may happen without what is below it (leads of visits that did
   * not shop): a rate of 0 over 0 hides it. The rate is scale x part / weight. NULL elsewhere. */
  const char *part;
  double scale;
};

/* By API name ("engagementRate", "sessionKeyEventRate:generate_lead"); NULL when the metric is not
 * a rate, or one whose weight is not a metric. Static. Source of the definitions:
 * https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema */
const struct ga4_rate *ga4_rate_find(const char *metric);

/* Whether the metric counts people. */
bool ga4_counts_people(const char *metric);

/* The people of a cohort in each of its rows, however many of them came: the same number in all. */
#define GA4_COHORT_TOTAL "cohortTotalUsers"
/* Whether the metric counts people of a cohort: those, or the ones who came. */
bool ga4_counts_cohort(const char *metric);

#endif
