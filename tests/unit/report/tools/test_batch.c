/* Several reports in one request, over a fake Google. */
#include <stdio.h>
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/tool_run.h"

typedef Analytics__Report__V1__BatchRunReportsRequest batch_request;
typedef Analytics__Report__V1__BatchRunReportsResponse batch_response;
typedef Analytics__Report__V1__RunReportRequest one_request;

static char d07[] = "d07", d08[] = "d08", city[] = "city", landing[] = "landingPage",
            sessions[] = "sessions", users[] = "totalUsers", *cities[] = {city},
            *pages[] = {landing}, *visits[] = {sessions}, *both[] = {sessions, users};

/* Two rows of seven and their total. */
#define FIRST                                                                                      \
  "{\"dimensionHeaders\":[{\"name\":\"city\"}],\"metricHeaders\":[{\"name\":\"sessio"              \
  "ns\"}],\"rows\":[{\"dimensionValues\":[{\"value\":\"Reno\"}],\"metricValues\":[{\""             \
  "value\":\"5\"}]},{\"dimensionValues\":[{\"value\":\"Boise\"}],\"metricValues\":[{"              \
  "\"value\":\"3\"}]}],\"totals\":[{\"dimensionValues\":[{\"value\":\"RESERVED_TOTAL"              \
  "\"}],\"metricValues\":[{\"value\":\"11\"}]}],\"rowCount\":7,\"kind\":\"k\"}"
/* Another dimension, a further metric. */
#define SECOND                                                                                     \
  "{\"dimensionHeaders\":[{\"name\":\"landingPage\"}],\"metricHeaders\":[{\"name\":"               \
  "\"sessions\"},{\"name\":\"totalUsers\"}],\"rows\":[{\"dimensionValues\":[{\"value"              \
  "\":\"/\"}],\"metricValues\":[{\"value\":\"4\"},{\"value\":\"2\"}]}],\"rowCount\":1,\"m"         \
  "etadata\":{\"subjectToThresholding\":true},\"kind\":\"k\"}"

static const char answer[] = "{\"reports\":[" FIRST "," SECOND "],\"kind\":\"k\"}";
#define HEADER(name) "{\"name\":\"" name "\"}"

/* A batch of two reports. */
struct batch {
  batch_request request;
  one_request first, second, *list[2];
  Analytics__Ga4__V1beta__MetricAggregation total;
};

static void batch_init(struct batch *b)
{
  analytics__report__v1__batch_run_reports_request__init(&b->request);
  analytics__report__v1__run_report_request__init(&b->first);
  b->second = b->first;
  b->list[0] = &b->first;
  b->list[1] = &b->second;
  b->request.dealer_id = d07;
  b->request.n_requests = 2;
  b->request.requests = b->list;
  b->first.n_dimensions = b->first.n_metrics = b->second.n_dimensions = 1;
  b->first.dimensions = cities;
  b->first.metrics = visits;
  b->first.limit = 2;
  b->total = ANALYTICS__GA4__V1BETA__METRIC_AGGREGATION__TOTAL;
  b->first.n_metric_aggregations = 1;
  b->first.metric_aggregations = &b->total;
  b->second.dimensions = pages;
  b->second.n_metrics = 2;
  b->second.metrics = both;
}

static const char *dimension_of(const batch_response *r, size_t row, size_t column)
{
  return r->rows[row]->dimension_values[column]->value;
}

static const char *metric_of(const batch_response *r, size_t row, size_t column)
{
  return r->rows[row]->metric_values[column]->value;
}

static void rows_of_all_reports_stand_under_the_columns_of_all(void)
{
  struct fakes f;
  struct err e;
  struct batch b;
  batch_init(&b);
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.body = answer);
  batch_response *r = tool_run(&f, "BatchRunReports", &b.request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL(f.requests, 1);
  CU_ASSERT(tool_asked(&f, "/v1beta/properties/107:batchRunReports?prettyPrint=false", NULL));
  CU_ASSERT_EQUAL_FATAL(r->n_dimension_headers, 2);
  CU_ASSERT_EQUAL_FATAL(r->n_metric_headers, 2);
  CU_ASSERT_EQUAL_FATAL(r->n_rows, 3);
  CU_ASSERT_EQUAL(r->rows[1]->report, 1);
  CU_ASSERT_STRING_EQUAL(dimension_of(r, 1, 0), "Boise");
  CU_ASSERT_STRING_EQUAL(dimension_of(r, 1, 1), "");
  CU_ASSERT_STRING_EQUAL(metric_of(r, 1, 0), "3");
  CU_ASSERT_STRING_EQUAL(metric_of(r, 1, 1), "");
  CU_ASSERT_EQUAL(r->rows[2]->report, 2);
  CU_ASSERT_STRING_EQUAL(dimension_of(r, 2, 1), "/");
  CU_ASSERT_STRING_EQUAL(metric_of(r, 2, 1), "2");
  tool_free(r);
  fakes_stop(&f);
}

static void each_report_has_its_totals_its_next_page_and_its_caveats(void)
{
  struct fakes f;
  struct err e;
  struct batch b;
  batch_init(&b);
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.body = answer);
  batch_response *r = tool_run(&f, "BatchRunReports", &b.request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL_FATAL(r->n_reports, 2);
  CU_ASSERT_EQUAL(r->reports[0]->row_count, 7);
  CU_ASSERT_EQUAL(r->reports[0]->next_offset, 2);
  CU_ASSERT_EQUAL(r->reports[1]->next_offset, 0);
  CU_ASSERT_EQUAL(strlen(r->reports[1]->start_date), 10);
  CU_ASSERT_EQUAL_FATAL(r->n_aggregates, 1);
  CU_ASSERT_EQUAL(r->aggregates[0]->report, 1);
  CU_ASSERT_STRING_EQUAL(r->aggregates[0]->aggregate->aggregation, "TOTAL");
  CU_ASSERT_STRING_EQUAL(r->aggregates[0]->aggregate->values[0], "11");
  CU_ASSERT_STRING_EQUAL(r->headline, "2 reports with 3 rows for Dealer 7 (d07)");
  bool said = false;
  for (size_t i = 0; i < r->n_caveats; i++)
    said |= strncmp(r->caveats[i], "Report 2: ", 10) == 0 && strstr(r->caveats[i], "hreshold");
  CU_ASSERT(said);
  tool_free(r);
  fakes_stop(&f);
}

static bool refused(struct fakes *f, struct batch *b, const char *start)
{
  struct err e;
  batch_response *r = tool_run(f, "BatchRunReports", &b->request.base, &e);
  bool ok =
      r == NULL && e.code == ERR_INVALID_ARGUMENT && strncmp(e.message, start, strlen(start)) == 0;
  if (!ok)
    printf("\n    got: %s\n", e.message);
  tool_free(r);
  return ok;
}

static void errors_name_the_report_and_its_argument(void)
{
  struct fakes f;
  struct batch b;
  fakes_start(&f, NULL);
  batch_init(&b);
  b.second.dealer_id = d08;
  CU_ASSERT(refused(&f, &b, "requests[1].dealer_id: "));
  batch_init(&b);
  b.second.offset = -1;
  CU_ASSERT(refused(&f, &b, "requests[1].offset: "));
  batch_init(&b);
  b.request.n_requests = 0;
  CU_ASSERT(refused(&f, &b, "requests: give one to 5"));
  CU_ASSERT_EQUAL(f.requests, 0);
  batch_init(&b);
  LOCKED(&f, f.google.fail_status = 400; f.google.fail_times = 1;
         f.google.fail_body =
             "{\"error\":{\"code\":400,\"status\":\"INVALID_ARGUMENT\",\"message\":"
             "\"Field totalUsers is not a valid metric.\"}}");
  CU_ASSERT(refused(&f, &b, "requests[1].metrics[1]: "));
  fakes_stop(&f);
}

static void an_answer_of_fewer_reports_or_other_fields_is_refused(void)
{
  static const char *const bodies[] = {
      "{}", "{\"reports\":[]}",
      "{\"reports\":[{\"dimensionHeaders\":[" HEADER("city") "],\"metricHeaders\":[" HEADER(
          "sessions") "]},{\"dimensionHeaders\":[" HEADER("landingPage") "],"
                                                                         "\"metricHeaders\":"
                                                                         "[" HEADER("session"
                                                                                    "s") "]}]"
                                                                                         "}"};
  struct fakes f;
  struct err e;
  struct batch b;
  batch_init(&b);
  fakes_start(&f, NULL);
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
    LOCKED(&f, f.google.body = bodies[i]);
    CU_ASSERT_PTR_NULL(tool_run(&f, "BatchRunReports", &b.request.base, &e));
    CU_ASSERT_STRING_EQUAL(e.reason, "malformed_response");
  }
  fakes_stop(&f);
}

TEST_MAIN("report-svc batch", TEST(rows_of_all_reports_stand_under_the_columns_of_all),
          TEST(each_report_has_its_totals_its_next_page_and_its_caveats),
          TEST(errors_name_the_report_and_its_argument),
          TEST(an_answer_of_fewer_reports_or_other_fields_is_refused))
