/* batchRunReports: order, limits, tokens, one failure fails all. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/sim/support/api_fixture.h"

#define RANGE "'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-28'}]"
#define SESSIONS "{" RANGE ",'metrics':[{'name':'sessions'}]}"
#define CHANNELS                                                                                   \
  "{" RANGE                                                                                        \
  ",'dimensions':[{'name':'sessionDefaultChannelGroup'}],'metrics':[{'name':'sessions'},"          \
  "{'name':'engagementRate'}]}"
#define PAGES                                                                                      \
  "{" RANGE                                                                                        \
  ",'dimensions':[{'name':'pagePath'}],'metrics':[{'name':'screenPageViews'}],'limit':3,"          \
  "'offset':2}"
#define BATCH "v1beta :batchRunReports"

static void reports_come_in_the_order_of_the_requests_and_equal_single_ones(void)
{
  static const char *const single[] = {CHANNELS, SESSIONS, PAGES};
  AUTO_ANSWER struct answer batch =
      api(3, BATCH, "{'requests':[" CHANNELS "," SESSIONS "," PAGES "]}", NULL);
  const cJSON *reports = cJSON_GetObjectItem(batch.json, "reports");
  CU_ASSERT_EQUAL(batch.status, 200);
  CU_ASSERT_STRING_EQUAL(member(&batch, "kind"), "analyticsData#batchRunReports");
  CU_ASSERT_EQUAL_FATAL(cJSON_GetArraySize(reports), 3);
  for (int i = 0; i < 3; i++) {
    AUTO_ANSWER struct answer one = api(3, "v1beta :runReport", single[i], NULL);
    CU_ASSERT_EQUAL(one.status, 200);
    CU_ASSERT_TRUE(cJSON_Compare(one.json, cJSON_GetArrayItem(reports, i), true));
  }
}

static double remaining(const cJSON *report)
{
  const cJSON *quota = cJSON_GetObjectItem(report, "propertyQuota");
  return json_get_number(cJSON_GetObjectItem(quota, "tokensPerDay"), "remaining", -1);
}

static void each_report_of_a_batch_costs_its_tokens(void)
{
#define ASKS_QUOTA "{" RANGE ",'metrics':[{'name':'sessions'}],'returnPropertyQuota':true}"
  quota_reset(identity_sim()->quota);
  AUTO_ANSWER struct answer batch =
      api(4, BATCH, "{'requests':[" ASKS_QUOTA "," ASKS_QUOTA "," ASKS_QUOTA "]}", NULL);
  const cJSON *reports = cJSON_GetObjectItem(batch.json, "reports");
  CU_ASSERT_EQUAL_FATAL(cJSON_GetArraySize(reports), 3);
  for (int i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(remaining(cJSON_GetArrayItem(reports, i)), QUOTA_TOKENS_DAY - 1 - i);
  AUTO_ANSWER struct answer next = api(4, "v1beta :runReport", ASKS_QUOTA, NULL);
  CU_ASSERT_EQUAL(remaining(next.json), QUOTA_TOKENS_DAY - 4);
}

static void one_wrong_report_fails_the_batch_and_costs_nothing(void)
{
  quota_reset(identity_sim()->quota);
  CU_ASSERT_STRING_EQUAL(api_refusal(4, BATCH,
                                     "{'requests':[" SESSIONS ",{" RANGE
                                     ",'metrics':[{'name':'sessions'}],"
                                     "'limit':-1}]}",
                                     NULL),
                         "limit must be positive. The API received limit = -1");
  AUTO_ANSWER struct answer next = api(4, "v1beta :runReport", ASKS_QUOTA, NULL);
  CU_ASSERT_EQUAL(remaining(next.json), QUOTA_TOKENS_DAY - 1);
}

static void one_to_five_reports_make_a_batch(void)
{
  CU_ASSERT_STRING_EQUAL(api_refusal(0, BATCH, "{}", NULL),
                         "The batchRunReportsRequest must contain at least one runReportRequest.");
  CU_ASSERT_STRING_EQUAL(
      api_refusal(0, BATCH,
                  "{'requests':[" SESSIONS "," SESSIONS "," SESSIONS "," SESSIONS "," SESSIONS
                  "," SESSIONS "]}",
                  NULL),
      "Batch requests are limited to 5 requests.\n  This batch request contains 6 requests.");
  CU_ASSERT_STRING_EQUAL(api_refusal(0, BATCH,
                                     "{'requests':[" SESSIONS "," SESSIONS "," SESSIONS "," SESSIONS
                                     "," SESSIONS "]}",
                                     NULL),
                         "");
}

static void a_batch_is_of_one_property(void)
{
  const struct world_property *own = &identity_sim()->world->properties[0];
  const struct world_property *other = &identity_sim()->world->properties[1];
  char body[512];
#define NAMED                                                                                      \
  "{'requests':[{'property':'properties/%s'," RANGE ",'metrics':[{'name':'sessions'}]}]}"
  snprintf(body, sizeof(body), NAMED, own->id_text);
  CU_ASSERT_STRING_EQUAL(api_refusal(0, BATCH, body, NULL), "");
  snprintf(body, sizeof(body), NAMED, other->id_text);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(api_refusal(0, BATCH, body, NULL), "must be empty or match the batch's property"));
}

static void unknown_names_are_reported_with_their_place(void)
{
  CU_ASSERT_STRING_EQUAL(api_refusal(0, BATCH, "{'requests':[" SESSIONS ",{'metrix':[]}]}", NULL),
                         "Invalid JSON payload received. Unknown name \"metrix\" at "
                         "'requests[1]': Cannot find field.");
}

static void a_batch_is_one_request_in_flight_and_one_in_the_counters(void)
{
  stats_reset(identity_sim()->stats);
  AUTO_ANSWER struct answer batch = api(2, BATCH, "{'requests':[" SESSIONS "," SESSIONS "]}", NULL);
  AUTO_JSON cJSON *stats = stats_render(identity_sim()->stats, identity_sim()->world);
  const cJSON *totals = cJSON_GetObjectItem(stats, "totals");
  CU_ASSERT_EQUAL(batch.status, 200);
  CU_ASSERT_EQUAL(json_get_number(totals, "report_requests", 0), 1);
  CU_ASSERT_EQUAL(json_get_number(totals, "reports_ok", 0), 1);
  CU_ASSERT_EQUAL(json_get_number(totals, "max_concurrent", 0), 1);
}

static void cleanup_last(void)
{
  identity_free();
}

TEST_MAIN("sim_batch", TEST(reports_come_in_the_order_of_the_requests_and_equal_single_ones),
          TEST(each_report_of_a_batch_costs_its_tokens),
          TEST(one_wrong_report_fails_the_batch_and_costs_nothing),
          TEST(one_to_five_reports_make_a_batch), TEST(a_batch_is_of_one_property),
          TEST(unknown_names_are_reported_with_their_place),
          TEST(a_batch_is_one_request_in_flight_and_one_in_the_counters), TEST(cleanup_last))
