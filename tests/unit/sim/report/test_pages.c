/* Several date ranges are counted and paged in combinations of dimension values; cohorts; currency.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/sim/support/fixture.h"

#define TWO_RANGES                                                                                 \
  "'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-28'},{'startDate':'2026-01-12',"     \
  "'endDate':'2026-01-31'}]"
#define CELLS                                                                                      \
  TWO_RANGES ",'dimensions':[{'name':'city'},{'name':'deviceCategory'},"                           \
             "{'name':'sessionDefaultChannelGroup'}],'metrics':[{'name':'sessions'}]"

enum { PAGE = 10, ROWS_MAX = 2000 };

static cJSON *page(int offset, const char *more)
{
  struct err e;
  AUTO_FREE char *request = xasprintf("{" CELLS ",'limit':%d,'offset':%d%s}", PAGE, offset, more);
  return fixture_report(2, request, &e);
}

/* "city|device|channel|range=value" */
static char *row_text(const cJSON *report, int i)
{
  return xasprintf("%s|%s|%s|%s=%s", fixture_cell(report, "rows", i, "dimensionValues", 0),
                   fixture_cell(report, "rows", i, "dimensionValues", 1),
                   fixture_cell(report, "rows", i, "dimensionValues", 2),
                   fixture_cell(report, "rows", i, "dimensionValues", 3),
                   fixture_cell(report, "rows", i, "metricValues", 0));
}

static int row_count(const cJSON *report)
{
  return cJSON_GetArraySize(cJSON_GetObjectItem(report, "rows"));
}

static int by_text(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Walks all pages; returns how many different rows were seen, and how many in all. */
static int walk(const char *more, int *all)
{
  char **seen = xcalloc(ROWS_MAX, sizeof(*seen));
  int n = 0, different = 0;
  double total = 1;
  for (int offset = 0; offset < total; offset += PAGE) {
    AUTO_JSON cJSON *report = page(offset, more);
    total = json_get_number(report, "rowCount", 0);
    CU_ASSERT_TRUE(row_count(report) <= 2 * PAGE);
    for (int i = 0; i < row_count(report) && n < ROWS_MAX; i++)
      seen[n++] = row_text(report, i);
  }
  qsort(seen, (size_t)n, sizeof(*seen), by_text);
  for (int i = 0; i < n; i++)
    different += i == 0 || strcmp(seen[i - 1], seen[i]) != 0;
  for (int i = 0; i < n; i++)
    free(seen[i]);
  free(seen);
  *all = n;
  return different;
}

#define IN_BOTH                                                                                    \
  "property_id=@ AND (date BETWEEN '20260201' AND '20260228' OR date BETWEEN '20260112' AND "      \
  "'20260131')"

static void pages_of_combinations_show_every_row_of_both_ranges_once(void)
{
  int all, different = walk("", &all);
  CU_ASSERT_EQUAL(all, different);
  CU_ASSERT_EQUAL(all, fixture_sql(2, "SELECT COUNT(*) FROM (SELECT DISTINCT city,device,channel,"
                                      "date<'20260201' FROM sessions WHERE " IN_BOTH ")"));
  different = walk(",'keepEmptyRows':true", &all);
  CU_ASSERT_EQUAL(all, different);
  CU_ASSERT_EQUAL(all, 2 * fixture_sql(2, "SELECT COUNT(*) FROM (SELECT DISTINCT city,device,"
                                          "channel FROM sessions WHERE " IN_BOTH ")"));
}

static void the_count_is_of_combinations(void)
{
  AUTO_JSON cJSON *report = page(0, ",'orderBys':[{'dimension':{'dimensionName':'dateRange'}}]");
  CU_ASSERT_EQUAL(json_get_number(report, "rowCount", 0),
                  fixture_sql(2, "SELECT COUNT(*) FROM (SELECT DISTINCT city,device,channel FROM "
                                 "sessions WHERE " IN_BOTH ")"));
  /* All rows of a page's combinations are in it, in the asked order. */
  for (int i = 1; i < row_count(report); i++)
    CU_ASSERT_TRUE(strcmp(fixture_cell(report, "rows", i - 1, "dimensionValues", 3),
                          fixture_cell(report, "rows", i, "dimensionValues", 3)) <= 0);
}

static void a_currency_must_be_real(void)
{
#define PRICED(code)                                                                               \
  "{'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-02'}],'metrics':[{'name':"          \
  "'sessions'}],'currencyCode':'" code "'}"
  CU_ASSERT_STRING_EQUAL(fixture_refusal(PRICED("EUR")), "");
  CU_ASSERT_STRING_EQUAL(fixture_refusal(PRICED("XYZ")),
                         "Invalid currencyCode : XYZ. The currencyCode must be an ISO 4217 code, "
                         "for example USD.");
  CU_ASSERT_STRING_NOT_EQUAL(fixture_refusal(PRICED("eur")), "");
  CU_ASSERT_STRING_NOT_EQUAL(fixture_refusal(PRICED("EDA")), ""); /* AED, AFN run together */
}

#define COHORTS(granularity, dimension, end, more)                                                 \
  "{'dimensions':[{'name':'cohort'},{'name':'" dimension "'}],'metrics':[{'name':"                 \
  "'cohortActiveUsers'},{'name':'cohortTotalUsers'},{'name':'kept','expression':"                  \
  "'cohortActiveUsers/cohortTotalUsers'}],"                                                        \
  "'orderBys':[{'dimension':{'dimensionName':'cohort'}},{'dimension':{'dimensionName':'" dimension \
  "'}}],'cohortSpec':{'cohorts':[{'name':'early','dimension':'firstSessionDate','dateRange':{"     \
  "'startDate':'2026-01-18','endDate':'2026-01-24'}},{'dimension':'firstSessionDate',"             \
  "'dateRange':{'startDate':'2026-02-01','endDate':'2026-02-07'}}],'cohortsRange':{"               \
  "'granularity':'" granularity "','endOffset':" end "}" more "}}"
#define EARLY                                                                                      \
  "user_id IN (SELECT user_id FROM sessions WHERE property_id=@ AND is_new=1 GROUP BY 1 HAVING "   \
  "MIN(date) BETWEEN '20260118' AND '20260124')"

static const char *value(const cJSON *report, int row, int metric)
{
  const char *text = fixture_cell(report, "rows", row, "metricValues", metric);
  return text == NULL ? "" : text;
}

static void cohorts_follow_users_by_weeks(void)
{
  struct err e;
  AUTO_JSON cJSON *r = fixture_report(1, COHORTS("WEEKLY", "cohortNthWeek", "3", ""), &e);
  CU_ASSERT_STRING_EQUAL(e.message, "");
  CU_ASSERT_EQUAL_FATAL(row_count(r), 8);
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "rows", 0, "dimensionValues", 0), "cohort_1");
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "rows", 6, "dimensionValues", 0), "early");
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "rows", 6, "dimensionValues", 1), "0002");
  /* The cohort is a whole week from Sunday, so its second week is a range of days. */
#define SECOND_WEEK "property_id=@ AND date BETWEEN '20260201' AND '20260207' AND " EARLY
  CU_ASSERT_EQUAL(strtod(value(r, 6, 0), NULL),
                  fixture_sql(1, "SELECT COUNT(DISTINCT user_id) FROM sessions WHERE (engaged OR "
                                 "is_new) AND " SECOND_WEEK));
  CU_ASSERT_EQUAL(strtod(value(r, 6, 2), NULL),
                  strtod(value(r, 6, 0), NULL) / strtod(value(r, 6, 1), NULL));
  for (int i = 4; i < 8; i++)
    CU_ASSERT_EQUAL(strtod(value(r, i, 1), NULL),
                    fixture_sql(1, "SELECT COUNT(DISTINCT user_id) FROM sessions WHERE "
                                   "property_id=@ AND " EARLY));
}

static void cohorts_count_days_from_each_users_first(void)
{
  struct err e;
  AUTO_JSON cJSON *r = fixture_report(1, COHORTS("DAILY", "cohortNthDay", "5", ""), &e);
  int early = -1;
  for (int i = 0; i < row_count(r); i++)
    if (strcmp(fixture_cell(r, "rows", i, "dimensionValues", 0), "early") == 0 &&
        strcmp(fixture_cell(r, "rows", i, "dimensionValues", 1), "0003") == 0)
      early = i;
  CU_ASSERT_TRUE_FATAL(early >= 0);
  CU_ASSERT_EQUAL(
      strtod(value(r, early, 0), NULL),
      fixture_sql(1, "SELECT COUNT(DISTINCT s.user_id) FROM sessions s JOIN (SELECT user_id "
                     "u,MIN(date) f FROM "
                     "sessions WHERE property_id=@ AND is_new=1 GROUP BY 1) ON u=s.user_id WHERE "
                     "s.property_id=@ AND (engaged OR is_new) AND f BETWEEN '20260118' AND "
                     "'20260124' AND date=strftime("
                     "'%Y%m%d',substr(f,1,4)||'-'||substr(f,5,2)||'-'||substr(f,7,2),'+3 days')"));
}

static void accumulated_cohorts_keep_who_came_before(void)
{
  struct err e;
  AUTO_JSON cJSON *r = fixture_report(
      1, COHORTS("WEEKLY", "cohortNthWeek", "3", ",'cohortReportSettings':{'accumulate':true}"),
      &e);
  CU_ASSERT_EQUAL_FATAL(row_count(r), 8);
  CU_ASSERT_EQUAL(
      strtod(value(r, 6, 0), NULL),
      fixture_sql(1, "SELECT COUNT(DISTINCT user_id) FROM sessions WHERE property_id=@ AND "
                     "(engaged OR is_new) AND date BETWEEN '20260118' AND '20260207' AND " EARLY));
}

static void cohort_requests_are_checked(void)
{
  CU_ASSERT_STRING_EQUAL(fixture_refusal(COHORTS("WEEKLY", "cohortNthDay", "3", "")),
                         "Cohort requests with this granularity require the dimension "
                         "cohortNthWeek.");
  CU_ASSERT_STRING_EQUAL(
      fixture_refusal("{'metrics':[{'name':'cohortActiveUsers'}],'dateRanges':[{'startDate':"
                      "'today','endDate':'today'}]}"),
      "The metric cohortActiveUsers requires a cohortSpec.");
  CU_ASSERT_STRING_EQUAL(
      fixture_refusal("{'dimensions':[{'name':'cohort'}],'dateRanges':[{'startDate':'today',"
                      "'endDate':'today'}]}"),
      "The dimension cohort requires a cohortSpec.");
  CU_ASSERT_STRING_EQUAL(
      fixture_refusal("{'metrics':[{'name':'sessions'}],'dateRanges':[{'startDate':'today',"
                      "'endDate':'today'}],'cohortSpec':{}}"),
      "Requests with a cohortSpec must not specify a dateRange.");
}

static void cleanup_last(void)
{
  fixture_free();
}

TEST_MAIN("sim_pages", TEST(pages_of_combinations_show_every_row_of_both_ranges_once),
          TEST(the_count_is_of_combinations), TEST(a_currency_must_be_real),
          TEST(cohorts_follow_users_by_weeks), TEST(cohorts_count_days_from_each_users_first),
          TEST(accumulated_cohorts_keep_who_came_before), TEST(cohort_requests_are_checked),
          TEST(cleanup_last))
