/* Which metrics may be added or pooled over dealers, and which dimensions split sessions. */
#include "common/ga4/additive.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/ga4/rate.h"
#include "tests/unit/harness.h"

static void only_counts_and_durations_are_added_over_dealers(void)
{
  static const char *const yes[] = {"sessions",
                                    "engagedSessions",
                                    "eventCount",
                                    "keyEvents",
                                    "keyEvents:generate_lead",
                                    "screenPageViews",
                                    "userEngagementDuration",
                                    "transactions"};
  static const char *const no[] = {"engagementRate",
                                   "bounceRate",
                                   "averageSessionDuration",
                                   "totalUsers",
                                   "activeUsers",
                                   "newUsers",
                                   "sessionsPerUser",
                                   "sessionKeyEventRate:x",
                                   "eventCountPerUser",
                                   "customEvent:price",
                                   "",
                                   "Sessions"};
  for (size_t i = 0; i < ARRAY_LEN(yes); i++)
    CU_ASSERT_EQUAL(additive_kind(yes[i]), ADDITIVE_YES);
  for (size_t i = 0; i < ARRAY_LEN(no); i++)
    CU_ASSERT_EQUAL(additive_kind(no[i]), ADDITIVE_NO);
  for (size_t i = 0; i < ARRAY_LEN(no); i++) {
    const struct ga4_rate *rate = ga4_rate_find(no[i]);
    bool pooled = i < 3 || (i > 5 && i < 9);
    CU_ASSERT_EQUAL(rate != NULL, pooled);
    CU_ASSERT(!pooled || strcmp(rate->weight, i == 6 || i == 8 ? "activeUsers" : "sessions") == 0);
    CU_ASSERT_EQUAL(ga4_counts_people(no[i]), i > 2 && i < 6);
  }
  CU_ASSERT_PTR_NULL(ga4_rate_find("engagementRate:x"));
  CU_ASSERT_EQUAL(additive_kind("purchaseRevenue"), ADDITIVE_CURRENCY);
  CU_ASSERT_TRUE(dimension_splits_sessions("pagePath"));
  CU_ASSERT_TRUE(dimension_splits_sessions("customEvent:item_make"));
  CU_ASSERT_FALSE(dimension_splits_sessions("sessionDefaultChannelGroup"));
  CU_ASSERT_FALSE(dimension_splits_sessions("date"));
}

TEST_MAIN("ga4 additive", TEST(only_counts_and_durations_are_added_over_dealers))
