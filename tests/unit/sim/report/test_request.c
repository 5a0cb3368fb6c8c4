/* Google's validation messages and their order. */
#include <string.h>

#include "tests/unit/sim/support/fixture.h"

#define RANGE "'dateRanges':[{'startDate':'7daysAgo','endDate':'yesterday'}]"
#define HINT                                                                                       \
  "For a list of valid dimensions and metrics, see "                                               \
  "https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema "

static void check(const char *request, const char *expected)
{
  const char *got = fixture_refusal(request);
  CU_ASSERT_STRING_EQUAL(got, expected);
  if (strcmp(got, expected) != 0)
    printf("\n  got      %s\n  expected %s\n", got, expected);
}

static void unknown_fields_are_named_as_google_names_them(void)
{
  check("{" RANGE ",'dimensions':[{'name':'flavour'}]}",
        "Field flavour is not a valid dimension. " HINT);
  check("{" RANGE ",'metrics':[{'name':'revenuePerPancake'}]}",
        "Field revenuePerPancake is not a valid metric.  " HINT);
  check("{" RANGE ",'metrics':[{'name':'session'}]}",
        "Did you mean sessions? Field session is not a valid metric.  " HINT);
  check("{" RANGE ",'metrics':[{'name':'keyEvents:not_one'}]}",
        "Field keyEvents:not_one is not a valid metric.  " HINT);
  check("{" RANGE ",'dimensions':[{'name':'customEvent:mood'}]}",
        "Field customEvent:mood is not a valid dimension. " HINT);
}

static void duplicates_are_refused(void)
{
  check("{" RANGE ",'dimensions':[{'name':'city'},{'name':'city'}]}",
        "Found duplicate dimensions: city");
  check("{" RANGE ",'metrics':[{'name':'sessions'},{'name':'sessions'}]}",
        "Duplicate metrics are not allowed. Found duplicate metrics: sessions");
  check("{" RANGE ",'metrics':[{'name':'sessions'}],'dimensionFilter':{'filter':{'fieldName':"
        "'sessions','stringFilter':{'value':'1'}}}}",
        "Found duplicate dimensions/metrics.");
}

static void limit_and_offset_must_be_positive(void)
{
  check("{" RANGE ",'metrics':[{'name':'sessions'}],'limit':-1}",
        "limit must be positive. The API received limit = -1");
  check("{" RANGE ",'metrics':[{'name':'sessions'}],'offset':'-5'}",
        "offset must be positive. The API received offset = -5");
  check("{" RANGE ",'metrics':[{'name':'sessions'}],'limit':0}", "");
  check("{" RANGE ",'metrics':[{'name':'sessions'}],'limit':'9999999'}", "");
}

static void dates_are_checked(void)
{
  check("{'metrics':[{'name':'sessions'}]}", "A dateRange is required.");
  check("{}", "A dateRange is required.");
  check("{'metrics':[{'name':'sessions'}],'dateRanges':[{'startDate':'soon','endDate':'today'}]}",
        "Invalid startDate : soon. startDate must be YYYY-MM-DD, NdaysAgo, yesterday, or today.");
  check("{'metrics':[{'name':'sessions'}],'dateRanges':[{'startDate':'today'}]}",
        "Invalid endDate : . endDate must be YYYY-MM-DD, NdaysAgo, yesterday, or today.");
  check("{'metrics':[{'name':'sessions'}],'dateRanges':[{'startDate':'2026-02-02','endDate':"
        "'2026-02-01'}]}",
        "start_date must be less than or equal to end_date. start_date = 2026-02-02 and end_date = "
        "2026-02-01");
  check("{'metrics':[{'name':'sessions'}],'dateRanges':[{'startDate':'2015-08-13','endDate':"
        "'today'}]}",
        "start_date = 2015-08-13 must be greater than 2015-08-13 and less than 3000-01-01.");
  check("{'metrics':[{'name':'sessions'}],'dateRanges':[{'startDate':'2015-08-14','endDate':"
        "'today'}]}",
        "");
}

static void numbers_of_ranges_dimensions_and_metrics_are_limited(void)
{
#define D "{'startDate':'today','endDate':'today'}"
  check("{'metrics':[{'name':'sessions'}],'dateRanges':[" D "," D "," D "," D "," D "]}",
        "Requests are limited to 4 dateRanges.\n  This request contains 5 dateRanges.");
  check("{" RANGE ",'dimensions':[{'name':'date'},{'name':'year'},{'name':'month'},{'name':'week'},"
        "{'name':'day'},{'name':'hour'},{'name':'city'},{'name':'region'},{'name':'country'},"
        "{'name':'browser'}]}",
        "Requests are limited to 9 dimensions within a nested request.\n  This request is for 10 "
        "dimensions.");
  check("{" RANGE
        ",'metrics':[{'name':'sessions'},{'name':'engagedSessions'},{'name':'engagementRate'},"
        "{'name':'bounceRate'},{'name':'totalUsers'},{'name':'newUsers'},{'name':'activeUsers'},"
        "{'name':'eventCount'},{'name':'keyEvents'},{'name':'screenPageViews'},"
        "{'name':'sessionsPerUser'}]}",
        "Requests are limited to 10 metrics within a nested request.\n  This request is for 11 "
        "metrics.");
  check("{" RANGE "}", "Requests require dimensions and/or metrics. Most requests include both.");
}

static void order_and_aggregations_are_checked(void)
{
  check("{" RANGE ",'metrics':[{'name':'sessions'}],'orderBys':[{'metric':{'metricName':"
        "'eventCount'}}]}",
        "Field eventCount exists in OrderBy but is not defined in input Dimensions/Metrics list");
  check("{" RANGE ",'metrics':[{'name':'sessions'}],'metricAggregations':['COUNT']}",
        "Metric aggregation Count is not supported in ReportRequest.");
}

static void checks_are_made_in_googles_order(void)
{
  /* A wrong name comes before a wrong limit, that before a wrong date, that before
   * what is missing. */
  check("{'metrics':[{'name':'pancakes'}],'limit':-1}",
        "Field pancakes is not a valid metric.  " HINT);
  check("{'limit':-1}", "limit must be positive. The API received limit = -1");
  check("{'dateRanges':[{'startDate':'x','endDate':'y'}]}",
        "Invalid startDate : x. startDate must be YYYY-MM-DD, NdaysAgo, yesterday, or today.");
}

static void expressions_are_parsed_or_refused(void)
{
  check("{" RANGE ",'metrics':[{'name':'a','expression':'(sessions+eventCount)/2*3-1'}]}", "");
  CU_ASSERT_PTR_NOT_NULL(
      strstr(fixture_refusal("{" RANGE ",'metrics':[{'name':'a','expression':'sessions+'}]}"),
             "malformed"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(fixture_refusal("{" RANGE ",'metrics':[{'name':'a','expression':'(sessions'}]}"),
             "malformed"));
  check("{" RANGE ",'metrics':[{'name':'a','expression':'pancakes/2'}]}",
        "Field pancakes is not a valid metric.  " HINT);
}

static void filters_that_cannot_be_run_are_refused(void)
{
#define FILTER(f) "{" RANGE ",'metrics':[{'name':'sessions'}],'dimensionFilter':" f "}"
  CU_ASSERT_PTR_NOT_NULL(
      strstr(fixture_refusal(FILTER("{'filter':{'fieldName':'city','stringFilter':{'matchType':"
                                    "'FULL_REGEXP','value':'(?=a)'}}}")),
             "regular expression"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(fixture_refusal(FILTER("{'filter':{'fieldName':'city'}}")), "city must specify"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(fixture_refusal(FILTER("{'andGroup':{}}")), "at least one expression"));
  check(FILTER("{}"), "");
}

static void cleanup_last(void)
{
  fixture_free();
}

TEST_MAIN("sim_request", TEST(unknown_fields_are_named_as_google_names_them),
          TEST(duplicates_are_refused), TEST(limit_and_offset_must_be_positive),
          TEST(dates_are_checked), TEST(numbers_of_ranges_dimensions_and_metrics_are_limited),
          TEST(order_and_aggregations_are_checked), TEST(checks_are_made_in_googles_order),
          TEST(expressions_are_parsed_or_refused), TEST(filters_that_cannot_be_run_are_refused),
          TEST(cleanup_last))
