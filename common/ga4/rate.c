/* The table of rates. */
#include "common/ga4/rate.h"

#include <stddef.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/ga4/own.h"

/* What our own rates are pooled by. Those per 100 are not counts once they are times the weight. */
static const struct ga4_rate of_sessions = {"sessions", false, false, GA4_PART, 1, NULL, 0},
                             per_sessions = {"sessions", false, false, GA4_AMOUNT, 0, NULL, 0};
#define PER_SHOPPERS(part)                                                                         \
  {                                                                                                \
    "shopper_sessions", false, false, GA4_AMOUNT, 0, part, 100                                     \
  }
static const struct ga4_rate per_shoppers[OWN_PARTS] = {
    [OWN_LEADS] = PER_SHOPPERS("leads"),
    [OWN_FORMS] = PER_SHOPPERS("forms"),
    [OWN_CALLS] = PER_SHOPPERS("calls"),
    [OWN_CHATS] = PER_SHOPPERS("chats"),
    [OWN_APPOINTMENTS] = PER_SHOPPERS("appointments"),
};

static const struct {
  const char *name;
  struct ga4_rate rate;
} rates[] = {
    {"averagePurchaseRevenue", {"transactions", false, true, GA4_AMOUNT, 0, NULL, 0}},
    {"averagePurchaseRevenuePerUser", {"activeUsers", true, true, GA4_AMOUNT, 0, NULL, 0}},
    {"averageRevenuePerUser", {"activeUsers", true, true, GA4_AMOUNT, 0, NULL, 0}},
    {"averageSessionDuration", {"sessions", false, false, GA4_AMOUNT, 0, NULL, 0}},
    {"advertiserAdCostPerClick", {"advertiserAdClicks", false, true, GA4_AMOUNT, 0, NULL, 0}},
    {"bounceRate", {"sessions", false, false, GA4_PART, -1, NULL, 0}},
    {"engagementRate", {"sessions", false, false, GA4_PART, 1, NULL, 0}},
    {"eventCountPerUser", {"activeUsers", true, false, GA4_EVENTS, 0, "eventCount", 1}},
    {"eventsPerSession", {"sessions", false, false, GA4_EVENTS, 0, NULL, 0}},
    {"organicGoogleSearchClickThroughRate",
     {"organicGoogleSearchImpressions", false, false, GA4_PART, 1, NULL, 0}},
    {"screenPageViewsPerSession", {"sessions", false, false, GA4_EVENTS, 0, NULL, 0}},
    {"screenPageViewsPerUser", {"activeUsers", true, false, GA4_EVENTS, 0, "screenPageViews", 1}},
    {"sessionConversionRate", {"sessions", false, false, GA4_PART, 1, NULL, 0}},
    {"sessionKeyEventRate", {"sessions", false, false, GA4_PART, 1, NULL, 0}},
    {"sessionsPerUser", {"activeUsers", true, false, GA4_EVENTS, 0, "sessions", 1}},
    {"userConversionRate", {"activeUsers", true, false, GA4_PART, 1, NULL, 0}},
    {"userKeyEventRate", {"activeUsers", true, false, GA4_PART, 1, NULL, 0}},
};

/* Those of one key event have its name behind a colon. */
const struct ga4_rate *ga4_rate_find(const char *metric)
{
  static const char *const of_event[] = {"sessionConversionRate", "sessionKeyEventRate",
                                         "userConversionRate", "userKeyEventRate"};
  const struct own_metric *own = own_metric_find(metric);
  if (own != NULL && own->rate)
    return own->scale == 1                               ? &of_sessions
           : strcmp(own->pool, per_sessions.weight) == 0 ? &per_sessions
                                                         : &per_shoppers[own->of];
  size_t len = strcspn(metric, ":");
  bool known = metric[len] == '\0';
  for (size_t i = 0; !known && i < ARRAY_LEN(of_event); i++)
    known = strlen(of_event[i]) == len && strncmp(metric, of_event[i], len) == 0;
  for (size_t i = 0; known && i < ARRAY_LEN(rates); i++)
    if (strlen(rates[i].name) == len && strncmp(metric, rates[i].name, len) == 0)
      return &rates[i].rate;
  return NULL;
}

bool ga4_counts_cohort(const char *metric)
{
  return strcmp(metric, GA4_COHORT_TOTAL) == 0 || strcmp(metric, "cohortActiveUsers") == 0;
}

bool ga4_counts_people(const char *metric)
{
  static const char *const people[] = {"active1DayUsers", "active28DayUsers",    "active7DayUsers",
                                       "activeUsers",     "firstTimePurchasers", "newUsers",
                                       "totalPurchasers", "totalUsers"};
  for (size_t i = 0; i < ARRAY_LEN(people); i++)
    if (strcmp(metric, people[i]) == 0)
      return true;
  return false;
}
