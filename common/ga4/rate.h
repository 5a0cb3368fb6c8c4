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
};

/* By API name ("engagementRate", "sessionKeyEventRate:generate_lead"); NULL when the metric is not
 * a rate, or one whose weight is not a metric. Static. Source of the definitions:
 * https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema */
const struct ga4_rate *ga4_rate_find(const char *metric);

/* Whether the metric counts people. */
bool ga4_counts_people(const char *metric);

#endif
