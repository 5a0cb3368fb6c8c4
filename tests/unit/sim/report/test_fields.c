/* The field catalogue: complete, consistent, and every row of it answers. */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/report/fields.h"
#include "tests/unit/sim/support/fixture.h"

#define FEB "'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-28'}]"
#define IN_FEB "property_id=@ AND date BETWEEN '20260201' AND '20260228'"

static void names_are_unique_and_every_row_is_complete(void)
{
  for (int metric = 0; metric < 2; metric++) {
    const struct field *f, *g;
    for (size_t i = 0; (f = field_at(metric, i)) != NULL; i++) {
      CU_ASSERT_TRUE(f->ui_name[0] != '\0' && f->category[0] != '\0' && f->description[0] != '\0');
      CU_ASSERT_EQUAL(f->type != METRIC_TYPE_UNSPECIFIED, metric);
      for (size_t k = 0; k < i; k++) {
        g = field_at(metric, k);
        CU_ASSERT_STRING_NOT_EQUAL(f->api_name, g->api_name);
        CU_ASSERT_TRUE(f->deprecated == NULL || g->deprecated == NULL ||
                       strcmp(f->deprecated, g->deprecated) != 0);
      }
    }
    CU_ASSERT_TRUE(metric ? metric_field_find("nonsense") == NULL
                          : dimension_field_find("nonsense") == NULL);
  }
}

/* Names that Google's published schema and the hints of its own server have. */
static void the_public_schema_is_known(void)
{
  static const char *const dimensions[] = {"source",
                                           "medium",
                                           "sourceMedium",
                                           "campaignName",
                                           "firstUserSource",
                                           "firstUserMedium",
                                           "firstUserCampaignName",
                                           "audienceId",
                                           "audienceName",
                                           "fullPageUrl",
                                           "pageReferrer",
                                           "itemName",
                                           "cm360AccountId",
                                           "sessionCm360Source",
                                           "firstUserGoogleAdsKeyword",
                                           "googleAdsQuery",
                                           "sa360Query",
                                           "sessionSa360EngineAccountType",
                                           "firstUserDv360LineItemName",
                                           "sessionManualAdContent",
                                           "manualTerm",
                                           "cohortNthWeek",
                                           "userAgeBracket",
                                           "unifiedPagePathScreen",
                                           "virtualCurrencyName",
                                           "sessionGoogleAdsAdGroupName"};
  static const char *const metrics[] = {"active1DayUsers",
                                        "eventValue",
                                        "purchaseRevenue",
                                        "totalRevenue",
                                        "advertiserAdClicks",
                                        "advertiserAdCost",
                                        "advertiserAdCostPerClick",
                                        "advertiserAdImpressions",
                                        "itemsViewed",
                                        "organicGoogleSearchClicks",
                                        "wauPerMau"};
  for (size_t i = 0; i < ARRAY_LEN(dimensions); i++)
    CU_ASSERT_PTR_NOT_NULL(dimension_field_find(dimensions[i]));
  for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
    CU_ASSERT_PTR_NOT_NULL(metric_field_find(metrics[i]));
  CU_ASSERT_STRING_EQUAL(dimension_field_find("sessionSource")->category, "Traffic Source");
  CU_ASSERT_PTR_EQUAL(metric_field_find("conversions"), metric_field_find("keyEvents"));
}

static cJSON *report_of(const struct field *f, struct err *e)
{
  bool metric = f->type != METRIC_TYPE_UNSPECIFIED;
  AUTO_FREE char *request =
      metric
          ? xasprintf("{" FEB ",'metrics':[{'name':'%s'}]}", f->api_name)
          : xasprintf("{" FEB ",'dimensions':[{'name':'%s'}],'metrics':[{'name':'%s'}],'limit':3}",
                      f->api_name, f->group == GROUP_COHORT ? "cohortTotalUsers" : "sessions");
  cJSON *r = fixture_report(0, request, e);
  if (r == NULL && f->group != GROUP_COHORT)
    printf("\n  %s: %s\n", f->api_name, e->message);
  return r;
}

/* Fields with data give rows; the others give an empty report of Google's shape. */
static void every_field_answers(void)
{
  for (int metric = 0; metric < 2; metric++) {
    const struct field *f;
    for (size_t i = 0; (f = field_at(metric, i)) != NULL; i++) {
      struct err e;
      AUTO_JSON cJSON *r = report_of(f, &e);
      if (f->group == GROUP_COHORT) { /* with a cohortSpec only: test_pages.c */
        CU_ASSERT_PTR_NULL(r);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "requires a cohortSpec."));
        continue;
      }
      const char *headers = metric ? "metricHeaders" : "dimensionHeaders";
      const cJSON *header = cJSON_GetArrayItem(cJSON_GetObjectItem(r, headers), 0);
      CU_ASSERT_STRING_EQUAL(json_get_string(header, "name"), f->api_name);
      CU_ASSERT_STRING_EQUAL(json_get_string(r, "kind"), "analyticsData#runReport");
      CU_ASSERT_PTR_NOT_NULL(cJSON_GetObjectItem(r, "metadata"));
      CU_ASSERT_EQUAL(json_get_number(r, "rowCount", 0) >= 1, f->sql != NULL);
      CU_ASSERT_EQUAL(cJSON_GetObjectItem(r, "rows") != NULL, f->sql != NULL);
      if (metric)
        CU_ASSERT_STRING_EQUAL(json_get_string(header, "type"), metric_type_name(f->type));
    }
  }
}

static void check_first(const char *dimension, const char *sql)
{
  struct err e;
  AUTO_FREE char *request = xasprintf("{" FEB ",'dimensions':[{'name':'%s'}],'metrics':[{'name':"
                                      "'sessions'}],'orderBys':[{'dimension':{'dimensionName':"
                                      "'%s'}}],'limit':1}",
                                      dimension, dimension);
  AUTO_JSON cJSON *r = fixture_report(0, request, &e);
  const char *value = fixture_cell(r, "rows", 0, "metricValues", 0);
  CU_ASSERT_TRUE(value != NULL && strtod(value, NULL) == fixture_sql(0, sql));
}

static void new_fields_of_the_world_equal_sql(void)
{
  check_first("source", "SELECT COUNT(*) FROM sessions WHERE " IN_FEB
                        " GROUP BY source ORDER BY source LIMIT 1");
  check_first("sourceMedium", "SELECT COUNT(*) FROM sessions WHERE " IN_FEB
                              " GROUP BY source||' / '||medium ORDER BY source||' / '||medium"
                              " LIMIT 1");
  check_first("countryId", "SELECT COUNT(*) FROM sessions WHERE " IN_FEB
                           " AND country=(SELECT MIN(country) FROM sessions WHERE " IN_FEB ")");
  check_first("nthHour", "SELECT COUNT(DISTINCT session_id) FROM events WHERE property_id=@ AND "
                         "date='20260201' AND hour=(SELECT MIN(hour) FROM events WHERE "
                         "property_id=@ AND date='20260201')");
  check_first("streamId", "SELECT COUNT(*) FROM sessions WHERE " IN_FEB);
}

static void a_metric_without_data_is_zero_beside_one_that_has_some(void)
{
  struct err e;
  AUTO_JSON cJSON *r = fixture_report(
      0,
      "{" FEB ",'metrics':[{'name':'sessions'},{'name':'totalRevenue'},{'name':'value',"
      "'expression':'totalRevenue/sessions'}]}",
      &e);
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "rows", 0, "metricValues", 1), "0");
  CU_ASSERT_STRING_EQUAL(fixture_cell(r, "rows", 0, "metricValues", 2), "0");
}

static void a_filter_sees_not_set_where_there_is_no_data(void)
{
#define FILTERED(inner) "{" FEB ",'metrics':[{'name':'sessions'}],'dimensionFilter':{" inner "}}"
  struct err e;
  double all = fixture_sql(0, "SELECT COUNT(*) FROM sessions WHERE " IN_FEB);
  AUTO_JSON cJSON *none = fixture_report(
      0, FILTERED("'filter':{'fieldName':'itemName','stringFilter':{'value':'hat'}}"), &e);
  AUTO_JSON cJSON *unset =
      fixture_report(0, FILTERED("'filter':{'fieldName':'itemName','emptyFilter':{}}"), &e);
  CU_ASSERT_PTR_NULL(cJSON_GetObjectItem(none, "rows"));
  CU_ASSERT_EQUAL(strtod(fixture_cell(unset, "rows", 0, "metricValues", 0), NULL), all);
}

static void fields_that_do_not_go_together_are_refused(void)
{
  static const struct {
    const char *request, *remove; /* NULL: accepted */
  } cases[] = {
      {"'dimensions':[{'name':'pagePath'}],'metrics':[{'name':'advertiserAdCost'}]",
       "advertiserAdCost"},
      {"'dimensions':[{'name':'sessionCampaignName'}],'metrics':[{'name':'advertiserAdCost'}]",
       NULL},
      {"'metrics':[{'name':'sessions'},{'name':'organicGoogleSearchClicks'}]",
       "organicGoogleSearchClicks"},
      {"'dimensions':[{'name':'landingPage'}],'metrics':[{'name':'organicGoogleSearchClicks'}]",
       NULL},
      {"'dimensions':[{'name':'itemName'}],'metrics':[{'name':'eventCount'}]", NULL},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_FREE char *request = xasprintf("{" FEB ",%s}", cases[i].request);
    AUTO_FREE char *expected =
        cases[i].remove == NULL
            ? xstrdup("")
            : xasprintf("Please remove %s to make the request compatible for example. The "
                        "request's dimensions & metrics are incompatible. To learn more, see "
                        "https://ga-dev-tools.web.app/ga4/dimensions-metrics-explorer/",
                        cases[i].remove);
    CU_ASSERT_STRING_EQUAL(fixture_refusal(request), expected);
  }
}

static void cohort_fields_go_with_no_sessions(void)
{
  CU_ASSERT_STRING_EQUAL(
      fixture_refusal("{'dimensions':[{'name':'cohort'},{'name':'cohortNthDay'}],'metrics':[{'name'"
                      ":'sessions'}],'cohortSpec':{'cohorts':[{'dimension':'firstSessionDate',"
                      "'dateRange':{'startDate':'2026-02-01','endDate':'2026-02-01'}}],"
                      "'cohortsRange':{'granularity':'DAILY','endOffset':1}}}"),
      "Please remove sessions to make the request compatible for example. The request's dimensions "
      "& metrics are incompatible. To learn more, see "
      "https://ga-dev-tools.web.app/ga4/dimensions-metrics-explorer/");
}

static void cleanup_last(void)
{
  fixture_free();
}

TEST_MAIN("sim_fields", TEST(names_are_unique_and_every_row_is_complete),
          TEST(the_public_schema_is_known), TEST(every_field_answers),
          TEST(new_fields_of_the_world_equal_sql),
          TEST(a_metric_without_data_is_zero_beside_one_that_has_some),
          TEST(a_filter_sees_not_set_where_there_is_no_data),
          TEST(fields_that_do_not_go_together_are_refused), TEST(cohort_fields_go_with_no_sessions),
          TEST(cleanup_last))
