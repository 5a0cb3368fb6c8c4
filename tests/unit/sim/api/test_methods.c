/* runRealtimeReport, checkCompatibility and the snapshot of quotas. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/report/realtime.h"
#include "tests/unit/sim/support/api_fixture.h"

#define REALTIME "v1beta :runRealtimeReport"
/* The fixed moment is 12:30; an event's minute follows from its session. */
#define AGE "(750-hour*60-session_id*37%60)"
#define NOW "property_id=@ AND date='20260310' AND " AGE " BETWEEN 0 AND 29"

/* A dealer with visitors at that moment. */
static size_t busy_dealer(void)
{
  for (size_t d = 0; d < 24; d++)
    if (fixture_sql(d, "SELECT COUNT(DISTINCT session_id) FROM events WHERE " NOW) >= 2)
      return d;
  CU_FAIL_FATAL("nobody visits anybody");
  return 0;
}

static double cell(const struct answer *a, int row, int metric)
{
  const char *text = fixture_cell(a->json, "rows", row, "metricValues", metric);
  return text == NULL ? 0 : strtod(text, NULL);
}

static void realtime_counts_the_last_half_hour(void)
{
  size_t d = busy_dealer();
  AUTO_ANSWER struct answer a = api(d, REALTIME,
                                    "{'metrics':[{'name':'eventCount'},{'name':'activeUsers'},{"
                                    "'name':'screenPageViews'}]}",
                                    NULL);
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_STRING_EQUAL(member(&a, "kind"), "analyticsData#runRealtimeReport");
  CU_ASSERT_PTR_NULL(cJSON_GetObjectItem(a.json, "metadata"));
  CU_ASSERT_EQUAL(cell(&a, 0, 0), fixture_sql(d, "SELECT SUM(count) FROM events WHERE " NOW));
  CU_ASSERT_EQUAL(
      cell(&a, 0, 1),
      fixture_sql(d, "SELECT COUNT(DISTINCT user_id) FROM sessions WHERE (engaged OR "
                     "is_new) AND session_id IN (SELECT session_id FROM events WHERE " NOW ")"));
  CU_ASSERT_EQUAL(cell(&a, 0, 2),
                  fixture_sql(d, "SELECT SUM(count) FROM events WHERE name='page_view' AND " NOW));
}

static void realtime_tells_minutes_and_ranges_apart(void)
{
  size_t d = busy_dealer();
  AUTO_ANSWER struct answer minutes =
      api(d, REALTIME, "{'dimensions':[{'name':'minutesAgo'}],'metrics':[{'name':'eventCount'}]}",
          NULL);
  CU_ASSERT_EQUAL(json_get_number(minutes.json, "rowCount", 0),
                  fixture_sql(d, "SELECT COUNT(DISTINCT " AGE ") FROM events WHERE " NOW));
  CU_ASSERT_EQUAL(strlen(fixture_cell(minutes.json, "rows", 0, "dimensionValues", 0)), 2);
  AUTO_ANSWER struct answer two =
      api(d, REALTIME,
          "{'metrics':[{'name':'eventCount'}],'minuteRanges':[{'name':'late','startMinutesAgo':14},"
          "{'name':'early','startMinutesAgo':29,'endMinutesAgo':15}]}",
          NULL);
  double late = 0, early = 0;
  for (int i = 0; i < 2; i++) {
    const char *name = fixture_cell(two.json, "rows", i, "dimensionValues", 0);
    if (name != NULL && strcmp(name, "late") == 0)
      late = cell(&two, i, 0);
    else if (name != NULL)
      early = cell(&two, i, 0);
  }
  CU_ASSERT_EQUAL(late + early, fixture_sql(d, "SELECT SUM(count) FROM events WHERE " NOW));
  CU_ASSERT_EQUAL(late, fixture_sql(d, "SELECT COALESCE(SUM(count),0) FROM events WHERE " NOW
                                       " AND " AGE "<15"));
}

static void realtime_has_its_own_fields_limits_and_no_offset(void)
{
  const char *text = api_refusal(
      0, REALTIME, "{'dimensions':[{'name':'sessionSource'}],'metrics':[{'name':'activeUsers'}]}",
      NULL);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "Field sessionSource is not a valid dimension."));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "realtime-api-schema"));
  text = api_refusal(0, REALTIME, "{'metrics':[{'name':'sessions'}]}", NULL);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "Field sessions is not a valid metric.  For"));
  CU_ASSERT_STRING_EQUAL(
      api_refusal(0, REALTIME, "{'metrics':[{'name':'activeUsers'}],'offset':1}", NULL),
      "Invalid JSON payload received. Unknown name \"offset\": Cannot find field.");
  CU_ASSERT_STRING_EQUAL(
      api_refusal(0, REALTIME,
                  "{'metrics':[{'name':'activeUsers'}],'minuteRanges':[{'startMinutesAgo':30}]}",
                  NULL),
      "Minute ranges must be from 0 to 29 minutes ago. startMinutesAgo = 30 and endMinutesAgo = 0");
  CU_ASSERT_STRING_EQUAL(
      api_refusal(0, REALTIME, "{'metrics':[{'name':'activeUsers'}],'minuteRanges':[{},{},{}]}",
                  NULL),
      "Requests are limited to 2 minuteRanges.\n  This request contains 3 minuteRanges.");
}

static void the_minute_of_the_day_follows_the_property_zone(void)
{
  struct world w = *identity_sim()->world;
  struct world_property p = {.time_zone = (char *)(uintptr_t) "America/New_York"};
  w.fixed_today = false;
  /* 2026-03-10 04:05:30 UTC is 00:05 in New York, in summer time. */
  struct realtime_moment m = realtime_now(&w, &p, INT64_C(1773115530000));
  CU_ASSERT_EQUAL(m.minute, 5);
  CU_ASSERT_EQUAL(m.today, 20522);
}

static int count_where(const cJSON *list, const char *compatibility)
{
  const cJSON *item;
  int n = 0;
  cJSON_ArrayForEach(item, list) n +=
      strcmp(json_get_string(item, "compatibility"), compatibility) == 0;
  return n;
}

static void compatibility_is_told_of_every_field(void)
{
#define CHECK "v1beta :checkCompatibility"
  AUTO_ANSWER struct answer meta = api(0, "v1beta /metadata", NULL, NULL);
  AUTO_ANSWER struct answer all =
      api(0, CHECK, "{'dimensions':[{'name':'eventName'}],'metrics':[{'name':'sessions'}]}", NULL);
  const cJSON *dimensions = cJSON_GetObjectItem(all.json, "dimensionCompatibilities");
  const cJSON *metrics = cJSON_GetObjectItem(all.json, "metricCompatibilities");
  CU_ASSERT_EQUAL(cJSON_GetArraySize(dimensions),
                  cJSON_GetArraySize(cJSON_GetObjectItem(meta.json, "dimensions")));
  CU_ASSERT_TRUE(count_where(metrics, "INCOMPATIBLE") >= 10); /* advertising, Search Console */
  CU_ASSERT_TRUE(count_where(metrics, "COMPATIBLE") > 50);
  AUTO_ANSWER struct answer bad =
      api(0, CHECK,
          "{'dimensions':[{'name':'eventName'}],'metrics':[{'name':'sessions'}],"
          "'compatibilityFilter':'INCOMPATIBLE'}",
          NULL);
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(bad.json, "metricCompatibilities")),
                  count_where(metrics, "INCOMPATIBLE"));
}

static void compatibility_agrees_with_reports(void)
{
  AUTO_ANSWER struct answer bad =
      api(0, CHECK, "{'metrics':[{'name':'sessions'}],'compatibilityFilter':'INCOMPATIBLE'}", NULL);
  const cJSON *item;
  int n = 0;
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(bad.json, "metricCompatibilities"))
  {
    const char *name = json_get_string(cJSON_GetObjectItem(item, "metricMetadata"), "apiName");
    if (strncmp(name, "cohort", 6) == 0)
      continue; /* refused already for the missing cohortSpec */
    AUTO_FREE char *body =
        xasprintf("{'dateRanges':[{'startDate':'today','endDate':'today'}],'metrics':[{'name':"
                  "'sessions'},{'name':'%s'}]}",
                  name);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(api_refusal(0, "v1beta :runReport", body, NULL), "to make the request compatible"));
    n++;
  }
  CU_ASSERT_TRUE(n > 5);
}

#define FILTER(name) "{'filter':{'fieldName':'" name "','stringFilter':{'value':'x'}}}"
#define LARGE(name)                                                                                \
  "{'filter':{'fieldName':'" name                                                                  \
  "','numericFilter':{'operation':'GREATER_THAN','value':{'int64Value':'1'}}}}"

/* A field counts wherever it stands: what does not go together is refused as reports refuse it. */
static void fields_of_filters_and_expressions_must_go_together(void)
{
  static const char *const bodies[] = {
      "'dimensions':[{'name':'eventName'}],'metrics':[{'name':'advertiserAdCost'}]",
      "'dimensionFilter':" FILTER("eventName") ",'metrics':[{'name':'advertiserAdCost'}]",
      "'dimensions':[{'name':'eventName'}],'metricFilter':" LARGE("advertiserAdCost"),
      "'dimensions':[{'name':'eventName'}],'metrics':[{'name':'share','expression':"
      "'advertiserAdCost/2'}]",
      "'dimensions':[{'name':'low','dimensionExpression':{'lowerCase':{'dimensionName':'eventName'}"
      "}}],'metrics':[{'name':'advertiserAdCost'}]",
      "'dimensions':[{'name':'both','dimensionExpression':{'concatenate':{'dimensionNames':['city',"
      "'eventName']}}}],'metrics':[{'name':'advertiserAdCost'}]",
  };
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
    AUTO_FREE char *check = xasprintf("{%s}", bodies[i]);
    AUTO_FREE char *report = xasprintf(
        "{%s,'dateRanges':[{'startDate':'today','endDate':'today'}]}", bodies[i]);
    AUTO_FREE char *refusal = xstrdup(api_refusal(0, CHECK, check, NULL));
    CU_ASSERT_PTR_EQUAL(strstr(refusal, "Please remove advertiserAdCost to make the request"),
                        refusal);
    CU_ASSERT_STRING_EQUAL(api_refusal(0, "v1beta :runReport", report, NULL), refusal);
  }
}

static void what_filters_and_expressions_use_decides_what_goes_with_them(void)
{
  static const char *const same[] = {
      "'metrics':[{'name':'sessions'}]",
      "'metrics':[{'name':'twice','expression':'sessions*2'}]",
      "'dimensions':[{'name':'city'}],'metricFilter':" LARGE("sessions"),
      "'metrics':[{'name':'sessions','invisible':true}],'dimensionFilter':" FILTER("city"),
      "'dimensions':[{'name':'up','dimensionExpression':{'upperCase':{'dimensionName':'city'}}}],"
      "'dimensionFilter':" FILTER("up") ",'metrics':[{'name':'sessions'}]",
  };
  AUTO_FREE char *first = NULL;
  for (size_t i = 0; i < ARRAY_LEN(same); i++) {
    AUTO_FREE char *body = xasprintf("{%s,'compatibilityFilter':'INCOMPATIBLE'}", same[i]);
    AUTO_ANSWER struct answer a = api(0, CHECK, body, NULL);
    CU_ASSERT_EQUAL_FATAL(a.status, 200);
    char *text = cJSON_PrintUnformatted(a.json);
    if (first == NULL)
      first = text;
    else {
      CU_ASSERT_STRING_EQUAL(text, first);
      free(text);
    }
  }
  CU_ASSERT_PTR_NOT_NULL(strstr(first, "advertiserAdCost"));
  CU_ASSERT_PTR_NOT_NULL(strstr(
      api_refusal(0, CHECK, "{'metrics':[{'name':'x','expression':'sessionz/2'}]}", NULL),
      "Field sessionz is not a valid metric."));
}

static double left(const struct answer *a, const char *category)
{
  const cJSON *quota = cJSON_GetObjectItem(a->json, category);
  return json_get_number(cJSON_GetObjectItem(quota, "tokensPerDay"), "remaining", -1);
}

static void the_snapshot_of_quotas_follows_each_category_and_costs_nothing(void)
{
#define SNAPSHOT "v1alpha /propertyQuotasSnapshot"
  quota_reset(identity_sim()->quota);
  AUTO_ANSWER struct answer report =
      api(5, "v1beta :runReport",
          "{'dateRanges':[{'startDate':'today','endDate':'today'}],'metrics':[{'name':"
          "'sessions'}]}",
          NULL);
  AUTO_ANSWER struct answer live = api(5, REALTIME, "{'metrics':[{'name':'activeUsers'}]}", NULL);
  AUTO_ANSWER struct answer again = api(5, REALTIME, "{'metrics':[{'name':'activeUsers'}]}", NULL);
  AUTO_ANSWER struct answer a = api(5, SNAPSHOT, NULL, NULL);
  AUTO_ANSWER struct answer b = api(5, SNAPSHOT, NULL, NULL);
  CU_ASSERT_EQUAL(left(&a, "corePropertyQuota"), QUOTA_TOKENS_DAY - 1);
  CU_ASSERT_EQUAL(left(&a, "realtimePropertyQuota"), QUOTA_TOKENS_DAY - 2);
  CU_ASSERT_EQUAL(left(&a, "funnelPropertyQuota"), QUOTA_TOKENS_DAY);
  CU_ASSERT_TRUE(cJSON_Compare(a.json, b.json, true));
}

static void cleanup_last(void)
{
  identity_free();
}

TEST_MAIN("sim_methods", TEST(realtime_counts_the_last_half_hour),
          TEST(realtime_tells_minutes_and_ranges_apart),
          TEST(realtime_has_its_own_fields_limits_and_no_offset),
          TEST(the_minute_of_the_day_follows_the_property_zone),
          TEST(compatibility_is_told_of_every_field), TEST(compatibility_agrees_with_reports),
          TEST(fields_of_filters_and_expressions_must_go_together),
          TEST(what_filters_and_expressions_use_decides_what_goes_with_them),
          TEST(the_snapshot_of_quotas_follows_each_category_and_costs_nothing), TEST(cleanup_last))
