/* The table of rates. */
#include "common/ga4/rate.h"

#include <stddef.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/ga4/own.h"

/* What our own rates are pooled by. */
static const struct ga4_rate by_sessions = {"sessions", false, false},
                             by_shoppers = {"shopper_sessions", false, false};

static const struct {
  const char *name;
  struct ga4_rate rate;
} rates[] = {
    {"averagePurchaseRevenue", {"transactions", false, true}},
    {"averagePurchaseRevenuePerUser", {"activeUsers", true, true}},
    {"averageRevenuePerUser", {"activeUsers", true, true}},
    {"averageSessionDuration", {"sessions", false, false}},
    {"advertiserAdCostPerClick", {"advertiserAdClicks", false, true}},
    {"bounceRate", {"sessions", false, false}},
    {"engagementRate", {"sessions", false, false}},
    {"eventCountPerUser", {"activeUsers", true, false}},
    {"eventsPerSession", {"sessions", false, false}},
    {"organicGoogleSearchClickThroughRate", {"organicGoogleSearchImpressions", false, false}},
    {"screenPageViewsPerSession", {"sessions", false, false}},
    {"screenPageViewsPerUser", {"activeUsers", true, false}},
    {"sessionConversionRate", {"sessions", false, false}},
    {"sessionKeyEventRate", {"sessions", false, false}},
    {"sessionsPerUser", {"activeUsers", true, false}},
    {"userConversionRate", {"activeUsers", true, false}},
    {"userKeyEventRate", {"activeUsers", true, false}},
};

/* Those of one key event have its name behind a colon. */
const struct ga4_rate *ga4_rate_find(const char *metric)
{
  static const char *const of_event[] = {"sessionConversionRate", "sessionKeyEventRate",
                                         "userConversionRate", "userKeyEventRate"};
  const struct own_metric *own = own_metric_find(metric);
  if (own != NULL && own->rate)
    return strcmp(own->pool, by_sessions.weight) == 0 ? &by_sessions : &by_shoppers;
  size_t len = strcspn(metric, ":");
  bool known = metric[len] == '\0';
  for (size_t i = 0; !known && i < ARRAY_LEN(of_event); i++)
    known = strlen(of_event[i]) == len && strncmp(metric, of_event[i], len) == 0;
  for (size_t i = 0; known && i < ARRAY_LEN(rates); i++)
    if (strlen(rates[i].name) == len && strncmp(metric, rates[i].name, len) == 0)
      return &rates[i].rate;
  return NULL;
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
