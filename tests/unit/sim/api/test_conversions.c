/* runReport of v1alpha: conversions, and without a conversionSpec the same as v1beta. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/sim/support/api_fixture.h"

#define REPORT "v1alpha :runReport"
#define FEB "'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-28'}]"
#define IN_FEB "property_id=@ AND date BETWEEN '20260201' AND '20260228'"
#define SPEC "'conversionSpec':{'attributionModel':'DATA_DRIVEN'}"

static double cell(const struct answer *a, int row, int metric)
{
  const char *text = fixture_cell(a->json, "rows", row, "metricValues", metric);
  return text == NULL ? -1 : strtod(text, NULL);
}

static void conversions_are_the_key_events_of_the_world(void)
{
  AUTO_ANSWER struct answer a =
      api(0, REPORT,
          "{" FEB "," SPEC ",'metrics':[{'name':'allConversionsByConversionDate'},{"
          "'name':'advertiserAdCost'}]}",
          NULL);
  CU_ASSERT_EQUAL_FATAL(a.status, 200);
  double truth = fixture_sql(0, "SELECT sum(key_events) FROM sessions WHERE " IN_FEB);
  CU_ASSERT(truth > 0);
  CU_ASSERT_EQUAL(cell(&a, 0, 0), truth);
  CU_ASSERT_EQUAL(cell(&a, 0, 1), 0);
  const cJSON *metadata = cJSON_GetObjectItem(a.json, "metadata");
  CU_ASSERT_STRING_EQUAL(json_get_string(metadata, "section"), "SECTION_ADVERTISING");
}

static void an_action_counts_its_own_event(void)
{
  const struct world_property *p = &fixture_world()->properties[0];
  char sql[300];
  AUTO_ANSWER struct answer a =
      api(0, REPORT,
          "{" FEB ",'conversionSpec':{'conversionActions':['conversionActions/1001']},"
          "'metrics':[{'name':'allConversionsByInteractionDate'}]}",
          NULL);
  CU_ASSERT_EQUAL_FATAL(a.status, 200);
  snprintf(sql, sizeof(sql), "SELECT total(count) FROM events WHERE " IN_FEB " AND name='%s'",
           p->key_events[0].name);
  CU_ASSERT_EQUAL(cell(&a, 0, 0), fixture_sql(0, sql));
}

static void what_is_no_field_or_action_of_conversions_is_refused(void)
{
  static const struct {
    const char *body, *message;
  } cases[] = {
      {"{" FEB "," SPEC ",'metrics':[{'name':'sessions'}]}",
       "The metric sessions is not available in conversion reports."},
      {"{" FEB "," SPEC
       ",'metrics':[{'name':'advertiserAdClicks'}],'dimensions':[{'name':'city'}]}",
       "The dimension city is not available in conversion reports."},
      {"{" FEB ",'conversionSpec':{'conversionActions':['conversionActions/9']},'metrics':[{'name':"
       "'advertiserAdClicks'}]}",
       "The conversion action conversionActions/9 does not exist."},
      {"{" FEB ",'metrics':[{'name':'allConversionsByConversionDate'}]}", "is not a valid metric"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    CU_ASSERT_PTR_NOT_NULL(strstr(api_refusal(0, REPORT, cases[i].body, NULL), cases[i].message));
}

/* Figures over all rows, and rows that an expression names, are those of the plain report. */
static void expressions_and_figures_over_all_rows_are_answered(void)
{
  AUTO_ANSWER struct answer a =
      api(0, REPORT,
          "{" FEB "," SPEC ",'dimensions':[{'name':'device','dimensionExpression':{'upperCase':{"
          "'dimensionName':'deviceCategory'}}}],'metrics':[{'name':'twice','expression':"
          "'allConversionsByConversionDate*2'},{'name':'allConversionsByConversionDate',"
          "'invisible':true}],'metricAggregations':['TOTAL'],'orderBys':[{'metric':{'metricName':"
          "'allConversionsByConversionDate'},'desc':true}]}",
          NULL);
  CU_ASSERT_EQUAL_FATAL(a.status, 200);
  CU_ASSERT_EQUAL(
      cell(&a, 0, 0),
      2 * fixture_sql(0, "SELECT max(n) FROM (SELECT sum(key_events) AS n FROM sessions WHERE " IN_FEB
                         " GROUP BY device)"));
  const char *total = fixture_cell(a.json, "totals", 0, "metricValues", 0);
  CU_ASSERT_PTR_NOT_NULL_FATAL(total);
  CU_ASSERT_EQUAL(strtod(total, NULL),
                  2 * fixture_sql(0, "SELECT sum(key_events) FROM sessions WHERE " IN_FEB));
  CU_ASSERT_STRING_EQUAL(
      api_refusal(0, REPORT,
                  "{" FEB "," SPEC ",'dimensions':[{'name':'x','dimensionExpression':{'lowerCase':{"
                  "'dimensionName':'city'}}}],'metrics':[{'name':'advertiserAdCost'}]}",
                  NULL),
      "The dimension city is not available in conversion reports.");
}

static void without_a_spec_it_is_the_report_of_v1beta(void)
{
  AUTO_ANSWER struct answer a =
      api(0, REPORT, "{" FEB ",'metrics':[{'name':'sessions'}],'dimensions':[]}", NULL);
  CU_ASSERT_EQUAL_FATAL(a.status, 200);
  CU_ASSERT_EQUAL(cell(&a, 0, 0), fixture_sql(0, "SELECT count(*) FROM sessions WHERE " IN_FEB));
}

static void cleanup_last(void)
{
  identity_free();
}

TEST_MAIN("sim_conversions", TEST(conversions_are_the_key_events_of_the_world),
          TEST(an_action_counts_its_own_event),
          TEST(what_is_no_field_or_action_of_conversions_is_refused),
          TEST(expressions_and_figures_over_all_rows_are_answered),
          TEST(without_a_spec_it_is_the_report_of_v1beta), TEST(cleanup_last))
