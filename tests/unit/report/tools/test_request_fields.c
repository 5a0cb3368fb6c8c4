/* Cohorts, comparisons, totals and empty rows of RunReport over a fake Google. */
#include <stdio.h>
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/tool_run.h"

typedef Analytics__Report__V1__RunReportRequest tool_request;
typedef Analytics__Report__V1__RunReportResponse tool_response;

static char d07[] = "d07", cohort[] = "cohort", nth[] = "cohortNthDay", sessions[] = "sessions",
            first[] = "2026-10-01", last[] = "2026-10-02", saved[] = "comparisons/1",
            *cohorts[] = {cohort, nth}, *visits[] = {sessions};

static void request_init(tool_request *r)
{
  analytics__report__v1__run_report_request__init(r);
  r->dealer_id = d07;
  r->n_metrics = 1;
  r->metrics = visits;
}

static bool refused(struct fakes *f, const tool_request *request, const char *start)
{
  struct err e;
  tool_response *r = tool_run(f, "RunReport", &request->base, &e);
  bool ok =
      r == NULL && e.code == ERR_INVALID_ARGUMENT && strncmp(e.message, start, strlen(start)) == 0;
  if (!ok)
    printf("\n    got: %s\n", e.message);
  tool_free(r);
  return ok;
}

static void totals_come_beside_the_rows_by_range(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  Analytics__Ga4__V1beta__DateRange one = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT, two = one;
  Analytics__Ga4__V1beta__DateRange *ranges[] = {&one, &two};
  Analytics__Ga4__V1beta__MetricAggregation kinds[] = {
      ANALYTICS__GA4__V1BETA__METRIC_AGGREGATION__TOTAL,
      ANALYTICS__GA4__V1BETA__METRIC_AGGREGATION__MAXIMUM};
  request_init(&request);
  one.start_date = one.end_date = first;
  two.start_date = two.end_date = last;
  request.n_date_ranges = request.n_metric_aggregations = 2;
  request.date_ranges = ranges;
  request.metric_aggregations = kinds;
  request.keep_empty_rows = true;
  fakes_start(&f, NULL);
  LOCKED(&f,
         f.google.body =
             "{\"dimensionHeaders\":[{\"name\":\"dateRange\"}],\"metricHeaders\":[{\"name\":"
             "\"sessions\"}],\"rows\":[{\"dimensionValues\":[{\"value\":\"date_range_0\"}],"
             "\"metricValues\":[{\"value\":\"5\"}]}],\"totals\":[{\"dimensionValues\":[{\"value\":"
             "\"date_range_0\"}],\"metricValues\":[{\"value\":\"5\"}]},{\"dimensionValues\":[{"
             "\"value\":\"date_range_1\"}],\"metricValues\":[{\"value\":\"0\"}]}],\"maximums\":[{"
             "\"dimensionValues\":[{\"value\":\"date_range_0\"}],\"metricValues\":[{\"value\":"
             "\"5\"}]}],\"rowCount\":1}");
  tool_response *r = tool_run(&f, "RunReport", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  LOCKED(&f, CU_ASSERT_PTR_NOT_NULL(strstr(f.last_body, "\"metricAggregations\":[\"TOTAL\","
                                                        "\"MAXIMUM\"]")));
  LOCKED(&f, CU_ASSERT_PTR_NOT_NULL(strstr(f.last_body, "\"keepEmptyRows\":true")));
  CU_ASSERT_EQUAL_FATAL(r->n_aggregates, 3);
  CU_ASSERT_STRING_EQUAL(r->aggregates[0]->of, "2026-10-01 to 2026-10-01");
  CU_ASSERT_STRING_EQUAL(r->aggregates[1]->of, "2026-10-02 to 2026-10-02");
  CU_ASSERT_STRING_EQUAL(r->aggregates[1]->values[0], "0");
  CU_ASSERT_STRING_EQUAL(r->aggregates[2]->aggregation, "MAXIMUM");
  CU_ASSERT_STRING_EQUAL(r->aggregates[2]->metrics[0], "sessions");
  tool_free(r);
  fakes_stop(&f);
}

static void cohorts_take_the_place_of_date_ranges(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  Analytics__Ga4__V1beta__DateRange days = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT,
                                    *ranges[] = {&days};
  Analytics__Ga4__V1beta__Cohort one = ANALYTICS__GA4__V1BETA__COHORT__INIT, *list[] = {&one};
  Analytics__Ga4__V1beta__CohortsRange range = ANALYTICS__GA4__V1BETA__COHORTS_RANGE__INIT;
  Analytics__Ga4__V1beta__CohortSpec spec = ANALYTICS__GA4__V1BETA__COHORT_SPEC__INIT;
  request_init(&request);
  request.n_dimensions = 2;
  request.dimensions = cohorts;
  request.cohort_spec = &spec;
  fakes_start(&f, NULL);
  CU_ASSERT(refused(&f, &request, "cohort_spec.cohorts: "));
  spec.n_cohorts = 1;
  spec.cohorts = list;
  CU_ASSERT(refused(&f, &request, "cohort_spec.cohorts_range.granularity: "));
  spec.cohorts_range = &range;
  range.granularity = ANALYTICS__GA4__V1BETA__COHORTS_RANGE__GRANULARITY__DAILY;
  range.end_offset = 3;
  CU_ASSERT(refused(&f, &request, "cohort_spec.cohorts[0].date_range: "));
  one.date_range = &days;
  CU_ASSERT(refused(&f, &request, "cohort_spec.cohorts[0].date_range.start_date: "));
  days.start_date = first;
  days.end_date = last;
  request.n_date_ranges = 1;
  request.date_ranges = ranges;
  CU_ASSERT(refused(&f, &request, "date_ranges: "));
  request.n_date_ranges = 0;
  LOCKED(&f, f.google.body =
                 "{\"dimensionHeaders\":[{\"name\":\"cohort\"},{\"name\":\"cohortNthDay\"}],"
                 "\"metricHeaders\":[{\"name\":\"sessions\"}],\"rows\":[{\"dimensionValues\":[{"
                 "\"value\":\"cohort_0\"},{\"value\":\"0000\"}],\"metricValues\":[{\"value\":"
                 "\"5\"}]}],\"rowCount\":1}");
  tool_response *r = tool_run(&f, "RunReport", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  LOCKED(&f, CU_ASSERT_PTR_NOT_NULL(strstr(
                 f.last_body,
                 "\"cohortSpec\":{\"cohorts\":[{\"dimension\":\"firstSessionDate\",\"dateRange\":{"
                 "\"startDate\":\"2026-10-01\",\"endDate\":\"2026-10-02\"}}],\"cohortsRange\":{"
                 "\"granularity\":\"DAILY\",\"endOffset\":3}}")));
  LOCKED(&f, CU_ASSERT_PTR_NULL(strstr(f.last_body, "\"dateRanges\"")));
  CU_ASSERT_PTR_NULL(r->period);
  CU_ASSERT_EQUAL(r->n_rows, 1);
  CU_ASSERT(r->n_caveats > 0 && strstr(r->caveats[0], "cohort") != NULL);
  tool_free(r);
  fakes_stop(&f);
}

/* Google counts the rows of all comparisons as one, so the next page is a limit further on. */
static void comparisons_are_a_column_and_paged_together(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  Analytics__Ga4__V1beta__Comparison one = ANALYTICS__GA4__V1BETA__COMPARISON__INIT, other = one;
  Analytics__Ga4__V1beta__Comparison *list[] = {&one, &other, &one, &one, &one};
  request_init(&request);
  request.n_dimensions = 1;
  request.dimensions = cohorts + 1;
  request.n_comparisons = 5;
  request.comparisons = list;
  request.limit = 1;
  fakes_start(&f, NULL);
  CU_ASSERT(refused(&f, &request, "comparisons: "));
  request.n_comparisons = 2;
  CU_ASSERT(refused(&f, &request, "comparisons[0]: "));
  one.one_comparison_case = other.one_comparison_case =
      ANALYTICS__GA4__V1BETA__COMPARISON__ONE_COMPARISON_COMPARISON;
  one.comparison = other.comparison = saved;
  LOCKED(&f, f.google.body =
                 "{\"dimensionHeaders\":[{\"name\":\"cohortNthDay\"},{\"name\":\"comparison\"}],"
                 "\"metricHeaders\":[{\"name\":\"sessions\"}],\"rows\":[{\"dimensionValues\":[{"
                 "\"value\":\"a\"},{\"value\":\"x\"}],\"metricValues\":[{\"value\":\"5\"}]},{"
                 "\"dimensionValues\":[{\"value\":\"a\"},{\"value\":\"y\"}],\"metricValues\":[{"
                 "\"value\":\"3\"}]}],\"rowCount\":2}");
  tool_response *r = tool_run(&f, "RunReport", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL(r->n_rows, 2);
  CU_ASSERT_EQUAL(r->next_offset, 1);
  tool_free(r);
  fakes_stop(&f);
}

static void counts_are_for_pivots(void)
{
  struct fakes f;
  tool_request request;
  Analytics__Ga4__V1beta__MetricAggregation count =
      ANALYTICS__GA4__V1BETA__METRIC_AGGREGATION__COUNT;
  request_init(&request);
  request.n_metric_aggregations = 1;
  request.metric_aggregations = &count;
  fakes_start(&f, NULL);
  CU_ASSERT(refused(&f, &request, "metric_aggregations[0]: give TOTAL, MINIMUM or MAXIMUM"));
  CU_ASSERT_EQUAL(f.requests, 0);
  fakes_stop(&f);
}

typedef Analytics__Ga4__V1beta__Metric metric_message;
typedef Analytics__Ga4__V1beta__Dimension dimension_message;

static char per_user[] = "per_user", ratio[] = "keyEvents/activeUsers", town[] = "town",
            city[] = "city", *two[] = {sessions, per_user}, *towns[] = {town};

/* What the request defines goes to Google in the place of the names; what is not shown is in no
 * sentence. */
static void names_are_defined_by_expressions(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  metric_message hidden = ANALYTICS__GA4__V1BETA__METRIC__INIT, made = hidden;
  metric_message *metrics[] = {&hidden, &made};
  dimension_message lower = ANALYTICS__GA4__V1BETA__DIMENSION__INIT, *dimensions[] = {&lower};
  Analytics__Ga4__V1beta__DimensionExpression x =
      ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__INIT;
  Analytics__Ga4__V1beta__DimensionExpression__CaseExpression of =
      ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__CASE_EXPRESSION__INIT;
  request_init(&request);
  request.metrics = two;
  request.n_metrics = request.n_metric_expressions = 2;
  request.metric_expressions = metrics;
  request.dimensions = towns;
  request.n_dimensions = request.n_dimension_expressions = 1;
  request.dimension_expressions = dimensions;
  hidden.name = sessions;
  hidden.invisible = true;
  made.name = per_user;
  lower.name = town;
  lower.dimension_expression = &x;
  x.one_expression_case = ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__ONE_EXPRESSION_LOWER_CASE;
  x.lower_case = &of;
  of.dimension_name = city;
  fakes_start(&f, NULL);
  CU_ASSERT(refused(&f, &request, "metric_expressions[1].expression: missing"));
  made.expression = ratio;
  LOCKED(&f, f.google.body =
                 "{\"dimensionHeaders\":[{\"name\":\"town\"}],\"metricHeaders\":[{\"name\":"
                 "\"per_user\"}],\"rows\":[{\"dimensionValues\":[{\"value\":\"reno\"}],"
                 "\"metricValues\":[{\"value\":\"0.5\"}]}],\"rowCount\":1}");
  tool_response *r = tool_run(&f, "RunReport", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  LOCKED(&f, CU_ASSERT_PTR_NOT_NULL(strstr(
                 f.last_body, "\"metrics\":[{\"name\":\"sessions\",\"invisible\":true},{\"name\":"
                              "\"per_user\",\"expression\":\"keyEvents/activeUsers\"}]")));
  LOCKED(&f, CU_ASSERT_PTR_NOT_NULL(
                 strstr(f.last_body, "\"dimensions\":[{\"name\":\"town\",\"dimensionExpression\":{"
                                     "\"lowerCase\":{\"dimensionName\":\"city\"}}}]")));
  CU_ASSERT_EQUAL(r->n_rows, 1);
  CU_ASSERT_PTR_EQUAL(strstr(r->headline, "1 row of per_user by town for "), r->headline);
  bool said = false;
  for (size_t i = 0; i < r->n_caveats; i++)
    said = said || strstr(r->caveats[i], "per_user counts every event") == r->caveats[i];
  CU_ASSERT(said);
  tool_free(r);
  LOCKED(&f, f.google.fail_status = 400);
  LOCKED(&f, f.google.fail_times = 1);
  LOCKED(&f, f.google.fail_body =
                 "{\"error\":{\"code\":400,\"status\":\"INVALID_ARGUMENT\",\"message\":"
                 "\"Field activeUsers is not a valid metric.\"}}");
  request.limit = 7; /* is not kept */
  CU_ASSERT(refused(&f, &request, "metric_expressions (per_user): "));
  fakes_stop(&f);
}

/* What Google evaluates for each property is not added up. */
static void an_expression_is_of_one_property(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  metric_message made = ANALYTICS__GA4__V1BETA__METRIC__INIT, *metrics[] = {&made};
  request_init(&request);
  request.metrics = two + 1;
  request.n_metric_expressions = 1;
  request.metric_expressions = metrics;
  made.name = per_user;
  made.expression = ratio;
  fakes_start(&f, NULL);
  f.several_properties = true;
  LOCKED(&f, f.google.body = "{\"metricHeaders\":[{\"name\":\"per_user\"}],\"rows\":[{"
                             "\"metricValues\":[{\"value\":\"0.5\"}]}],\"rowCount\":1}");
  tool_response *r = tool_run(&f, "RunReport", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL(f.requests, 1);
  bool said = false;
  for (size_t i = 0; i < r->n_caveats; i++)
    said = said || strstr(r->caveats[i], "this answer is about its default one") != NULL;
  CU_ASSERT(said);
  tool_free(r);
  fakes_stop(&f);
}

static void a_name_is_one_column_of_a_batch(void)
{
  struct fakes f;
  struct err e;
  tool_request one, other;
  tool_request *requests[] = {&one, &other};
  Analytics__Report__V1__BatchRunReportsRequest batch =
      ANALYTICS__REPORT__V1__BATCH_RUN_REPORTS_REQUEST__INIT;
  metric_message made = ANALYTICS__GA4__V1BETA__METRIC__INIT, *metrics[] = {&made};
  batch.dealer_id = d07;
  batch.n_requests = 2;
  batch.requests = requests;
  for (size_t i = 0; i < 2; i++) {
    request_init(requests[i]);
    requests[i]->metrics = two;
    requests[i]->n_metrics = 2;
  }
  made.name = per_user;
  made.expression = ratio;
  one.n_metric_expressions = 1;
  one.metric_expressions = metrics;
  fakes_start(&f, NULL);
  CU_ASSERT_PTR_NULL(tool_run(&f, "BatchRunReports", &batch.base, &e));
  CU_ASSERT_PTR_EQUAL(
      strstr(e.message, "requests[1]: per_user is defined otherwise in requests[0]"), e.message);
  CU_ASSERT_EQUAL(f.requests, 0);
  fakes_stop(&f);
}

TEST_MAIN("report-svc fields of a request", TEST(totals_come_beside_the_rows_by_range),
          TEST(cohorts_take_the_place_of_date_ranges),
          TEST(comparisons_are_a_column_and_paged_together), TEST(counts_are_for_pivots),
          TEST(names_are_defined_by_expressions), TEST(an_expression_is_of_one_property),
          TEST(a_name_is_one_column_of_a_batch))
