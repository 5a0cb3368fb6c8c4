/* Requests to Google's body, and the checks before anything is sent. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/request/request.h"
#include "tests/unit/harness.h"

typedef Analytics__Report__V1__RunReportRequest tool_request;
typedef Analytics__Ga4__V1beta__DateRange date_range;

/* A request with as many of everything as asked for. */
struct sample {
  tool_request request;
  char *dimensions[12], *metrics[12];
  date_range range_values[6];
  date_range *ranges[6];
};

static void sample_init(struct sample *s, size_t dimensions, size_t metrics, size_t ranges)
{
  static char dimension[] = "date", metric[] = "sessions", dealer[] = "d01";
  static char start[] = "2026-10-01", end[] = "2026-10-31";
  analytics__report__v1__run_report_request__init(&s->request);
  s->request.dealer_id = dealer;
  for (size_t i = 0; i < dimensions; i++)
    s->dimensions[i] = dimension;
  for (size_t i = 0; i < metrics; i++)
    s->metrics[i] = metric;
  for (size_t i = 0; i < ranges; i++) {
    analytics__ga4__v1beta__date_range__init(&s->range_values[i]);
    s->range_values[i].start_date = start;
    s->range_values[i].end_date = end;
    s->ranges[i] = &s->range_values[i];
  }
  s->request.n_dimensions = dimensions;
  s->request.dimensions = s->dimensions;
  s->request.n_metrics = metrics;
  s->request.metrics = s->metrics;
  s->request.n_date_ranges = ranges;
  s->request.date_ranges = s->ranges;
}

static bool says(struct sample *s, const char *expected)
{
  struct err e = {0};
  enum err_code code = request_check(&s->request, &e);
  bool ok = code == ERR_INVALID_ARGUMENT && strcmp(e.message, expected) == 0 &&
            strcmp(e.reason, "invalid_argument") == 0;
  if (!ok)
    printf("\n    got \"%s\"\n", e.message);
  return ok;
}

static bool passes_dates(const char *start, const char *end)
{
  struct sample s;
  struct err e = {0};
  AUTO_FREE char *start_copy = xstrdup(start), *end_copy = xstrdup(end);
  sample_init(&s, 1, 1, 1);
  s.range_values[0].start_date = start_copy;
  s.range_values[0].end_date = end_copy;
  return request_check(&s.request, &e) == ERR_OK;
}

static void property_id_is_digits_with_or_without_prefix(void)
{
  char out[REQUEST_PROPERTY_SIZE];
  struct err e = {0};
  CU_ASSERT_EQUAL(request_parse_property(out, "213025502", &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(out, "213025502");
  CU_ASSERT_EQUAL(request_parse_property(out, "properties/7", &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(out, "7");
  static const char *const bad[] = {"",
                                    "abc",
                                    "12a",
                                    "properties/",
                                    "properties/x",
                                    "-1",
                                    "1/2",
                                    "properties/1/",
                                    "12345678901234567890123456789"};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    CU_ASSERT_EQUAL(request_parse_property(out, bad[i], &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT(strncmp(e.message, "property_id: ", 13) == 0);
  }
}

static void a_target_is_required(void)
{
  struct sample s;
  static char none[] = "";
  sample_init(&s, 1, 1, 0);
  s.request.dealer_id = none;
  CU_ASSERT(says(&s, "dealer_id: give dealer_id (list_dealers shows them) or property_id"));
}

static void counts_are_limited_in_googles_words(void)
{
  struct sample s;
  sample_init(&s, 0, 0, 1);
  CU_ASSERT(says(&s, "metrics: Requests require dimensions and/or metrics. Most requests include "
                     "both."));
  sample_init(&s, 10, 1, 1);
  CU_ASSERT(says(&s, "dimensions: Requests are limited to 9 dimensions within a nested request.\n"
                     "  This request is for 10 dimensions."));
  sample_init(&s, 1, 11, 1);
  CU_ASSERT(says(&s, "metrics: Requests are limited to 10 metrics within a nested request.\n"
                     "  This request is for 11 metrics."));
  sample_init(&s, 1, 1, 5);
  CU_ASSERT(says(&s, "date_ranges: Requests are limited to 4 dateRanges.\n"
                     "  This request contains 5 dateRanges."));
  sample_init(&s, 9, 10, 4);
  CU_ASSERT_EQUAL(request_check(&s.request, NULL), ERR_OK);
}

static void bad_dates_are_named_with_their_path(void)
{
  struct sample s;
  static char bad[] = "2026-02-30", later[] = "2026-11-01", now[] = "today";
  sample_init(&s, 1, 1, 2);
  s.range_values[1].start_date = bad;
  CU_ASSERT(says(&s, "date_ranges[1].start_date: Invalid startDate : 2026-02-30. startDate must be "
                     "YYYY-MM-DD, NdaysAgo, yesterday, or today."));
  sample_init(&s, 1, 1, 1);
  s.range_values[0].start_date = later;
  CU_ASSERT(says(&s,
                 "date_ranges[0].start_date: start_date must be less than or equal to end_date. "
                 "start_date = 2026-11-01 and end_date = 2026-10-31"));
  sample_init(&s, 1, 1, 1);
  s.range_values[0].start_date = now;
  CU_ASSERT_EQUAL(request_check(&s.request, NULL), ERR_OK); /* mixed: left to Google */
}

static void dates_are_read_as_google_reads_them(void)
{
  CU_ASSERT(passes_dates("28daysAgo", "yesterday"));
  CU_ASSERT(passes_dates("yesterday", "today"));
  CU_ASSERT(passes_dates("0daysAgo", "today"));
  CU_ASSERT(passes_dates("2024-02-29", "2024-02-29"));
  CU_ASSERT_FALSE(passes_dates("yesterday", "28daysAgo"));
  CU_ASSERT_FALSE(passes_dates("", "today"));
  CU_ASSERT_FALSE(passes_dates("2026-1-1", "today"));
  CU_ASSERT_FALSE(passes_dates("daysAgo", "today"));
  CU_ASSERT_FALSE(passes_dates("99999999daysAgo", "today"));
  CU_ASSERT_FALSE(passes_dates("Today", "today"));
  CU_ASSERT_FALSE(passes_dates("28daysAgo ", "today"));
}

static void limit_and_offset_have_bounds(void)
{
  struct sample s;
  sample_init(&s, 1, 1, 0);
  s.request.limit = -1;
  CU_ASSERT(says(&s, "limit: limit must be positive. The API received limit = -1"));
  s.request.limit = 250001;
  CU_ASSERT(says(&s, "limit: Google returns at most 250000 rows, got 250001; page with offset"));
  s.request.limit = 0;
  s.request.offset = -5;
  CU_ASSERT(says(&s, "offset: offset must be positive. The API received offset = -5"));
}

static void body_is_googles_json(void)
{
  struct sample s;
  struct err e = {0};
  AUTO_BUF struct buf body = BUF_INIT(REQUEST_MAX_BODY);
  struct arena *arena = arena_new(1 << 20);
  sample_init(&s, 1, 1, 1);
  s.request.return_property_quota = true;
  Analytics__Ga4__V1beta__RunReportRequest *report = request_to_ga4(&s.request, arena);
  CU_ASSERT_PTR_NOT_NULL_FATAL(report);
  CU_ASSERT_EQUAL(request_put_body(&body, report, 20, 1000, &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(
      buf_str(&body), "{\"dimensions\":[{\"name\":\"date\"}],\"metrics\":[{\"name\":\"sessions\"}],"
                      "\"dateRanges\":[{\"startDate\":\"2026-10-01\",\"endDate\":\"2026-10-31\"}],"
                      "\"offset\":\"20\",\"limit\":\"1000\",\"orderBys\":[{\"dimension\":{"
                      "\"dimensionName\":\"date\"}},{\"metric\":{\"metricName\":\"sessions\"},"
                      "\"desc\":true}],\"returnPropertyQuota\":true}");
  arena_free(arena);
}

static void without_date_ranges_the_last_28_days_are_asked(void)
{
  struct sample s;
  struct arena *arena = arena_new(1 << 20);
  sample_init(&s, 1, 1, 0);
  Analytics__Ga4__V1beta__RunReportRequest *report = request_to_ga4(&s.request, arena);
  CU_ASSERT_EQUAL_FATAL(report->n_date_ranges, 1);
  CU_ASSERT_STRING_EQUAL(report->date_ranges[0]->start_date, "28daysAgo");
  CU_ASSERT_STRING_EQUAL(report->date_ranges[0]->end_date, "yesterday");
  arena_free(arena);
}

/* The order of a completed report as text: "-sessions +city". */
static void order_text(struct buf *out, const Analytics__Ga4__V1beta__RunReportRequest *report)
{
  buf_clear(out);
  for (size_t i = 0; i < report->n_order_bys; i++) {
    const Analytics__Ga4__V1beta__OrderBy *o = report->order_bys[i];
    bool metric = o->one_order_by_case == ANALYTICS__GA4__V1BETA__ORDER_BY__ONE_ORDER_BY_METRIC;
    buf_printf(out, "%s%c%s", i == 0 ? "" : " ", o->desc ? '-' : '+',
               metric ? o->metric->metric_name : o->dimension->dimension_name);
  }
}

static void the_order_is_completed_by_time_metric_and_all_dimensions(void)
{
  struct sample s;
  AUTO_BUF struct buf text = BUF_INIT(1000);
  struct arena *arena = arena_new(1 << 20);
  static char city[] = "city", channel[] = "sessionDefaultChannelGroup", date[] = "date";
  sample_init(&s, 2, 1, 1);
  s.dimensions[0] = channel;
  s.dimensions[1] = city;
  Analytics__Ga4__V1beta__RunReportRequest *report = request_to_ga4(&s.request, arena);
  CU_ASSERT_TRUE(request_complete_order(report, arena));
  order_text(&text, report);
  CU_ASSERT_STRING_EQUAL(buf_str(&text), "-sessions +sessionDefaultChannelGroup +city");
  s.dimensions[1] = date;
  report = request_to_ga4(&s.request, arena);
  CU_ASSERT_TRUE(request_complete_order(report, arena));
  order_text(&text, report);
  CU_ASSERT_STRING_EQUAL(buf_str(&text), "+date -sessions +sessionDefaultChannelGroup");
  CU_ASSERT_TRUE(request_complete_order(report, arena)); /* a complete order stays */
  order_text(&text, report);
  CU_ASSERT_STRING_EQUAL(buf_str(&text), "+date -sessions +sessionDefaultChannelGroup");
  report->n_dimensions = report->n_order_bys = 0;
  CU_ASSERT_TRUE(request_complete_order(report, arena));
  CU_ASSERT_EQUAL(report->n_order_bys, 0);
  arena_free(arena);
}

static void relative_days_count_from_the_propertys_today(void)
{
  static const struct {
    const char *date;
    int64_t day;
  } cases[] = {{"today", 20000},
               {"yesterday", 19999},
               {"28daysAgo", 19972},
               {"0daysAgo", 20000},
               {"1970-01-02", 1}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    CU_ASSERT_EQUAL(request_day(cases[i].date, 20000), cases[i].day);
}

static void report_checks_name_the_query(void)
{
  Analytics__Ga4__V1beta__RunReportRequest report =
      ANALYTICS__GA4__V1BETA__RUN_REPORT_REQUEST__INIT;
  struct err e = {0};
  CU_ASSERT_EQUAL(request_check_report(&report, "queries[1].report.", &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT(strncmp(e.message, "queries[1].report.metrics: Requests require", 43) == 0);
}

static void googles_words_get_the_path_of_the_argument(void)
{
  struct sample s;
  struct arena *arena = arena_new(1 << 20);
  static char typo[] = "sesions", town[] = "town";
  sample_init(&s, 2, 2, 1);
  s.metrics[1] = typo;
  s.dimensions[0] = town;
  Analytics__Ga4__V1beta__RunReportRequest *report = request_to_ga4(&s.request, arena);
  static const struct {
    enum err_code code;
    const char *message, *path;
  } cases[] = {
      {ERR_INVALID_ARGUMENT, "Did you mean sessions? Field sesions is not a valid metric.",
       "metrics[1]: "},
      {ERR_INVALID_ARGUMENT, "Field town is not a valid dimension.", "dimensions[0]: "},
      {ERR_INVALID_ARGUMENT, "Field Field  is not a valid dimension.", ""},
      {ERR_INVALID_ARGUMENT, "Field clicks is not a valid metric.", ""},
      {ERR_INVALID_ARGUMENT, " is not a valid Field ", ""},
      {ERR_PERMISSION_DENIED, "Field sesions is not a valid metric.", ""},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct err e;
    char want[200];
    err_set(&e, cases[i].code, "invalid_argument", "%s", cases[i].message);
    request_locate(report, &e);
    snprintf(want, sizeof(want), "%s%s", cases[i].path, cases[i].message);
    CU_ASSERT_STRING_EQUAL(e.message, want);
  }
  arena_free(arena);
}

TEST_MAIN("report request", TEST(property_id_is_digits_with_or_without_prefix),
          TEST(a_target_is_required), TEST(counts_are_limited_in_googles_words),
          TEST(bad_dates_are_named_with_their_path), TEST(dates_are_read_as_google_reads_them),
          TEST(limit_and_offset_have_bounds), TEST(body_is_googles_json),
          TEST(without_date_ranges_the_last_28_days_are_asked),
          TEST(the_order_is_completed_by_time_metric_and_all_dimensions),
          TEST(relative_days_count_from_the_propertys_today), TEST(report_checks_name_the_query),
          TEST(googles_words_get_the_path_of_the_argument))
