/* Arguments of the tools about one dealer: what is wrong is named with its remedy, and nobody is
 * asked for figures. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/aggregate/support/fixture.h"

typedef Analytics__Aggregate__V1__BenchmarkDealerRequest Benchmark;
typedef Analytics__Aggregate__V1__CompareTrendsRequest Trends;
typedef Analytics__Aggregate__V1__CompareTrafficSourcesRequest Traffic;
typedef Analytics__Aggregate__V1__CompareLandingPagesRequest Pages;
typedef Analytics__Aggregate__V1__ExplainChangeRequest Explain;
typedef Analytics__Ga4__V1beta__DateRange DateRange;

#define TEXT(s) ((char *)(uintptr_t)(s))

/* The five requests; each test spoils one field of one of them. */
struct requests {
  Benchmark benchmark;
  Trends trends;
  Traffic traffic;
  Pages pages;
  Explain explain;
  DateRange range;
};

static void requests_init(struct requests *r)
{
  *r = (struct requests){ANALYTICS__AGGREGATE__V1__BENCHMARK_DEALER_REQUEST__INIT,
                         ANALYTICS__AGGREGATE__V1__COMPARE_TRENDS_REQUEST__INIT,
                         ANALYTICS__AGGREGATE__V1__COMPARE_TRAFFIC_SOURCES_REQUEST__INIT,
                         ANALYTICS__AGGREGATE__V1__COMPARE_LANDING_PAGES_REQUEST__INIT,
                         ANALYTICS__AGGREGATE__V1__EXPLAIN_CHANGE_REQUEST__INIT,
                         ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT};
  r->benchmark.subject = r->trends.subject = r->traffic.subject = r->pages.subject =
      r->explain.subject = TEXT("d00");
}

static const char *const methods[] = {"BenchmarkDealer", "CompareTrends", "CompareTrafficSources",
                                      "CompareLandingPages", "ExplainChange"};

static const ProtobufCMessage *request_of(const struct requests *r, size_t tool)
{
  const ProtobufCMessage *const all[] = {&r->benchmark.base, &r->trends.base, &r->traffic.base,
                                         &r->pages.base, &r->explain.base};
  return all[tool];
}

static void expect_refused(struct fixture *f, const struct requests *r, size_t tool,
                           const char *message)
{
  struct outcome o;
  fixture_status(f, &o, methods[tool], request_of(r, tool), PATIENCE_MS);
  CU_ASSERT_EQUAL(o.status.code, ERR_INVALID_ARGUMENT);
  if (strstr(o.status.message, message) != o.status.message)
    printf("\n  %s: %s\n", methods[tool], o.status.message);
  CU_ASSERT_PTR_EQUAL(strstr(o.status.message, message), o.status.message);
  outcome_free(&o);
}

static void the_dealer_must_be_named(void)
{
  struct fixture f;
  fixture_init(&f, 3, 41);
  f.world.subject = -1;
  fixture_serve(&f);
  for (size_t tool = 0; tool < ARRAY_LEN(methods); tool++) {
    struct requests r;
    requests_init(&r);
    r.benchmark.subject = r.trends.subject = r.traffic.subject = r.pages.subject =
        r.explain.subject = TEXT("");
    r.benchmark.region = r.trends.region = r.traffic.region = r.pages.region = r.explain.region =
        TEXT("West");
    expect_refused(&f, &r, tool,
                   "subject: name the dealer that the question is about; list_dealers shows");
  }
  CU_ASSERT_EQUAL(f.world.fetch_calls, 0);
  fixture_stop(&f);
}

static void words_must_be_among_those_that_are_listed(void)
{
  struct fixture f;
  fixture_start(&f, 3, 42);
  struct requests r;
  requests_init(&r);
  r.trends.metric = TEXT("bounce_rate");
  expect_refused(&f, &r, 1, "metric: must be one of sessions, engagement_rate, shopper_rate");
  r.trends.metric = TEXT("");
  r.trends.grain = TEXT("day");
  expect_refused(&f, &r, 1, "grain: must be \"week\" or \"month\"");
  r.traffic.by = TEXT("medium");
  expect_refused(&f, &r, 2, "by: must be channel, source_medium or campaign");
  r.pages.expected_from = TEXT("all");
  expect_refused(&f, &r, 3, "expected_from: must be own or region");
  r.pages.expected_from = TEXT("own");
  r.pages.region = TEXT("West");
  expect_refused(&f, &r, 3, "expected_from: own rates need no region or cohort");
  r.explain.metric = TEXT("shopper_rate");
  expect_refused(&f, &r, 4,
                 "metric: must be sessions, lead_events, leads_per_100_sessions or "
                 "engagement_rate");
  r.explain.metric = TEXT("");
  r.explain.compare_with = TEXT("last_month");
  expect_refused(&f, &r, 4, "compare_with: must be previous_period or previous_year");
  CU_ASSERT_EQUAL(f.world.fetch_calls, 0);
  fixture_stop(&f);
}

static void pages_are_set_against_a_region_that_is_named(void)
{
  static const struct {
    const char *from, *region;
    size_t asked; /* in one stream: the others have one of their own */
  } rows[] = {{"", "", 1}, {"own", "", 1}, {"", "West", 2}, {"region", "West", 2}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    struct fixture f;
    struct outcome o;
    struct requests r;
    fixture_init(&f, 3, 44);
    f.world.subject = 0;
    fixture_serve(&f);
    requests_init(&r);
    r.pages.expected_from = TEXT(rows[i].from);
    r.pages.region = TEXT(rows[i].region);
    fixture_status(&f, &o, "CompareLandingPages", &r.pages.base, PATIENCE_MS);
    CU_ASSERT_EQUAL(f.world.most_dealers_in_a_stream, rows[i].asked);
    outcome_free(&o);
    fixture_stop(&f);
  }
}

static void dates_are_refused_with_the_field_by_every_tool(void)
{
  struct fixture f;
  static const char *const dates[][3] = {
      {"2026-13-01", "today", "date_range.start_date: \"2026-13-01\" is not a date"},
      {"2026-02-02", "2026-02-01", "date_range.start_date: 2026-02-02 is after end_date"},
      {"yesterday", "", "date_range.end_date: missing"}};
  fixture_start(&f, 3, 43);
  for (size_t tool = 0; tool < ARRAY_LEN(methods); tool++)
    for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
      struct requests r;
      requests_init(&r);
      r.range.start_date = TEXT(dates[i][0]);
      r.range.end_date = TEXT(dates[i][1]);
      r.benchmark.date_range = r.trends.date_range = r.traffic.date_range = r.pages.date_range =
          r.explain.date_range = &r.range;
      expect_refused(&f, &r, tool, dates[i][2]);
    }
  CU_ASSERT_EQUAL(f.world.fetch_calls, 0);
  fixture_stop(&f);
}

static void periods_that_cannot_be_compared_are_refused_with_what_to_do(void)
{
  struct fixture f;
  struct requests r;
  fixture_start(&f, 3, 44);
  requests_init(&r);
  r.trends.date_range = r.explain.date_range = &r.range;
  r.range.start_date = TEXT("2026-02-03"); /* Tuesday to Saturday */
  r.range.end_date = TEXT("2026-02-07");
  expect_refused(&f, &r, 1,
                 "date_range: holds no whole week (Monday to Sunday) that is complete; ask for "
                 "more days, or leave it out");
  r.range.start_date = TEXT("2999-01-01"); /* days to come would look like a fall */
  r.range.end_date = TEXT("2999-01-31");
  expect_refused(&f, &r, 4, "date_range: holds no day that is over; give days before today");
  r.range.start_date = TEXT("today");
  r.range.end_date = TEXT("today");
  expect_refused(&f, &r, 4, "date_range: holds no day that is over; give days before today");
  r.range.start_date = TEXT("2015-08-20");
  r.range.end_date = TEXT("2015-09-20");
  expect_refused(&f, &r, 4,
                 "date_range: no period of the same length lies before it; give at most 400 days");
  CU_ASSERT_EQUAL(f.world.fetch_calls, 0);
  fixture_stop(&f);
}

static void dealers_are_named_in_one_way_only(void)
{
  struct fixture f;
  struct requests r;
  char *ids[] = {TEXT("d00"), TEXT("d01")};
  fixture_start(&f, 3, 45);
  requests_init(&r);
  r.benchmark.dealer_ids = r.trends.dealer_ids = ids;
  r.benchmark.n_dealer_ids = r.trends.n_dealer_ids = 2;
  r.benchmark.region = r.trends.region = TEXT("West");
  for (size_t tool = 0; tool < 2; tool++)
    expect_refused(&f, &r, tool, "region: give dealer_ids or region, not both");
  CU_ASSERT_EQUAL(f.world.fetch_calls, 0);
  fixture_stop(&f);
}

FIXTURE_MAIN("aggregate arguments", TEST(the_dealer_must_be_named),
             TEST(words_must_be_among_those_that_are_listed),
             TEST(pages_are_set_against_a_region_that_is_named),
             TEST(dates_are_refused_with_the_field_by_every_tool),
             TEST(periods_that_cannot_be_compared_are_refused_with_what_to_do),
             TEST(dealers_are_named_in_one_way_only))
