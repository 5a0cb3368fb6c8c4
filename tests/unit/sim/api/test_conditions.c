/* What makes answers go wrong or differ from the data: faults from a row or request on, conditions
 * of a property, quotas that run out and return. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/sim/support/api_fixture.h"

#define RUN "v1beta :runReport"
#define FEB "'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-28'}]"
#define IN_FEB "property_id=@ AND date BETWEEN '20260201' AND '20260228'"
#define SESSIONS "{" FEB ",'metrics':[{'name':'sessions'}]}"
#define PAGES(from)                                                                                \
  "{" FEB ",'dimensions':[{'name':'pagePath'}],'metrics':[{'name':'screenPageViews'}],'limit':5,"  \
  "'offset':" from "}"

static void calm(void)
{
  faults_clear(identity_sim()->faults, 0);
  conditions_clear(identity_sim()->conditions);
  quota_reset(identity_sim()->quota);
}

static void fault(const char *description)
{
  AUTO_ANSWER struct answer a = control("/sim/faults", description);
}

static int size(const struct answer *a, const char *list)
{
  return cJSON_GetArraySize(cJSON_GetObjectItem(a->json, list));
}

static double cell(const struct answer *a, int row, int metric)
{
  const char *text = fixture_cell(a->json, "rows", row, "metricValues", metric);
  return text == NULL ? 0 : strtod(text, NULL);
}

static void each_new_fault_has_its_answer(void)
{
  static const struct {
    const char *kind, *message;
    int status;
  } cases[] = {
      {"429_thresholded", "Exhausted potentially thresholded requests quota.", 429},
      {"429_server_errors", "Exhausted server errors quota.", 429},
      {"403_rate", "Quota exceeded for quota metric 'Requests'", 403},
      {"error_200", "Internal error encountered.", 200},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_FREE char *text = xasprintf("{'dealer_id':'d01','kind':'%s','times':1}", cases[i].kind);
    fault(text);
    AUTO_ANSWER struct answer a = api(0, RUN, SESSIONS, NULL);
    CU_ASSERT_EQUAL(a.status, cases[i].status);
    CU_ASSERT_PTR_NOT_NULL(strstr(member(&a, "error.message"), cases[i].message));
    AUTO_ANSWER struct answer after = api(0, RUN, SESSIONS, NULL);
    CU_ASSERT_EQUAL(size(&after, "rows"), 1);
  }
  fault("{'dealer_id':'d01','kind':'empty_object','times':1}");
  AUTO_ANSWER struct answer empty = api(0, RUN, SESSIONS, NULL);
  CU_ASSERT_EQUAL(empty.status, 200);
  CU_ASSERT_STRING_EQUAL(empty.text, "{}");
  calm();
}

static void a_fault_acts_from_a_row_or_a_request_on(void)
{
  fault("{'dealer_id':'d01','kind':'503','from_row':5}");
  AUTO_ANSWER struct answer first = api(0, RUN, PAGES("0"), NULL);
  AUTO_ANSWER struct answer second = api(0, RUN, PAGES("5"), NULL);
  CU_ASSERT_EQUAL(first.status, 200);
  CU_ASSERT_EQUAL(second.status, 503);
  AUTO_ANSWER struct answer batch =
      api(0, "v1beta :batchRunReports", "{'requests':[" PAGES("0") "," PAGES("10") "]}", NULL);
  CU_ASSERT_EQUAL(batch.status, 503);
  calm();
  fault("{'dealer_id':'*','kind':'401','skip':2,'times':1}");
  static const int expected[] = {200, 200, 401, 200};
  for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
    AUTO_ANSWER struct answer a = api(0, RUN, SESSIONS, NULL);
    CU_ASSERT_EQUAL(a.status, expected[i]);
  }
  calm();
}

static void unknown_names_stand_in_true_answers(void)
{
  AUTO_ANSWER struct answer plain = api(0, RUN, SESSIONS, NULL);
  fault("{'dealer_id':'d01','kind':'unknown_enum'}");
  AUTO_ANSWER struct answer a = api(0, RUN, SESSIONS, NULL);
  const cJSON *header = cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "metricHeaders"), 0);
  CU_ASSERT_STRING_EQUAL(json_get_string(header, "type"), "TYPE_LIGHT_YEARS");
  CU_ASSERT_EQUAL(cell(&a, 0, 0), cell(&plain, 0, 0));
  CU_ASSERT_TRUE(size(&plain, "rows") == 1);
  calm();
}

static void rows_of_equal_rank_change_places(void)
{
#define TIES                                                                                       \
  "{" FEB ",'dimensions':[{'name':'date'}],'metrics':[{'name':'sessions'}],'orderBys':[{"          \
  "'metric':{'metricName':'sessions'},'desc':true}]}"
  AUTO_ANSWER struct answer plain = api(0, RUN, TIES, NULL);
  fault("{'dealer_id':'d01','kind':'tie_reorder'}");
  AUTO_ANSWER struct answer other = api(0, RUN, TIES, NULL);
  int moved = 0;
  CU_ASSERT_EQUAL(size(&plain, "rows"), size(&other, "rows"));
  for (int i = 0; i < size(&plain, "rows"); i++) {
    CU_ASSERT_EQUAL(cell(&plain, i, 0), cell(&other, i, 0));
    moved += strcmp(fixture_cell(plain.json, "rows", i, "dimensionValues", 0),
                    fixture_cell(other.json, "rows", i, "dimensionValues", 0)) != 0;
  }
  CU_ASSERT_TRUE(moved > 0);
  calm();
}

static void wrong_faults_and_conditions_are_refused(void)
{
  AUTO_ANSWER struct answer a =
      post("/sim/faults", fixture_json("{'dealer_id':'d01','kind':'503','from_row':-1}"), NULL);
  CU_ASSERT_STRING_EQUAL(member(&a, "error"),
                         "from_row must be a whole number from 0 to 1000000000");
  AUTO_ANSWER struct answer b =
      post("/sim/conditions", fixture_json("{'dealer_id':'d01','sample_percent':100}"), NULL);
  CU_ASSERT_STRING_EQUAL(member(&b, "error"), "sample_percent must be a whole number from 0 to 99");
  AUTO_ANSWER struct answer c =
      post("/sim/conditions", fixture_json("{'dealer_id':'d01','lag':1}"), NULL);
  CU_ASSERT_EQUAL(c.status, 400);
  AUTO_ANSWER struct answer d =
      post("/sim/conditions", fixture_json("{'dealer_id':'d99','other_after':1}"), NULL);
  CU_ASSERT_EQUAL(d.status, 404);
}

static void fresh_days_are_missing_by_the_lag(void)
{
#define DAYS                                                                                       \
  "{'dateRanges':[{'startDate':'6daysAgo','endDate':'today'}],'dimensions':[{'name':'date'}],"     \
  "'metrics':[{'name':'sessions'}]}"
  AUTO_ANSWER struct answer set =
      control("/sim/conditions", "{'dealer_id':'d02','freshness_lag_days':2}");
  AUTO_ANSWER struct answer late = api(1, RUN, DAYS, NULL);
  AUTO_ANSWER struct answer other = api(0, RUN, DAYS, NULL);
  CU_ASSERT_EQUAL(size(&late, "rows"), 5);
  CU_ASSERT_EQUAL(size(&other, "rows"), 7);
  calm();
}

static void rows_about_few_people_are_withheld(void)
{
#define CITIES "{" FEB ",'dimensions':[{'name':'city'}],'metrics':[{'name':'sessions'}]}"
  AUTO_ANSWER struct answer set =
      control("/sim/conditions", "{'dealer_id':'d01','threshold_users':25}");
  AUTO_ANSWER struct answer a = api(0, RUN, CITIES, NULL);
  CU_ASSERT_EQUAL(size(&a, "rows"),
                  fixture_sql(0, "SELECT COUNT(*) FROM (SELECT city FROM sessions WHERE " IN_FEB
                                 " GROUP BY city HAVING COUNT(DISTINCT user_id)>=25)"));
  CU_ASSERT_TRUE(size(&a, "rows") <
                 fixture_sql(0, "SELECT COUNT(DISTINCT city) FROM sessions WHERE " IN_FEB));
  CU_ASSERT_TRUE(cJSON_IsTrue(
      cJSON_GetObjectItem(cJSON_GetObjectItem(a.json, "metadata"), "subjectToThresholding")));
  /* Without places nothing is withheld. */
  AUTO_ANSWER struct answer all = api(0, RUN, SESSIONS, NULL);
  CU_ASSERT_EQUAL(cell(&all, 0, 0), fixture_sql(0, "SELECT COUNT(*) FROM sessions WHERE " IN_FEB));
  calm();
}

static void the_tail_of_pages_is_one_row(void)
{
#define LANDINGS "{" FEB ",'dimensions':[{'name':'landingPage'}],'metrics':[{'name':'sessions'}]}"
  AUTO_ANSWER struct answer set = control("/sim/conditions", "{'dealer_id':'d01','other_after':3}");
  AUTO_ANSWER struct answer a = api(0, RUN, LANDINGS, NULL);
  double sum = 0, rest = 0;
  CU_ASSERT_EQUAL(size(&a, "rows"), 4);
  for (int i = 0; i < size(&a, "rows"); i++) {
    sum += cell(&a, i, 0);
    if (strcmp(fixture_cell(a.json, "rows", i, "dimensionValues", 0), "(other)") == 0)
      rest = cell(&a, i, 0);
  }
  CU_ASSERT_EQUAL(sum, fixture_sql(0, "SELECT COUNT(*) FROM sessions WHERE " IN_FEB));
  CU_ASSERT_EQUAL(rest,
                  fixture_sql(0, "SELECT COUNT(*) FROM sessions WHERE " IN_FEB
                                 " AND landing_page NOT IN (SELECT landing_page FROM sessions "
                                 "WHERE property_id=@ GROUP BY 1 ORDER BY COUNT(*) DESC,1 LIMIT "
                                 "3)"));
  CU_ASSERT_TRUE(cJSON_IsTrue(
      cJSON_GetObjectItem(cJSON_GetObjectItem(a.json, "metadata"), "dataLossFromOtherRow")));
  calm();
}

static void a_sample_is_read_and_extrapolated(void)
{
  AUTO_ANSWER struct answer set =
      control("/sim/conditions", "{'dealer_id':'d01','sample_percent':40}");
  AUTO_ANSWER struct answer a = api(0, RUN, SESSIONS, NULL);
  double drawn =
      fixture_sql(0, "SELECT COUNT(*) FROM sessions WHERE session_id*7919%100<40 AND " IN_FEB);
  const cJSON *metadata = cJSON_GetObjectItem(a.json, "metadata");
  const cJSON *sampling = cJSON_GetArrayItem(cJSON_GetObjectItem(metadata, "samplingMetadatas"), 0);
  CU_ASSERT_EQUAL(cell(&a, 0, 0), (double)(int64_t)(drawn * 100 / 40 + 0.5));
  CU_ASSERT_EQUAL(strtod(json_get_string(sampling, "samplesReadCount"), NULL),
                  fixture_sql(0, "SELECT SUM(event_count) FROM sessions WHERE "
                                 "session_id*7919%100<40 AND " IN_FEB));
  CU_ASSERT_EQUAL(strtod(json_get_string(sampling, "samplingSpaceSize"), NULL),
                  fixture_sql(0, "SELECT SUM(event_count) FROM sessions WHERE " IN_FEB));
  calm();
}

static void quotas_run_out_and_return_with_the_hour_and_the_day(void)
{
  AUTO_ANSWER struct answer used =
      control("/sim/quota", "{'dealer_id':'d01','tokens_day':199999,'tokens_hour':39999}");
  AUTO_ANSWER struct answer last = api(0, RUN, SESSIONS, NULL);
  CU_ASSERT_EQUAL(last.status, 200);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(api_refusal(0, RUN, SESSIONS, NULL), "Exhausted property tokens per day."));
  AUTO_ANSWER struct answer other = api(1, RUN, SESSIONS, NULL);
  CU_ASSERT_EQUAL(other.status, 200);
  AUTO_ANSWER struct answer tomorrow = control("/sim/quota", "{'advance_s':86400}");
  CU_ASSERT_STRING_EQUAL(api_refusal(0, RUN, SESSIONS, NULL), "");
  calm();
  AUTO_ANSWER struct answer hour =
      control("/sim/quota", "{'dealer_id':'d01','tokens_project_hour':14000}");
  CU_ASSERT_PTR_NOT_NULL(strstr(api_refusal(0, RUN, SESSIONS, NULL),
                                "Exhausted property tokens for a project per hour."));
  AUTO_ANSWER struct answer later = control("/sim/quota", "{'advance_s':3600}");
  CU_ASSERT_STRING_EQUAL(api_refusal(0, RUN, SESSIONS, NULL), "");
  calm();
}

static void requests_about_age_and_audiences_have_their_own_quota(void)
{
#define AGES "{" FEB ",'dimensions':[{'name':'userAgeBracket'}],'metrics':[{'name':'sessions'}]}"
  AUTO_ANSWER struct answer used =
      control("/sim/quota", "{'dealer_id':'d01','thresholded_hour':119}");
  CU_ASSERT_STRING_EQUAL(api_refusal(0, RUN, AGES, NULL), "");
  AUTO_ANSWER struct answer refused = api(0, RUN, AGES, NULL);
  CU_ASSERT_EQUAL(refused.status, 429);
  CU_ASSERT_PTR_NOT_NULL(strstr(member(&refused, "error.message"),
                                "Exhausted potentially thresholded requests quota."));
  CU_ASSERT_STRING_EQUAL(api_refusal(0, RUN, SESSIONS, NULL), "");
  calm();
}

static void cleanup_last(void)
{
  identity_free();
}

TEST_MAIN("sim_conditions", TEST(each_new_fault_has_its_answer),
          TEST(a_fault_acts_from_a_row_or_a_request_on), TEST(unknown_names_stand_in_true_answers),
          TEST(rows_of_equal_rank_change_places), TEST(wrong_faults_and_conditions_are_refused),
          TEST(fresh_days_are_missing_by_the_lag), TEST(rows_about_few_people_are_withheld),
          TEST(the_tail_of_pages_is_one_row), TEST(a_sample_is_read_and_extrapolated),
          TEST(quotas_run_out_and_return_with_the_hour_and_the_day),
          TEST(requests_about_age_and_audiences_have_their_own_quota), TEST(cleanup_last))
