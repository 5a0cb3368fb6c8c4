/* Reports against plain SQL over the tables. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/sim/support/fixture.h"

#define FEB "'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-28'}]"
#define IN_FEB "property_id=@ AND date BETWEEN '20260201' AND '20260228'"

/* The single row's metric values equal the SQL's. */
static void check_row(size_t dealer, const char *request, const char *const *sql, int n)
{
  struct err e;
  AUTO_JSON cJSON *report = fixture_report(dealer, request, &e);
  CU_ASSERT_PTR_NOT_NULL(report);
  if (report == NULL) {
    printf("\n  %s\n", e.message);
    return;
  }
  for (int i = 0; i < n; i++) {
    const char *value = fixture_cell(report, "rows", 0, "metricValues", i);
    double truth = fixture_sql(dealer, sql[i]);
    CU_ASSERT_TRUE(value != NULL && strtod(value, NULL) == truth);
    if (value == NULL || strtod(value, NULL) != truth)
      printf("\n  metric %d: %s, by SQL %.17g\n", i, value == NULL ? "(none)" : value, truth);
  }
}

static void session_metrics_equal_sql(void)
{
  const char *sql[] = {
      "SELECT COUNT(*) FROM sessions WHERE " IN_FEB,
      "SELECT SUM(engaged) FROM sessions WHERE " IN_FEB,
      "SELECT CAST(SUM(engaged) AS REAL)/COUNT(*) FROM sessions WHERE " IN_FEB,
      "SELECT CAST(SUM(duration_s) AS REAL)/COUNT(*) FROM sessions WHERE " IN_FEB,
      "SELECT COUNT(DISTINCT user_id) FROM sessions WHERE " IN_FEB,
      "SELECT SUM(page_views) FROM sessions WHERE " IN_FEB,
      "SELECT SUM(event_count) FROM sessions WHERE " IN_FEB,
      "SELECT SUM(key_events) FROM sessions WHERE " IN_FEB,
      "SELECT CAST(COUNT(*) AS REAL)/COUNT(DISTINCT CASE WHEN engaged OR is_new THEN user_id END) "
      "FROM sessions WHERE " IN_FEB,
      "SELECT SUM(engagement_s) FROM sessions WHERE " IN_FEB};
  const char *request =
      "{" FEB
      ",'metrics':[{'name':'sessions'},{'name':'engagedSessions'},{'name':'engagementRate'},"
      "{'name':'averageSessionDuration'},{'name':'totalUsers'},{'name':'screenPageViews'},"
      "{'name':'eventCount'},{'name':'keyEvents'},{'name':'sessionsPerUser'},"
      "{'name':'userEngagementDuration'}]}";
  check_row(0, request, sql, 10);
  check_row(11, request, sql, 10);
}

static void both_ways_to_a_session_metric_agree(void)
{
  /* The event filter that lets everything pass forces the way over events. */
  const char *sql[] = {
      "SELECT COUNT(*) FROM sessions WHERE " IN_FEB,
      "SELECT CAST(SUM(duration_s) AS REAL)/COUNT(*) FROM sessions WHERE " IN_FEB,
      "SELECT CAST(SUM(key_events>0) AS REAL)/COUNT(*) FROM sessions WHERE " IN_FEB};
  check_row(3,
            "{" FEB ",'metrics':[{'name':'sessions'},{'name':'averageSessionDuration'},"
            "{'name':'sessionKeyEventRate'}],'dimensionFilter':{'notExpression':{'filter':"
            "{'fieldName':'eventName','stringFilter':{'value':'no such event'}}}}}",
            sql, 3);
}

static void an_event_filter_counts_sessions_that_contain_the_event(void)
{
#define WITH_VDP                                                                                   \
  IN_FEB " AND session_id IN (SELECT session_id FROM events WHERE name='asc_item_pageview')"
  const char *sql[] = {
      "SELECT COUNT(*) FROM sessions WHERE " WITH_VDP,
      "SELECT SUM(engaged) FROM sessions WHERE " WITH_VDP,
      "SELECT SUM(count) FROM events WHERE name='asc_item_pageview' AND " IN_FEB,
      "SELECT CAST(SUM(duration_s) AS REAL)/COUNT(*) FROM sessions WHERE " WITH_VDP};
  check_row(0,
            "{" FEB ",'metrics':[{'name':'sessions'},{'name':'engagedSessions'},"
            "{'name':'eventCount'},{'name':'averageSessionDuration'}],'dimensionFilter':{'filter':"
            "{'fieldName':'eventName','inListFilter':{'values':['ASC_ITEM_PAGEVIEW','x']}}}}",
            sql, 4);
}

static void key_events_by_name_equal_sql(void)
{
  const char *sql[] = {
      "SELECT SUM(count) FROM events WHERE name='asc_form_submission' AND " IN_FEB,
      "SELECT CAST((SELECT COUNT(DISTINCT session_id) FROM events WHERE name='asc_form_submission' "
      "AND " IN_FEB ") AS REAL)/(SELECT COUNT(*) FROM sessions WHERE " IN_FEB ")"};
  check_row(0,
            "{" FEB ",'metrics':[{'name':'keyEvents:asc_form_submission'},"
            "{'name':'sessionKeyEventRate:asc_form_submission'}]}",
            sql, 2);
}

static void expressions_are_computed_after_adding_up(void)
{
  const char *sql[] = {
      "SELECT CAST(SUM(engaged) AS REAL)/COUNT(*) FROM sessions WHERE " IN_FEB,
      "SELECT (SUM(event_count)-SUM(page_views))*2.0/(COUNT(*)+1) FROM sessions WHERE " IN_FEB,
      "SELECT COUNT(*)+SUM(engaged) FROM sessions WHERE " IN_FEB, "SELECT 0"};
  check_row(0,
            "{" FEB ",'metrics':[{'name':'a','expression':'engagedSessions/sessions'},"
            "{'name':'b','expression':'(eventCount-screenPageViews)*2/(sessions+1)'},"
            "{'name':'c','expression':'sessions+engagedSessions'},"
            "{'name':'d','expression':'sessions/(sessions-sessions)'},{'name':'sessions'}]}",
            sql, 4);
}

static void groups_equal_sql_and_come_by_the_first_metric(void)
{
  struct err e;
  AUTO_JSON cJSON *r = fixture_report(0,
                                      "{" FEB ",'dimensions':[{'name':'customEvent:item_model'}],"
                                      "'metrics':[{'name':'eventCount'}],'dimensionFilter':"
                                      "{'filter':{'fieldName':'eventName','stringFilter':{'value':"
                                      "'asc_item_pageview'}}}}",
                                      &e);
  int n = cJSON_GetArraySize(cJSON_GetObjectItem(r, "rows"));
  double before = 1e9, sum = 0;
  CU_ASSERT_TRUE(n > 5);
  CU_ASSERT_EQUAL(json_get_number(r, "rowCount", 0), n);
  for (int i = 0; i < n; i++) {
    AUTO_FREE char *sql = xasprintf(
        "SELECT SUM(e.count) FROM events e JOIN vehicles v USING(vehicle_id) WHERE "
        "e.name='asc_item_pageview' AND e.property_id=@ AND date BETWEEN '20260201' AND '20260228' "
        "AND item_model='%s'",
        fixture_cell(r, "rows", i, "dimensionValues", 0));
    double value = strtod(fixture_cell(r, "rows", i, "metricValues", 0), NULL);
    CU_ASSERT_EQUAL(value, fixture_sql(0, sql));
    CU_ASSERT_TRUE(value <= before);
    before = value;
    sum += value;
  }
  CU_ASSERT_EQUAL(sum, fixture_sql(0, "SELECT SUM(count) FROM events WHERE "
                                      "name='asc_item_pageview' AND " IN_FEB));
}

static void limit_and_offset_cut_the_same_list(void)
{
  struct err e;
#define BY_DATE                                                                                    \
  FEB ",'dimensions':[{'name':'date'}],'metrics':[{'name':'sessions'}],'orderBys':[{'dimension':"  \
      "{'dimensionName':'date'},'desc':true}]"
  AUTO_JSON cJSON *all = fixture_report(0, "{" BY_DATE "}", &e);
  AUTO_JSON cJSON *part = fixture_report(0, "{" BY_DATE ",'limit':'5','offset':'20'}", &e);
  AUTO_JSON cJSON *beyond = fixture_report(0, "{" BY_DATE ",'offset':'28'}", &e);
  CU_ASSERT_EQUAL(json_get_number(all, "rowCount", 0), 28);
  CU_ASSERT_STRING_EQUAL(fixture_cell(all, "rows", 0, "dimensionValues", 0), "20260228");
  CU_ASSERT_EQUAL(json_get_number(part, "rowCount", 0), 28);
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(part, "rows")), 5);
  CU_ASSERT_STRING_EQUAL(fixture_cell(part, "rows", 0, "dimensionValues", 0), "20260208");
  CU_ASSERT_PTR_NULL(cJSON_GetObjectItem(beyond, "rows"));
  CU_ASSERT_EQUAL(json_get_number(beyond, "rowCount", 0), 28);
}

static void several_ranges_append_date_range_last(void)
{
  struct err e;
  AUTO_JSON cJSON *r = fixture_report(
      0,
      "{'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-28','name':'now'},"
      "{'startDate':'2026-01-12','endDate':'2026-01-31'}],'dimensions':[{'name':'deviceCategory'}],"
      "'metrics':[{'name':'sessions'}],'orderBys':[{'dimension':{'dimensionName':'dateRange'}},"
      "{'dimension':{'dimensionName':'deviceCategory'}}]}",
      &e);
  const cJSON *headers = cJSON_GetObjectItem(r, "dimensionHeaders");
  CU_ASSERT_STRING_EQUAL(json_get_string(cJSON_GetArrayItem(headers, 1), "name"), "dateRange");
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "rows", 0, "dimensionValues", 1), "date_range_1");
  CU_ASSERT_EQUAL(strtod(fixture_cell(r, "rows", 0, "metricValues", 0), NULL),
                  fixture_sql(0, "SELECT COUNT(*) FROM sessions WHERE property_id=@ AND "
                                 "device='desktop' AND date BETWEEN '20260112' AND '20260131'"));
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "rows", 3, "dimensionValues", 1), "now");
}

static void totals_do_not_add_up_what_is_not_additive(void)
{
  struct err e;
  AUTO_JSON cJSON *r = fixture_report(0,
                                      "{" FEB ",'dimensions':[{'name':'eventName'}],'metrics':"
                                      "[{'name':'eventCount'},{'name':'sessions'},"
                                      "{'name':'totalUsers'}],'metricAggregations':['TOTAL',"
                                      "'MINIMUM','MAXIMUM']}",
                                      &e);
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "totals", 0, "dimensionValues", 0), "RESERVED_TOTAL");
  CU_ASSERT_EQUAL(strtod(fixture_cell(r, "totals", 0, "metricValues", 1), NULL),
                  fixture_sql(0, "SELECT COUNT(*) FROM sessions WHERE " IN_FEB));
  CU_ASSERT_EQUAL(strtod(fixture_cell(r, "totals", 0, "metricValues", 0), NULL),
                  fixture_sql(0, "SELECT SUM(count) FROM events WHERE " IN_FEB));
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "maximums", 0, "dimensionValues", 0), "RESERVED_MAX");
  CU_ASSERT_EQUAL(strtod(fixture_cell(r, "maximums", 0, "metricValues", 0), NULL),
                  fixture_sql(0, "SELECT MAX(n) FROM (SELECT SUM(count) n FROM events WHERE " IN_FEB
                                 " GROUP BY name)"));
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "minimums", 0, "dimensionValues", 0), "RESERVED_MIN");
}

static void metric_filters_act_on_groups_and_on_totals(void)
{
  struct err e;
  AUTO_JSON cJSON *r = fixture_report(
      0,
      "{" FEB ",'dimensions':[{'name':'sessionSource'}],'metrics':[{'name':'sessions'}],"
      "'metricFilter':{'filter':{'fieldName':'sessions','numericFilter':{'operation':'LESS_THAN',"
      "'value':{'int64Value':'20'}}}},'metricAggregations':['TOTAL']}",
      &e);
  CU_ASSERT_EQUAL(json_get_number(r, "rowCount", 0),
                  fixture_sql(0, "SELECT COUNT(*) FROM (SELECT source FROM sessions WHERE " IN_FEB
                                 " GROUP BY source HAVING COUNT(*)<20)"));
  CU_ASSERT_EQUAL(strtod(fixture_cell(r, "totals", 0, "metricValues", 0), NULL),
                  fixture_sql(0, "SELECT SUM(n) FROM (SELECT COUNT(*) n FROM sessions WHERE " IN_FEB
                                 " GROUP BY source HAVING COUNT(*)<20)"));
}

static double sessions_where(const char *filter)
{
  struct err e;
  AUTO_FREE char *request = xasprintf(
      "{" FEB ",'metrics':[{'name':'sessions'}],'dimensionFilter':%s,'keepEmptyRows':true}",
      filter);
  AUTO_JSON cJSON *r = fixture_report(0, request, &e);
  const char *value = fixture_cell(r, "rows", 0, "metricValues", 0);
  if (r == NULL)
    printf("\n  %s\n", e.message);
  return value == NULL ? 0 : strtod(value, NULL);
}

static void every_filter_form_equals_its_sql(void)
{
#define STRING(field, type, value, cs)                                                             \
  "{'filter':{'fieldName':'" field "','stringFilter':{'matchType':'" type "','value':'" value      \
  "','caseSensitive':" cs "}}}"
#define COUNT_FEB "SELECT COUNT(*) FROM sessions WHERE " IN_FEB " AND "
  static const struct {
    const char *filter, *sql;
  } cases[] = {
      {STRING("sessionSource", "EXACT", "GOOGLE", "false"), COUNT_FEB "source='google'"},
      {STRING("sessionSource", "EXACT", "GOOGLE", "true"), COUNT_FEB "0"},
      {STRING("sessionSource", "BEGINS_WITH", "Cars", "false"), COUNT_FEB "source='cars.com'"},
      {STRING("sessionSource", "ENDS_WITH", ".COM", "false"), COUNT_FEB "source LIKE '%.com'"},
      {STRING("sessionSource", "CONTAINS", "trader", "false"), COUNT_FEB "source='autotrader.com'"},
      {STRING("sessionSourceMedium", "FULL_REGEXP", "(google|bing) / .*", "false"),
       COUNT_FEB "source IN ('google','bing')"},
      {STRING("sessionSource", "PARTIAL_REGEXP", "^b", "false"), COUNT_FEB "source='bing'"},
      {"{'orGroup':{'expressions':[" STRING("deviceCategory", "EXACT", "tablet",
                                            "false") "," STRING("city", "EXACT", "Ashburn",
                                                                "false") "]}}",
       COUNT_FEB "(device='tablet' OR city='Ashburn')"},
      {"{'andGroup':{'expressions':[{'notExpression':" STRING(
           "deviceCategory", "EXACT", "mobile",
           "false") "},{'filter':{'fieldName':'city','emptyFilter':{}}}]}}",
       COUNT_FEB "device<>'mobile' AND city='(not set)'"},
      {"{'filter':{'fieldName':'dayOfWeek','numericFilter':{'operation':'GREATER_THAN_OR_EQUAL',"
       "'value':{'int64Value':'5'}}}}",
       COUNT_FEB "date IN (SELECT date FROM days WHERE day_of_week>='5')"},
      {"{'filter':{'fieldName':'date','betweenFilter':{'fromValue':{'int64Value':20260203},"
       "'toValue':{'doubleValue':20260205}}}}",
       COUNT_FEB "date BETWEEN '20260203' AND '20260205'"},
      {"{'filter':{'fieldName':'nthDay','stringFilter':{'value':'0002'}}}",
       COUNT_FEB "date='20260203'"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    double got = sessions_where(cases[i].filter), truth = fixture_sql(0, cases[i].sql);
    CU_ASSERT_EQUAL(got, truth);
    if (got != truth)
      printf("\n  %s: %g, by SQL %g\n", cases[i].filter, got, truth);
  }
}

static void empty_results_have_no_rows_and_no_count(void)
{
  struct err e;
  AUTO_JSON cJSON *r = fixture_report(
      0,
      "{'dateRanges':[{'startDate':'2020-01-01','endDate':'2020-01-02'}],'metrics':[{'name':"
      "'sessions'}],'metricAggregations':['TOTAL']}",
      &e);
  CU_ASSERT_PTR_NULL(cJSON_GetObjectItem(r, "rows"));
  CU_ASSERT_PTR_NULL(cJSON_GetObjectItem(r, "rowCount"));
  CU_ASSERT_STRING_EQUAL(json_get_string(r, "kind"), "analyticsData#runReport");
}

static void metadata_reports_what_is_odd(void)
{
  struct err e;
#define BY(d) "{" FEB ",'dimensions':[{'name':'" d "'}],'metrics':[{'name':'sessions'}],'limit':1}"
  AUTO_JSON cJSON *other = fixture_report(18, BY("landingPage"), &e);
  AUTO_JSON cJSON *plain = fixture_report(18, BY("date"), &e);
  AUTO_JSON cJSON *sampled = fixture_report(21, BY("date"), &e);
  AUTO_JSON cJSON *thresholded = fixture_report(22, BY("city"), &e);
  AUTO_JSON cJSON *canada = fixture_report(20, BY("date"), &e);
  CU_ASSERT_TRUE(json_get_bool(cJSON_GetObjectItem(other, "metadata"), "dataLossFromOtherRow", 0));
  CU_ASSERT_FALSE(json_get_bool(cJSON_GetObjectItem(plain, "metadata"), "dataLossFromOtherRow", 0));
  CU_ASSERT_PTR_NOT_NULL(
      cJSON_GetObjectItem(cJSON_GetObjectItem(sampled, "metadata"), "samplingMetadatas"));
  CU_ASSERT_TRUE(
      json_get_bool(cJSON_GetObjectItem(thresholded, "metadata"), "subjectToThresholding", 0));
  CU_ASSERT_STRING_EQUAL(json_get_string(cJSON_GetObjectItem(canada, "metadata"), "currencyCode"),
                         "CAD");
  CU_ASSERT_STRING_EQUAL(json_get_string(cJSON_GetObjectItem(canada, "metadata"), "timeZone"),
                         "America/Toronto");
}

static void unregistered_dimensions_are_refused(void)
{
  struct err e;
  AUTO_JSON cJSON *r = fixture_report(4, BY("customEvent:item_model"), &e);
  CU_ASSERT_PTR_NULL(r);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "customEvent:item_model is not a valid dimension"));
}

static void comparisons_make_slices(void)
{
  struct err e;
  AUTO_JSON cJSON *r = fixture_report(
      0,
      "{" FEB
      ",'metrics':[{'name':'sessions'}],'comparisons':[{'comparison':'comparisons/allUsers'},"
      "{'name':'Tablets','dimensionFilter':{'filter':{'fieldName':'deviceCategory','stringFilter':"
      "{'value':'tablet'}}}}]}",
      &e);
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "rows", 0, "dimensionValues", 0), "All Users");
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "rows", 1, "dimensionValues", 0), "Tablets");
  CU_ASSERT_EQUAL(
      strtod(fixture_cell(r, "rows", 1, "metricValues", 0), NULL),
      fixture_sql(0, "SELECT COUNT(*) FROM sessions WHERE device='tablet' AND " IN_FEB));
}

static void dimension_expressions_and_quotes_are_safe(void)
{
  struct err e;
  AUTO_JSON cJSON *r = fixture_report(
      0,
      "{" FEB ",'dimensions':[{'name':'x','dimensionExpression':{'concatenate':{'dimensionNames':"
      "['deviceCategory','browser'],'delimiter':' @;-- '}}},{'name':'y','dimensionExpression':"
      "{'upperCase':{'dimensionName':'deviceCategory'}}}],'metrics':[{'name':'sessions'}]}",
      &e);
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "rows", 0, "dimensionValues", 0), "mobile ';-- Safari");
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "rows", 0, "dimensionValues", 1), "MOBILE");
}

static void rows_of_zeros_are_left_out_unless_kept(void)
{
  struct err e;
#define FORMS FEB ",'dimensions':[{'name':'sessionSource'}],'metrics':[{'name':'keyEvents'}]"
  AUTO_JSON cJSON *some = fixture_report(0, "{" FORMS "}", &e);
  AUTO_JSON cJSON *all = fixture_report(0, "{" FORMS ",'keepEmptyRows':true}", &e);
  CU_ASSERT_EQUAL(json_get_number(some, "rowCount", 0),
                  fixture_sql(0, "SELECT COUNT(*) FROM (SELECT source FROM sessions WHERE " IN_FEB
                                 " GROUP BY source HAVING SUM(key_events)>0)"));
  CU_ASSERT_EQUAL(json_get_number(all, "rowCount", 0),
                  fixture_sql(0, "SELECT COUNT(DISTINCT source) FROM sessions WHERE " IN_FEB));
}

static void kept_empty_rows_appear_in_every_range_but_days_do_not(void)
{
  struct err e;
#define TWO                                                                                        \
  "'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-28'},{'startDate':'2026-02-03',"     \
  "'endDate':'2026-02-03'}],'metrics':[{'name':'sessions'}],'keepEmptyRows':true"
  AUTO_JSON cJSON *cities = fixture_report(0, "{" TWO ",'dimensions':[{'name':'city'}]}", &e);
  AUTO_JSON cJSON *days = fixture_report(0, "{" TWO ",'dimensions':[{'name':'date'}]}", &e);
  /* rowCount counts combinations of dimension values, of which the date range is not one. */
  double n = fixture_sql(0, "SELECT COUNT(DISTINCT city) FROM sessions WHERE " IN_FEB);
  CU_ASSERT_EQUAL(json_get_number(cities, "rowCount", 0), n);
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(cities, "rows")), 2 * n);
  CU_ASSERT_EQUAL(json_get_number(days, "rowCount", 0), 28);
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(days, "rows")), 29);
}

static void cleanup_last(void)
{
  fixture_free();
}

/* The request's answer, printed, twice; the second time its rows are known. */
static void expect_the_same_again(const char *request)
{
  struct err e;
  AUTO_JSON cJSON *first = fixture_report(2, request, &e), *again = fixture_report(2, request, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(first);
  CU_ASSERT_PTR_NOT_NULL_FATAL(again);
  cJSON_DeleteItemFromObject(first, "propertyQuota");
  cJSON_DeleteItemFromObject(again, "propertyQuota");
  AUTO_FREE char *one = cJSON_PrintUnformatted(first), *two = cJSON_PrintUnformatted(again);
  CU_ASSERT_PTR_NOT_NULL(cJSON_GetObjectItem(first, "rows"));
  CU_ASSERT_STRING_EQUAL(one, two);
}

static void a_report_that_is_asked_for_again_is_the_same(void)
{
  expect_the_same_again("{" FEB ",'dimensions':[{'name':'city'},{'name':'hour'}],'metrics':[{"
                        "'name':'sessions'},{'name':'engagementRate'}],'limit':7,'offset':3,"
                        "'metricAggregations':['TOTAL','MAXIMUM','MINIMUM']}");
  expect_the_same_again("{'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-14'},{"
                        "'startDate':'2026-02-15','endDate':'2026-02-28'}],'dimensions':[{'name':"
                        "'deviceCategory'}],'metrics':[{'name':'totalUsers'}],'limit':1,"
                        "'metricAggregations':['TOTAL']}");
}

/* The SQL is the same, what is bound to it is not. */
static void what_a_filter_compares_with_tells_questions_apart(void)
{
  static const char *const devices[] = {"mobile", "desktop", "mobile", "tablet"};
  for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
    AUTO_FREE char *request = xasprintf(
        "{" FEB ",'metrics':[{'name':'sessions'}],'keepEmptyRows':true,'dimensionFilter':{'filter':"
        "{'fieldName':'deviceCategory','stringFilter':{'value':'%s'}}}}",
        devices[i]);
    AUTO_FREE char *sql =
        xasprintf("SELECT COUNT(*) FROM sessions WHERE " IN_FEB " AND device='%s'", devices[i]);
    const char *const truth[] = {sql};
    check_row(2, request, truth, 1);
  }
}

TEST_MAIN("sim_report", TEST(session_metrics_equal_sql), TEST(both_ways_to_a_session_metric_agree),
          TEST(an_event_filter_counts_sessions_that_contain_the_event),
          TEST(key_events_by_name_equal_sql), TEST(expressions_are_computed_after_adding_up),
          TEST(groups_equal_sql_and_come_by_the_first_metric),
          TEST(limit_and_offset_cut_the_same_list), TEST(several_ranges_append_date_range_last),
          TEST(totals_do_not_add_up_what_is_not_additive),
          TEST(metric_filters_act_on_groups_and_on_totals), TEST(every_filter_form_equals_its_sql),
          TEST(empty_results_have_no_rows_and_no_count), TEST(metadata_reports_what_is_odd),
          TEST(unregistered_dimensions_are_refused), TEST(comparisons_make_slices),
          TEST(dimension_expressions_and_quotes_are_safe),
          TEST(rows_of_zeros_are_left_out_unless_kept),
          TEST(kept_empty_rows_appear_in_every_range_but_days_do_not),
          TEST(a_report_that_is_asked_for_again_is_the_same),
          TEST(what_a_filter_compares_with_tells_questions_apart), TEST(cleanup_last))
