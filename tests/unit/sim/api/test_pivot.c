/* runPivotReport and its batch: headers, cells, pages, order, aggregates, checks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/sim/support/api_fixture.h"

#define PIVOT "v1beta :runPivotReport"
#define FEB "'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-28'}]"
#define IN_FEB "property_id=@ AND date BETWEEN '20260201' AND '20260228'"
#define DEVICE_BY_CHANNEL                                                                          \
  "'dimensions':[{'name':'deviceCategory'},{'name':'sessionDefaultChannelGroup'}],'metrics':[{"    \
  "'name':'sessions'},{'name':'totalUsers'}]"

static const cJSON *header(const struct answer *a, int pivot)
{
  return cJSON_GetArrayItem(cJSON_GetObjectItem(a->json, "pivotHeaders"), pivot);
}

/* Text of value f of header i. */
static const char *header_text(const struct answer *a, int pivot, int i, int f)
{
  const cJSON *h =
      cJSON_GetArrayItem(cJSON_GetObjectItem(header(a, pivot), "pivotDimensionHeaders"), i);
  const char *text =
      json_get_string(cJSON_GetArrayItem(cJSON_GetObjectItem(h, "dimensionValues"), f), "value");
  return text == NULL ? "" : text;
}

static int size(const struct answer *a, const char *list)
{
  return cJSON_GetArraySize(cJSON_GetObjectItem(a->json, list));
}

static double cell(const struct answer *a, const char *list, int row, int metric)
{
  const char *text = fixture_cell(a->json, list, row, "metricValues", metric);
  return text == NULL ? -1 : strtod(text, NULL);
}

static double sql(size_t dealer, const char *format, const char *one, const char *two)
{
  char text[1024];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(text, sizeof(text), format, one, two);
#pragma GCC diagnostic pop
  return fixture_sql(dealer, text);
}

static void cells_equal_their_groups_in_the_order_of_the_pivots(void)
{
  AUTO_ANSWER struct answer a =
      api(0, PIVOT,
          "{" FEB "," DEVICE_BY_CHANNEL ",'pivots':[{'fieldNames':['deviceCategory'],'limit':2,"
          "'orderBys':[{'dimension':{'dimensionName':'deviceCategory'},'desc':true}]},{"
          "'fieldNames':['sessionDefaultChannelGroup'],'limit':3,'offset':1,'orderBys':[{'metric':{"
          "'metricName':'sessions'},'desc':true}]}]}",
          NULL);
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_STRING_EQUAL(member(&a, "kind"), "analyticsData#runPivotReport");
  CU_ASSERT_EQUAL(size(&a, "pivotHeaders"), 2);
  CU_ASSERT_STRING_EQUAL(header_text(&a, 0, 0, 0), "tablet");
  CU_ASSERT_STRING_EQUAL(header_text(&a, 0, 1, 0), "mobile");
  CU_ASSERT_STRING_EQUAL(header_text(&a, 0, 2, 0), "");
  CU_ASSERT_EQUAL(json_get_number(header(&a, 0), "rowCount", 0), 3);
  CU_ASSERT_EQUAL(json_get_number(header(&a, 1), "rowCount", 0),
                  fixture_sql(0, "SELECT COUNT(DISTINCT channel) FROM sessions WHERE " IN_FEB));
  /* The page of channels is the second to fourth of all sessions. */
  double before = 1e9;
  for (int i = 0; i < 3; i++) {
    double n = sql(0, "SELECT COUNT(*) FROM sessions WHERE " IN_FEB " AND channel='%s'%s",
                   header_text(&a, 1, i, 0), "");
    CU_ASSERT_TRUE(n <= before);
    before = n;
  }
  for (int i = 0; i < size(&a, "rows"); i++) {
    const char *device = fixture_cell(a.json, "rows", i, "dimensionValues", 0);
    const char *channel = fixture_cell(a.json, "rows", i, "dimensionValues", 1);
#define OF_CELL " FROM sessions WHERE " IN_FEB " AND device='%s' AND channel='%s'"
    CU_ASSERT_EQUAL(cell(&a, "rows", i, 0), sql(0, "SELECT COUNT(*)" OF_CELL, device, channel));
    CU_ASSERT_EQUAL(cell(&a, "rows", i, 1),
                    sql(0, "SELECT COUNT(DISTINCT user_id)" OF_CELL, device, channel));
  }
  CU_ASSERT_TRUE(size(&a, "rows") >= 5 && size(&a, "rows") <= 6);
}

static void two_ranges_gain_a_pivot_of_date_ranges(void)
{
  AUTO_ANSWER struct answer a =
      api(0, PIVOT,
          "{'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-28','name':'now'},{"
          "'startDate':'2026-01-12','endDate':'2026-01-31','name':'before'}],'dimensions':[{'name':"
          "'deviceCategory'}],'metrics':[{'name':'sessions'}],'pivots':[{'fieldNames':["
          "'deviceCategory'],'limit':10}]}",
          NULL);
  CU_ASSERT_EQUAL_FATAL(size(&a, "pivotHeaders"), 2);
  CU_ASSERT_STRING_EQUAL(header_text(&a, 1, 0, 0), "now");
  CU_ASSERT_STRING_EQUAL(header_text(&a, 1, 1, 0), "before");
  CU_ASSERT_EQUAL(json_get_number(header(&a, 0), "rowCount", 0), 3);
  CU_ASSERT_EQUAL(size(&a, "rows"), 6);
  CU_ASSERT_STRING_EQUAL(fixture_cell(a.json, "rows", 1, "dimensionValues", 1), "before");
  CU_ASSERT_EQUAL(cell(&a, "rows", 1, 0),
                  sql(0,
                      "SELECT COUNT(*) FROM sessions WHERE property_id=@ AND date BETWEEN "
                      "'20260112' AND '20260131' AND device='%s'%s",
                      fixture_cell(a.json, "rows", 1, "dimensionValues", 0), ""));
}

static void aggregates_are_counted_over_the_data_of_the_other_pivots(void)
{
  AUTO_ANSWER struct answer a =
      api(3, PIVOT,
          "{" FEB "," DEVICE_BY_CHANNEL ",'pivots':[{'fieldNames':['deviceCategory'],'limit':5},{"
          "'fieldNames':['sessionDefaultChannelGroup'],'limit':30,'metricAggregations':['TOTAL',"
          "'MAXIMUM','COUNT']}]}",
          NULL);
  int totals = 0;
  for (int i = 0; i < size(&a, "aggregates"); i++) {
    const char *device = fixture_cell(a.json, "aggregates", i, "dimensionValues", 0);
    const char *reserved = fixture_cell(a.json, "aggregates", i, "dimensionValues", 1);
    if (strcmp(reserved, "RESERVED_TOTAL") == 0) {
      totals++;
      CU_ASSERT_EQUAL(
          cell(&a, "aggregates", i, 1),
          sql(3, "SELECT COUNT(DISTINCT user_id) FROM sessions WHERE " IN_FEB " AND device='%s'%s",
              device, ""));
    } else if (strcmp(reserved, "RESERVED_MAX") == 0) {
      CU_ASSERT_EQUAL(cell(&a, "aggregates", i, 0),
                      sql(3,
                          "SELECT MAX(n) FROM (SELECT COUNT(*) n FROM sessions WHERE " IN_FEB
                          " AND device='%s'%s GROUP BY channel)",
                          device, ""));
    } else {
      CU_ASSERT_STRING_EQUAL(reserved, "RESERVED_COUNT");
      CU_ASSERT_EQUAL(
          cell(&a, "aggregates", i, 0),
          sql(3, "SELECT COUNT(DISTINCT channel) FROM sessions WHERE " IN_FEB " AND device='%s'%s",
              device, ""));
    }
  }
  CU_ASSERT_EQUAL(totals, 3);
  CU_ASSERT_EQUAL(size(&a, "aggregates"), 9);
}

static void headers_can_be_ordered_by_a_cell(void)
{
  AUTO_ANSWER struct answer a =
      api(0, PIVOT,
          "{" FEB "," DEVICE_BY_CHANNEL ",'pivots':[{'fieldNames':['sessionDefaultChannelGroup'],"
          "'limit':30,'orderBys':[{'pivot':{'metricName':'sessions','pivotSelections':[{"
          "'dimensionName':'deviceCategory','dimensionValue':'desktop'}]},'desc':true}]},{"
          "'fieldNames':['deviceCategory'],'limit':5}]}",
          NULL);
  double before = 1e9;
  CU_ASSERT_EQUAL(a.status, 200);
  for (int i = 0; header_text(&a, 0, i, 0)[0] != '\0'; i++) {
    double n = sql(
        0, "SELECT COUNT(*) FROM sessions WHERE " IN_FEB " AND device='desktop' AND channel='%s'%s",
        header_text(&a, 0, i, 0), "");
    CU_ASSERT_TRUE(n <= before);
    before = n;
  }
  CU_ASSERT_TRUE(before < 1e9);
}

static void pivots_are_checked(void)
{
#define WITH(pivots) "{" FEB "," DEVICE_BY_CHANNEL ",'pivots':[" pivots "]}"
  CU_ASSERT_STRING_EQUAL(api_refusal(0, PIVOT, WITH(""), NULL),
                         "The runPivotReportRequest must contain at least one pivot.");
  CU_ASSERT_STRING_EQUAL(
      api_refusal(0, PIVOT, WITH("{'fieldNames':['city'],'limit':1}"), NULL),
      "Field city exists in a Pivot but is not defined in input Dimensions list");
  CU_ASSERT_STRING_EQUAL(api_refusal(0, PIVOT, WITH("{'fieldNames':['deviceCategory']}"), NULL),
                         "Each Pivot requires a limit.");
  CU_ASSERT_STRING_EQUAL(
      api_refusal(0, PIVOT,
                  WITH("{'fieldNames':['deviceCategory'],'limit':1000},{'fieldNames':["
                       "'sessionDefaultChannelGroup'],'limit':1000}"),
                  NULL),
      "The product of the limits of all pivots must not exceed 250000. The API received a product "
      "of 1000000.");
  CU_ASSERT_STRING_EQUAL(api_refusal(0, PIVOT,
                                     WITH("{'fieldNames':['deviceCategory'],'limit':1},{"
                                          "'fieldNames':['deviceCategory'],'limit':1}"),
                                     NULL),
                         "Dimension deviceCategory is in more than one Pivot.");
}

static void a_batch_of_pivots_equals_single_ones(void)
{
#define ONE WITH("{'fieldNames':['deviceCategory'],'limit':3}")
  AUTO_ANSWER struct answer one = api(0, PIVOT, ONE, NULL);
  AUTO_ANSWER struct answer batch =
      api(0, "v1beta :batchRunPivotReports", "{'requests':[" ONE "," ONE "]}", NULL);
  const cJSON *reports = cJSON_GetObjectItem(batch.json, "pivotReports");
  CU_ASSERT_EQUAL(cJSON_GetArraySize(reports), 2);
  CU_ASSERT_TRUE(cJSON_Compare(one.json, cJSON_GetArrayItem(reports, 1), true));
  CU_ASSERT_STRING_EQUAL(member(&batch, "kind"), "analyticsData#batchRunPivotReports");
  /* A dimension of no pivot is not shown. */
  CU_ASSERT_EQUAL(size(&one, "dimensionHeaders"), 1);
  CU_ASSERT_EQUAL(size(&one, "rows"), 3);
  CU_ASSERT_STRING_EQUAL(
      api_refusal(0, "v1beta :batchRunPivotReports", "{}", NULL),
      "The batchRunPivotReportsRequest must contain at least one runPivotReportRequest.");
}

static void cleanup_last(void)
{
  identity_free();
}

TEST_MAIN("sim_pivot", TEST(cells_equal_their_groups_in_the_order_of_the_pivots),
          TEST(two_ranges_gain_a_pivot_of_date_ranges),
          TEST(aggregates_are_counted_over_the_data_of_the_other_pivots),
          TEST(headers_can_be_ordered_by_a_cell), TEST(pivots_are_checked),
          TEST(a_batch_of_pivots_equals_single_ones), TEST(cleanup_last))
