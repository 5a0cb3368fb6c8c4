/* Realtime, pivot, conversions and funnel reports over a fake Google. */
#include <stdio.h>
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "report-svc/google/field.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/tool_run.h"

static char d07[] = "d07", city[] = "city", users[] = "activeUsers", *dimensions[] = {city},
            *metrics[] = {users};

#define HEADERS                                                                                    \
  "\"dimensionHeaders\":[{\"name\":\"city\"}],\"metricHeaders\":[{\"name\":\"activeUsers\","       \
  "\"type\":\"TYPE_INTEGER\"}]"
#define ROW(name, value)                                                                           \
  "{\"dimensionValues\":[{\"value\":\"" name "\"}],\"metricValues\":[{\"value\":\"" value "\"}]}"
#define ROWS "\"rows\":[" ROW("Reno", "5") "," ROW("Boise", "3") "," ROW("Elko", "1") "]"

#define REQUEST(type, INIT)                                                                        \
  Analytics__Report__V1__##type request = ANALYTICS__REPORT__V1__##INIT##__INIT;                   \
  request.dealer_id = d07

#define FIELDS(request)                                                                            \
  do {                                                                                             \
    (request).n_dimensions = (request).n_metrics = 1;                                              \
    (request).dimensions = dimensions;                                                             \
    (request).metrics = metrics;                                                                   \
  } while (0)

static void a_realtime_report_has_an_offset_of_ours(void)
{
  struct fakes f;
  struct err e;
  Analytics__Ga4__V1beta__MinuteRange now = ANALYTICS__GA4__V1BETA__MINUTE_RANGE__INIT;
  Analytics__Ga4__V1beta__MinuteRange *ranges[] = {&now};
  REQUEST(RunRealtimeReportRequest, RUN_REALTIME_REPORT_REQUEST);
  FIELDS(request);
  request.limit = 1;
  request.offset = 1;
  request.n_minute_ranges = 1;
  request.minute_ranges = ranges;
  now.opt_start_minutes_ago_case =
      ANALYTICS__GA4__V1BETA__MINUTE_RANGE__OPT_START_MINUTES_AGO_START_MINUTES_AGO;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.body = "{" HEADERS ",\"rows\":[" ROW("Reno", "5") "," ROW(
                 "Boise", "3") "],"
                               "\"rowCount\":3,\"kind\":\"analyticsData#runRealtimeReport\"}");
  Analytics__Report__V1__RunRealtimeReportResponse *r =
      tool_run(&f, "RunRealtimeReport", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT(tool_asked(&f, "/v1beta/properties/107:runRealtimeReport?prettyPrint=false",
                       "{\"dimensions\":[{\"name\":\"city\"}],\"metrics\":[{\"name\":"
                       "\"activeUsers\"}],\"limit\":\"2\",\"minuteRanges\":[{"
                       "\"startMinutesAgo\":0}]}"));
  CU_ASSERT_EQUAL_FATAL(r->n_rows, 1);
  CU_ASSERT_STRING_EQUAL(r->rows[0]->dimension_values[0]->value, "Boise");
  CU_ASSERT_EQUAL(r->row_count, 3);
  CU_ASSERT_EQUAL(r->next_offset, 2);
  CU_ASSERT_STRING_EQUAL(r->headline, "Rows 2 to 2 of 3 of activeUsers by city for Dealer 7 (d07)");
  tool_free(r);
  fakes_stop(&f);
}

static void an_answer_to_another_question_is_refused(void)
{
  static const char *const bodies[] = {
      "{}", "{\"error\":{\"code\":500}}",
      "{\"dimensionHeaders\":[{\"name\":\"city\"}],\"metricHeaders\":[{\"name\":\"eventCount\"}]}",
      "{\"dimensionHeaders\":[{\"name\":\"country\"}],\"metricHeaders\":[{\"name\":"
      "\"activeUsers\"}]}"};
  struct fakes f;
  struct err e;
  REQUEST(RunRealtimeReportRequest, RUN_REALTIME_REPORT_REQUEST);
  FIELDS(request);
  fakes_start(&f, NULL);
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
    LOCKED(&f, f.google.body = bodies[i]);
    CU_ASSERT_PTR_NULL(tool_run(&f, "RunRealtimeReport", &request.base, &e));
    CU_ASSERT_STRING_EQUAL(e.reason, "malformed_response");
  }
  fakes_stop(&f);
}

static void a_pivot_report_needs_pivots_with_limits(void)
{
  struct fakes f;
  struct err e;
  Analytics__Ga4__V1beta__Pivot pivot = ANALYTICS__GA4__V1BETA__PIVOT__INIT, *pivots[] = {&pivot};
  REQUEST(RunPivotReportRequest, RUN_PIVOT_REPORT_REQUEST);
  FIELDS(request);
  fakes_start(&f, NULL);
  CU_ASSERT_PTR_NULL(tool_run(&f, "RunPivotReport", &request.base, &e));
  CU_ASSERT_EQUAL(strncmp(e.message, "pivots: ", 8), 0);
  request.n_pivots = 1;
  request.pivots = pivots;
  CU_ASSERT_PTR_NULL(tool_run(&f, "RunPivotReport", &request.base, &e));
  CU_ASSERT_EQUAL(strncmp(e.message, "pivots[0].limit: ", 17), 0);
  CU_ASSERT_EQUAL(f.requests, 0);
  pivot.n_field_names = 1;
  pivot.field_names = dimensions;
  pivot.limit = 5;
  LOCKED(&f, f.google.body = "{\"pivotHeaders\":[{\"rowCount\":3}]," HEADERS "," ROWS
                             ",\"metadata\":{\"timeZone\":\"UTC\",\"subjectToThresholding\":"
                             "true},\"kind\":\"analyticsData#runPivotReport\"}");
  Analytics__Report__V1__RunPivotReportResponse *r =
      tool_run(&f, "RunPivotReport", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT(tool_asked(&f, "/v1beta/properties/107:runPivotReport?prettyPrint=false",
                       "{\"dimensions\":[{\"name\":\"city\"}],\"metrics\":[{\"name\":"
                       "\"activeUsers\"}],\"dateRanges\":[{\"startDate\":\"28daysAgo\",\"endDate\":"
                       "\"yesterday\"}],\"pivots\":[{\"fieldNames\":[\"city\"],\"limit\":\"5\"}],"
                       "\"returnPropertyQuota\":true}"));
  CU_ASSERT_EQUAL(r->n_rows, 3);
  CU_ASSERT_EQUAL(r->period->days, 28);
  CU_ASSERT(r->n_caveats > 0 && strstr(r->caveats[0], "Thresholding") != NULL);
  tool_free(r);
  fakes_stop(&f);
}

/* Google leaves out a metric that is not shown: the answer has the headers of the others. */
static void a_metric_that_is_not_shown_is_no_column(void)
{
  static char clicks[] = "clicks", *both[] = {users, clicks};
  static const char one[] = "{" HEADERS ",\"rows\":[" ROW("Reno", "5") "],\"rowCount\":1}";
  static const char two[] = "{\"dimensionHeaders\":[{\"name\":\"city\"}],\"metricHeaders\":[{"
                            "\"name\":\"activeUsers\"},{\"name\":\"clicks\"}]}";
  struct fakes f;
  struct err e;
  Analytics__Ga4__V1beta__Metric hidden = ANALYTICS__GA4__V1BETA__METRIC__INIT, *list[] = {&hidden};
  Analytics__Report__V1__RunRealtimeReportRequest realtime =
      ANALYTICS__REPORT__V1__RUN_REALTIME_REPORT_REQUEST__INIT;
  Analytics__Report__V1__RunConversionsReportRequest conversions =
      ANALYTICS__REPORT__V1__RUN_CONVERSIONS_REPORT_REQUEST__INIT;
  realtime.dealer_id = conversions.dealer_id = d07;
  FIELDS(realtime);
  FIELDS(conversions);
  realtime.n_metrics = conversions.n_metrics = 2;
  realtime.metrics = conversions.metrics = both;
  realtime.n_metric_expressions = conversions.n_metric_expressions = 1;
  realtime.metric_expressions = conversions.metric_expressions = list;
  hidden.name = clicks;
  hidden.invisible = true;
  const struct {
    const char *rpc;
    const ProtobufCMessage *request;
  } calls[] = {{"RunRealtimeReport", &realtime.base}, {"RunConversionsReport", &conversions.base}};
  fakes_start(&f, NULL);
  for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
    LOCKED(&f, f.google.body = one);
    ProtobufCMessage *r = tool_run(&f, calls[i].rpc, calls[i].request, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT_EQUAL(ga4_list(r, "rows").n, 1);
    CU_ASSERT_PTR_NULL(strstr(ga4_text(r, "headline"), "clicks"));
    tool_free(r);
    LOCKED(&f, f.google.body = two);
    hidden.expression = users; /* another question, which is not kept */
    CU_ASSERT_PTR_NULL(tool_run(&f, calls[i].rpc, calls[i].request, &e));
    CU_ASSERT_STRING_EQUAL(e.reason, "malformed_response");
    hidden.expression = (char *)protobuf_c_empty_string;
  }
  fakes_stop(&f);
}

static void a_conversions_report_says_its_attribution_model(void)
{
  struct fakes f;
  struct err e;
  REQUEST(RunConversionsReportRequest, RUN_CONVERSIONS_REPORT_REQUEST);
  FIELDS(request);
  request.limit = 3;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.body = "{" HEADERS "," ROWS ",\"rowCount\":7,\"nextPageToken\":\"x\","
                             "\"metadata\":{\"section\":\"SECTION_ADVERTISING\"}}");
  Analytics__Report__V1__RunConversionsReportResponse *r =
      tool_run(&f, "RunConversionsReport", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT(tool_asked(&f, "/v1alpha/properties/107:runReport?prettyPrint=false",
                       "{\"dimensions\":[{\"name\":\"city\"}],\"metrics\":[{\"name\":"
                       "\"activeUsers\"}],\"dateRanges\":[{\"startDate\":\"28daysAgo\",\"endDate\":"
                       "\"yesterday\"}],\"limit\":\"3\",\"returnPropertyQuota\":true,"
                       "\"conversionSpec\":{\"attributionModel\":\"DATA_DRIVEN\"}}"));
  CU_ASSERT_EQUAL(r->row_count, 7);
  CU_ASSERT_EQUAL(r->next_offset, 3);
  CU_ASSERT_EQUAL(strncmp(r->headline, "Rows 1 to 3 of 7 of activeUsers by city for", 43), 0);
  tool_free(r);
  fakes_stop(&f);
}

static void a_funnel_takes_events_and_conditions_as_steps(void)
{
  typedef Analytics__Report__V1__RunFunnelReportRequest__Step step;
  struct fakes f;
  struct err e;
  char form[] = "form_start", page[] = "Page", event[] = "page_view", device[] = "deviceCategory";
  step first = ANALYTICS__REPORT__V1__RUN_FUNNEL_REPORT_REQUEST__STEP__INIT, second = first;
  step *steps[] = {&first, &second};
  Analytics__Ga4__V1alpha__FunnelFilterExpression expression =
      ANALYTICS__GA4__V1ALPHA__FUNNEL_FILTER_EXPRESSION__INIT;
  Analytics__Ga4__V1alpha__FunnelEventFilter filter =
      ANALYTICS__GA4__V1ALPHA__FUNNEL_EVENT_FILTER__INIT;
  Analytics__Report__V1__RunFunnelReportRequest__Breakdown breakdown =
      ANALYTICS__REPORT__V1__RUN_FUNNEL_REPORT_REQUEST__BREAKDOWN__INIT;
  REQUEST(RunFunnelReportRequest, RUN_FUNNEL_REPORT_REQUEST);
  fakes_start(&f, NULL);
  CU_ASSERT_PTR_NULL(tool_run(&f, "RunFunnelReport", &request.base, &e));
  CU_ASSERT_EQUAL(strncmp(e.message, "funnel_steps: ", 14), 0);
  request.n_funnel_steps = 2;
  request.funnel_steps = steps;
  CU_ASSERT_PTR_NULL(tool_run(&f, "RunFunnelReport", &request.base, &e));
  CU_ASSERT_EQUAL(strncmp(e.message, "funnel_steps[0]: ", 17), 0);
  filter.event_name = event;
  expression.expr_case =
      ANALYTICS__GA4__V1ALPHA__FUNNEL_FILTER_EXPRESSION__EXPR_FUNNEL_EVENT_FILTER;
  expression.funnel_event_filter = &filter;
  first.name = page;
  first.filter_expression = &expression;
  second.event = form;
  breakdown.breakdown_dimension = device;
  request.funnel_breakdown = &breakdown;
  request.is_open_funnel = true;
  LOCKED(&f, f.google.body = "{\"funnelTable\":{" HEADERS "," ROWS "},\"kind\":\"k\"}");
  Analytics__Report__V1__RunFunnelReportResponse *r =
      tool_run(&f, "RunFunnelReport", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT(tool_asked(
      &f, "/v1alpha/properties/107:runFunnelReport?prettyPrint=false",
      "{\"dateRanges\":[{\"startDate\":\"28daysAgo\",\"endDate\":\"yesterday\"}],\"funnel\":{"
      "\"isOpenFunnel\":true,\"steps\":[{\"name\":\"Page\",\"filterExpression\":{"
      "\"funnelEventFilter\":{\"eventName\":\"page_view\"}}},{\"name\":\"form_start\","
      "\"filterExpression\":{\"funnelEventFilter\":{\"eventName\":\"form_start\"}}}]},"
      "\"funnelBreakdown\":{\"breakdownDimension\":{\"name\":\"deviceCategory\"}}}"));
  CU_ASSERT_EQUAL(r->n_rows, 3);
  tool_free(r);
  LOCKED(&f, f.google.body =
                 "{\"funnelTable\":{" HEADERS "," ROWS "},\"funnelVisualization\":{" HEADERS
                 ",\"rows\":[" ROW("Elko", "8") "]},\"kind\":\"k\"}");
  request.funnel_visualization_type =
      ANALYTICS__GA4__V1ALPHA__FUNNEL_VISUALIZATION_TYPE__STANDARD_FUNNEL;
  r = tool_run(&f, "RunFunnelReport", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL_FATAL(r->n_rows, 1);
  CU_ASSERT_STRING_EQUAL(r->rows[0]->metric_values[0]->value, "8");
  tool_free(r);
  LOCKED(&f, f.google.body = "{}");
  CU_ASSERT_PTR_NULL(tool_run(&f, "RunFunnelReport", &request.base, &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "malformed_response");
  fakes_stop(&f);
}

/* The caveats of a table of d07 without rows; all replies are of one make in what is read here. */
static bool says(struct fakes *f, const char *rpc, const ProtobufCMessage *request,
                 const char *part)
{
  struct err e;
  ProtobufCMessage *r = tool_run(f, rpc, request, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  struct ga4_list caveats = ga4_list(r, "caveats");
  bool found = false;
  for (size_t i = 0; i < caveats.n; i++)
    found |= strstr((const char *)caveats.items[i], part) != NULL;
  tool_free(r);
  return found;
}

/* Looked up once for all of them; days on which nothing happened are not said to be without data.
 */
static void tables_of_days_before_the_first_data_say_the_day(void)
{
  static const char day[] = "before the first data: properties/107 has data from 2020-03-02 on.";
  static char form[] = "form_start", early[] = "2016-01-01", late[] = "2021-01-01";
  struct fakes f;
  Analytics__Ga4__V1beta__DateRange range = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT;
  Analytics__Ga4__V1beta__DateRange *ranges[] = {&range};
  Analytics__Ga4__V1beta__Pivot pivot = ANALYTICS__GA4__V1BETA__PIVOT__INIT, *pivots[] = {&pivot};
  Analytics__Report__V1__RunFunnelReportRequest__Step
      step = ANALYTICS__REPORT__V1__RUN_FUNNEL_REPORT_REQUEST__STEP__INIT,
      *steps[] = {&step};
  Analytics__Report__V1__RunPivotReportRequest of_pivots =
      ANALYTICS__REPORT__V1__RUN_PIVOT_REPORT_REQUEST__INIT;
  Analytics__Report__V1__RunConversionsReportRequest of_conversions =
      ANALYTICS__REPORT__V1__RUN_CONVERSIONS_REPORT_REQUEST__INIT;
  Analytics__Report__V1__RunFunnelReportRequest of_steps =
      ANALYTICS__REPORT__V1__RUN_FUNNEL_REPORT_REQUEST__INIT;
  of_pivots.dealer_id = of_conversions.dealer_id = of_steps.dealer_id = d07;
  FIELDS(of_pivots);
  FIELDS(of_conversions);
  of_pivots.n_date_ranges = of_conversions.n_date_ranges = of_steps.n_date_ranges = 1;
  of_pivots.date_ranges = of_conversions.date_ranges = of_steps.date_ranges = ranges;
  of_pivots.n_pivots = of_steps.n_funnel_steps = 1;
  of_pivots.pivots = pivots;
  of_steps.funnel_steps = steps;
  pivot.n_field_names = 1;
  pivot.field_names = dimensions;
  pivot.limit = 5;
  step.event = form;
  const struct {
    const char *rpc, *body;
    const ProtobufCMessage *request;
  } tools[] = {
      {"RunPivotReport", "{" HEADERS ",\"kind\":\"k\"}", &of_pivots.base},
      {"RunConversionsReport", "{" HEADERS ",\"kind\":\"k\"}", &of_conversions.base},
      {"RunFunnelReport", "{\"funnelTable\":{" HEADERS "},\"kind\":\"k\"}", &of_steps.base},
  };
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 20});
  LOCKED(&f, f.google.first_date = "20200302");
  for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
    LOCKED(&f, f.google.body = tools[i].body);
    range.start_date = range.end_date = early;
    CU_ASSERT(says(&f, tools[i].rpc, tools[i].request, day));
    range.start_date = range.end_date = late;
    CU_ASSERT_FALSE(says(&f, tools[i].rpc, tools[i].request, "has data from"));
  }
  CU_ASSERT_EQUAL(f.requests, 2 * ARRAY_LEN(tools) + 1);
  fakes_stop(&f);
}

static void the_segments_of_a_funnel_go_to_google_as_they_are(void)
{
  typedef Analytics__Ga4__V1alpha__Segment segment;
  struct fakes f;
  struct err e;
  char event[] = "page_view", name[] = "Phones", device[] = "deviceCategory", mobile[] = "mobile";
  Analytics__Report__V1__RunFunnelReportRequest__Step
      step = ANALYTICS__REPORT__V1__RUN_FUNNEL_REPORT_REQUEST__STEP__INIT,
      *steps[] = {&step};
  segment first = ANALYTICS__GA4__V1ALPHA__SEGMENT__INIT, second = first;
  segment *segments[] = {&first, &second, &first, &first, &first};
  Analytics__Ga4__V1alpha__SessionSegment sessions = ANALYTICS__GA4__V1ALPHA__SESSION_SEGMENT__INIT;
  Analytics__Ga4__V1alpha__SessionSegmentCriteria criteria =
      ANALYTICS__GA4__V1ALPHA__SESSION_SEGMENT_CRITERIA__INIT;
  Analytics__Ga4__V1alpha__SessionSegmentConditionGroup
      group = ANALYTICS__GA4__V1ALPHA__SESSION_SEGMENT_CONDITION_GROUP__INIT,
      *groups[] = {&group};
  Analytics__Ga4__V1alpha__SegmentFilterExpression expression =
      ANALYTICS__GA4__V1ALPHA__SEGMENT_FILTER_EXPRESSION__INIT;
  Analytics__Ga4__V1alpha__SegmentFilter filter = ANALYTICS__GA4__V1ALPHA__SEGMENT_FILTER__INIT;
  Analytics__Ga4__V1beta__Filter__StringFilter text =
      ANALYTICS__GA4__V1BETA__FILTER__STRING_FILTER__INIT;
  REQUEST(RunFunnelReportRequest, RUN_FUNNEL_REPORT_REQUEST);
  fakes_start(&f, NULL);
  step.event = event;
  request.n_funnel_steps = 1;
  request.funnel_steps = steps;
  request.segments = segments;
  request.n_segments = 2;
  CU_ASSERT_PTR_NULL(tool_run(&f, "RunFunnelReport", &request.base, &e));
  CU_ASSERT_EQUAL(strncmp(e.message, "segments[0]: give user_segment", 30), 0);
  text.value = mobile;
  filter.field_name = device;
  filter.one_filter_case = ANALYTICS__GA4__V1ALPHA__SEGMENT_FILTER__ONE_FILTER_STRING_FILTER;
  filter.string_filter = &text;
  expression.expr_case = ANALYTICS__GA4__V1ALPHA__SEGMENT_FILTER_EXPRESSION__EXPR_SEGMENT_FILTER;
  expression.segment_filter = &filter;
  group.segment_filter_expression = &expression;
  criteria.n_and_condition_groups = 1;
  criteria.and_condition_groups = groups;
  sessions.session_inclusion_criteria = &criteria;
  first.name = name;
  first.one_segment_scope_case = second.one_segment_scope_case =
      ANALYTICS__GA4__V1ALPHA__SEGMENT__ONE_SEGMENT_SCOPE_SESSION_SEGMENT;
  first.session_segment = second.session_segment = &sessions;
  request.n_segments = 5;
  CU_ASSERT_PTR_NULL(tool_run(&f, "RunFunnelReport", &request.base, &e));
  CU_ASSERT_EQUAL(strncmp(e.message, "segments: at most 4, got 5", 26), 0);
  request.n_segments = 2;
  LOCKED(&f, f.google.body = "{\"funnelTable\":{" HEADERS "," ROWS "},\"kind\":\"k\"}");
  Analytics__Report__V1__RunFunnelReportResponse *r =
      tool_run(&f, "RunFunnelReport", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
#define PHONES                                                                                     \
  "\"sessionSegment\":{\"sessionInclusionCriteria\":{\"andConditionGroups\":[{"                    \
  "\"segmentFilterExpression\":{\"segmentFilter\":{\"fieldName\":\"deviceCategory\","              \
  "\"stringFilter\":{\"value\":\"mobile\"}}}}]}}}"
  CU_ASSERT(tool_asked(
      &f, "/v1alpha/properties/107:runFunnelReport?prettyPrint=false",
      "{\"dateRanges\":[{\"startDate\":\"28daysAgo\",\"endDate\":\"yesterday\"}],\"funnel\":{"
      "\"steps\":[{\"name\":\"page_view\",\"filterExpression\":{\"funnelEventFilter\":{"
      "\"eventName\":\"page_view\"}}}]},\"segments\":[{\"name\":\"Phones\"," PHONES ",{" PHONES
      "]}"));
  CU_ASSERT_FATAL(r->n_caveats > 0);
  CU_ASSERT_STRING_EQUAL(r->caveats[0], "A user may be in several segments: do not add them.");
  tool_free(r);
  fakes_stop(&f);
}

TEST_MAIN("report-svc tables", TEST(a_realtime_report_has_an_offset_of_ours),
          TEST(an_answer_to_another_question_is_refused),
          TEST(a_pivot_report_needs_pivots_with_limits),
          TEST(a_metric_that_is_not_shown_is_no_column),
          TEST(a_conversions_report_says_its_attribution_model),
          TEST(a_funnel_takes_events_and_conditions_as_steps),
          TEST(tables_of_days_before_the_first_data_say_the_day),
          TEST(the_segments_of_a_funnel_go_to_google_as_they_are))
