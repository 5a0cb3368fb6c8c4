/* Days, caveats and headlines of answers. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/answer/caveats.h"
#include "report-svc/answer/headline.h"
#include "report-svc/answer/landing.h"
#include "report-svc/ask/ask.h"
#include "tests/unit/harness.h"

typedef Analytics__Ga4__V1beta__DateRange date_range;

static date_range range_of(const char *start, const char *end)
{
  date_range r = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT;
  r.start_date = (char *)(uintptr_t)start;
  r.end_date = (char *)(uintptr_t)end;
  return r;
}

static int64_t at(const char *rfc3339)
{
  int64_t ms = 0;
  CU_ASSERT_TRUE_FATAL(clock_parse_rfc3339(rfc3339, &ms));
  return ms;
}

static bool days_are(const char *start, const char *end, const char *zone, const char *now,
                     const char *expected)
{
  date_range r = range_of(start, end);
  struct answer_days d = answer_days_of(&r, zone, at(now));
  char first[16], last[16], complete[16], text[64];
  clock_format_date(d.first, first, sizeof(first));
  clock_format_date(d.last, last, sizeof(last));
  clock_format_date(d.complete, complete, sizeof(complete));
  snprintf(text, sizeof(text), "%s %s %s", first, last, complete);
  if (strcmp(text, expected) != 0)
    printf("\n    %s\n", text);
  return strcmp(text, expected) == 0;
}

static void relative_dates_are_days_of_the_propertys_zone(void)
{
  /* 04:00 UTC is still the day before in New York, and the day after begins in Auckland. */
  CU_ASSERT(days_are("7daysAgo", "yesterday", "America/New_York", "2026-11-30T04:00:00Z",
                     "2026-11-22 2026-11-28 2026-11-26"));
  CU_ASSERT(days_are("7daysAgo", "yesterday", "UTC", "2026-11-30T04:00:00Z",
                     "2026-11-23 2026-11-29 2026-11-27"));
  CU_ASSERT(days_are("today", "today", "Pacific/Auckland", "2026-11-29T12:00:00Z",
                     "2026-11-30 2026-11-30 2026-11-27"));
  CU_ASSERT(days_are("2026-10-01", "2026-10-31", "", "2026-11-30T04:00:00Z",
                     "2026-10-01 2026-10-31 2026-10-31"));
}

static void the_day_of_a_property_ends_at_its_midnight(void)
{
  CU_ASSERT_EQUAL(request_day_left_ms("America/New_York", at("2026-11-30T04:59:00Z")), 60000);
  CU_ASSERT_EQUAL(request_day_left_ms("UTC", at("2026-11-30T00:00:00Z")), 86400000);
  CU_ASSERT_EQUAL(request_day_left_ms("No/Where", at("2026-11-30T23:59:59Z")), 1000);
}

static void days_read_as_people_write_them(void)
{
  static const struct {
    const char *start, *end, *text;
  } cases[] = {{"2026-10-26", "2026-11-22", "26 Oct to 22 Nov 2026"},
               {"2026-11-22", "2026-11-22", "22 Nov 2026"},
               {"2026-12-20", "2027-01-03", "20 Dec 2026 to 3 Jan 2027"}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_BUF struct buf text = BUF_INIT(100);
    date_range r = range_of(cases[i].start, cases[i].end);
    struct answer_days d = answer_days_of(&r, "", 0);
    answer_put_days(&text, &d);
    CU_ASSERT_STRING_EQUAL(buf_str(&text), cases[i].text);
  }
}

static bool says(const struct answer_texts *t, const char *part)
{
  for (size_t i = 0; i < t->n; i++)
    if (strstr(t->items[i], part) != NULL)
      return true;
  return false;
}

/* On 30 November: days to come, days in process, days of both kinds, days that are done. */
static void days_that_are_not_done_are_said(void)
{
  static const struct {
    const char *start, *end, *part;
  } rows[] = {{"2026-12-01", "2026-12-07",
               "None of these days has begun: the property's today is 2026-11-30."},
              {"2026-11-30", "2026-12-07", "still processing all of these days"},
              {"2026-11-29", "2026-11-30", "still processing all of these days"},
              {"2026-11-01", "2026-12-07", "still processing the days after 2026-11-27"},
              {"2026-11-28", "2026-11-28", "still processing all of these days"},
              {"2026-11-01", "2026-11-27", NULL}};
  struct arena *arena = arena_new(1 << 16);
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    struct answer_texts t = {.arena = arena};
    date_range r = range_of(rows[i].start, rows[i].end);
    struct answer_days d = answer_days_of(&r, "", at("2026-11-30T12:00:00Z"));
    caveats_of_days(&t, &d);
    CU_ASSERT_EQUAL(t.n, rows[i].part != NULL);
    CU_ASSERT_TRUE(rows[i].part == NULL || says(&t, rows[i].part));
  }
  arena_free(arena);
}

/* Days that are not final may still get rows. */
static void days_without_rows_are_held_against_the_first_data(void)
{
  static const struct {
    const char *start, *end;
    int64_t first;    /* -2: 2026-11-03 */
    const char *part; /* NULL: nothing is said */
  } rows[] = {
      {"2026-11-01", "2026-11-27", FIRST_DAY_UNKNOWN, "may lie before the property's first data"},
      {"2026-11-01", "2026-11-28", FIRST_DAY_UNKNOWN, NULL},
      {"2026-10-01", "2026-11-02", -2,
       "before the first data: properties/9 has data from "
       "2026-11-03 on."},
      {"2026-11-04", "2026-11-27", -2,
       "no data of these days, though properties/9 has data from "
       "2026-11-03 on."},
      {"2026-11-04", "2026-11-28", -2, NULL},
      {"2026-11-04", "2026-11-29", FIRST_DAY_NONE, "no session was ever recorded"},
  };
  struct arena *arena = arena_new(1 << 16);
  int64_t third = at("2026-11-03T00:00:00Z") / 86400000;
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    struct answer_texts t = {.arena = arena};
    date_range past = range_of("2010-01-01", "2010-01-31"),
               late = range_of(rows[i].start, rows[i].end);
    struct answer_days days[] = {answer_days_of(&past, "", at("2026-11-30T12:00:00Z")),
                                 answer_days_of(&late, "", at("2026-11-30T12:00:00Z"))};
    caveats_of_no_rows(&t, days, ARRAY_LEN(days), rows[i].first == -2 ? third : rows[i].first,
                       "properties/9");
    CU_ASSERT_EQUAL(t.n, rows[i].part != NULL);
    CU_ASSERT_TRUE(rows[i].part == NULL || says(&t, rows[i].part));
  }
  arena_free(arena);
}

static void every_note_of_google_becomes_a_sentence(void)
{
  Analytics__Ga4__V1beta__ResponseMetaData m = ANALYTICS__GA4__V1BETA__RESPONSE_META_DATA__INIT;
  Analytics__Ga4__V1beta__SamplingMetadata whole = ANALYTICS__GA4__V1BETA__SAMPLING_METADATA__INIT;
  Analytics__Ga4__V1beta__SamplingMetadata part = whole, *samples[] = {&whole, &part};
  struct arena *arena = arena_new(1 << 16);
  struct answer_texts none = {.arena = arena}, t = {.arena = arena};
  caveats_of_metadata(&none, &m);
  caveats_of_metadata(&none, NULL);
  CU_ASSERT_EQUAL(none.n, 0);
  part.samples_read_count = 125;
  part.sampling_space_size = 1000;
  m.n_sampling_metadatas = 2;
  m.sampling_metadatas = samples;
  m.subject_to_thresholding = true;
  m.data_loss_from_other_row = true;
  caveats_of_metadata(&t, &m);
  CU_ASSERT_EQUAL(t.n, 3);
  CU_ASSERT(says(&t, "12.5 % of the events"));
  CU_ASSERT(says(&t, "Thresholding"));
  CU_ASSERT(says(&t, "\"(other)\""));
  arena_free(arena);
}

static void the_currency_is_said_of_amounts_of_money_alone(void)
{
  Analytics__Ga4__V1beta__MetricHeader h = ANALYTICS__GA4__V1BETA__METRIC_HEADER__INIT;
  Analytics__Ga4__V1beta__MetricHeader *headers[] = {&h};
  struct arena *arena = arena_new(1 << 16);
  struct answer_texts t = {.arena = arena};
  caveats_of_currency(&t, "EUR", headers, 1);
  CU_ASSERT_EQUAL(t.n, 0);
  h.type = ANALYTICS__GA4__V1BETA__METRIC_TYPE__TYPE_CURRENCY;
  caveats_of_currency(&t, "EUR", headers, 1);
  CU_ASSERT(says(&t, "in EUR"));
  arena_free(arena);
}

/* Rows of a landing page, a device and one metric, from texts. */
struct landing {
  Analytics__Ga4__V1beta__RunReportResponse report;
  Analytics__Ga4__V1beta__DimensionHeader headers[2], *header_list[2];
  Analytics__Ga4__V1beta__MetricHeader metric, *metric_list[1];
  Analytics__Ga4__V1beta__Row rows[4], *row_list[4];
  Analytics__Ga4__V1beta__DimensionValue dimensions[4][2], *dimension_lists[4][2];
  Analytics__Ga4__V1beta__MetricValue metrics[4], *metric_lists[4][1];
};

static void landing_init(struct landing *l, const char *metric, const char *const (*cells)[3])
{
  static char page[] = "landingPage", device[] = "deviceCategory";
  analytics__ga4__v1beta__run_report_response__init(&l->report);
  for (size_t i = 0; i < 2; i++) {
    analytics__ga4__v1beta__dimension_header__init(&l->headers[i]);
    l->headers[i].name = i == 0 ? page : device;
    l->header_list[i] = &l->headers[i];
  }
  analytics__ga4__v1beta__metric_header__init(&l->metric);
  l->metric.name = (char *)(uintptr_t)metric;
  l->metric_list[0] = &l->metric;
  l->report.n_dimension_headers = 2;
  l->report.dimension_headers = l->header_list;
  l->report.n_metric_headers = 1;
  l->report.metric_headers = l->metric_list;
  for (size_t i = 0; i < 4; i++) {
    analytics__ga4__v1beta__row__init(&l->rows[i]);
    analytics__ga4__v1beta__metric_value__init(&l->metrics[i]);
    for (size_t k = 0; k < 2; k++) {
      analytics__ga4__v1beta__dimension_value__init(&l->dimensions[i][k]);
      l->dimensions[i][k].value = (char *)(uintptr_t)cells[i][k];
      l->dimension_lists[i][k] = &l->dimensions[i][k];
    }
    l->metrics[i].value = (char *)(uintptr_t)cells[i][2];
    l->metric_lists[i][0] = &l->metrics[i];
    l->rows[i].n_dimension_values = 2;
    l->rows[i].dimension_values = l->dimension_lists[i];
    l->rows[i].n_metric_values = 1;
    l->rows[i].metric_values = l->metric_lists[i];
    l->row_list[i] = &l->rows[i];
  }
}

static void sessions_without_a_landing_page_are_one_row_where_they_may_be_added(void)
{
  static const char *const cells[4][3] = {{"(not set)", "mobile", "40"},
                                          {"/new/", "mobile", "30"},
                                          {"", "mobile", "2"},
                                          {"", "desktop", "1"}};
  struct landing l;
  for (int additive = 0; additive < 2; additive++) {
    struct arena *arena = arena_new(1 << 16);
    struct answer_texts t = {.arena = arena};
    landing_init(&l, additive ? "sessions" : "totalUsers", cells);
    Analytics__Ga4__V1beta__Row **rows = l.row_list;
    size_t n = 4;
    CU_ASSERT_TRUE_FATAL(landing_join(&rows, &n, &l.report, &t, arena));
    CU_ASSERT_EQUAL_FATAL(n, additive ? 3 : 4);
    CU_ASSERT_STRING_EQUAL(rows[0]->metric_values[0]->value, additive ? "42" : "40");
    CU_ASSERT_STRING_EQUAL(rows[1]->dimension_values[0]->value, "/new/");
    CU_ASSERT_STRING_EQUAL(rows[n - 1]->dimension_values[0]->value, "(not set)");
    CU_ASSERT_STRING_EQUAL(rows[n - 1]->dimension_values[1]->value, "desktop");
    CU_ASSERT(says(&t, additive ? "are one row here" : "are in two rows"));
    CU_ASSERT_STRING_EQUAL(l.metrics[0].value, "40"); /* Google's row is as it was */
    CU_ASSERT_STRING_EQUAL(l.dimensions[3][0].value, "");
    arena_free(arena);
  }
}

static void a_headline_says_which_rows_of_what_for_whom_and_when(void)
{
  AUTO_BUF struct buf text = BUF_INIT(HEADLINE_MAX);
  char dealer[] = "d01", name[] = "Ford of Reno", none[] = "", sessions[] = "sessions",
       channel[] = "sessionDefaultChannelGroup";
  char *metrics[] = {sessions}, *dimensions[] = {channel};
  struct token t = {.dealer_ref = dealer, .dealer_name = name};
  date_range r = range_of("2026-10-26", "2026-11-22");
  struct answer_days days = answer_days_of(&r, "", 0);
  struct headline h = {.rows = 12,
                       .row_count = 12,
                       .metrics = metrics,
                       .n_metrics = 1,
                       .dimensions = dimensions,
                       .n_dimensions = 1,
                       .ranges = &days,
                       .n_ranges = 1};
  headline_put_report(&text, &h, &t, "properties/1");
  CU_ASSERT_STRING_EQUAL(buf_str(&text), "12 rows of sessions by channel for Ford of Reno (d01), "
                                         "26 Oct to 22 Nov 2026");
  buf_clear(&text);
  h.first = 100;
  h.row_count = 250;
  t.dealer_ref = t.dealer_name = none;
  h.n_dimensions = 0;
  headline_put_report(&text, &h, &t, "properties/1");
  CU_ASSERT_STRING_EQUAL(buf_str(&text), "Rows 101 to 112 of 250 of sessions for properties/1, 26 "
                                         "Oct to 22 Nov 2026");
}

TEST_MAIN("report answer", TEST(relative_dates_are_days_of_the_propertys_zone),
          TEST(the_day_of_a_property_ends_at_its_midnight), TEST(days_read_as_people_write_them),
          TEST(days_that_are_not_done_are_said),
          TEST(days_without_rows_are_held_against_the_first_data),
          TEST(every_note_of_google_becomes_a_sentence),
          TEST(the_currency_is_said_of_amounts_of_money_alone),
          TEST(sessions_without_a_landing_page_are_one_row_where_they_may_be_added),
          TEST(a_headline_says_which_rows_of_what_for_whom_and_when))
