/* ISO weeks against known dates and against a count of days. */
#include <string.h>

#include "aggregate-svc/period/week.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

static int64_t day(const char *text)
{
  int64_t out = 0;
  CU_ASSERT_TRUE_FATAL(clock_parse_date(text, &out));
  return out;
}

static void dates_at_the_turn_of_the_year(void)
{
  static const struct {
    const char *date;
    struct iso_week week;
  } cases[] = {
      {"2018-12-31", {2019, 1, 1}},  {"2020-12-31", {2020, 53, 4}}, {"2021-01-03", {2020, 53, 7}},
      {"2021-01-04", {2021, 1, 1}},  {"2024-12-30", {2025, 1, 1}},  {"2026-01-01", {2026, 1, 4}},
      {"2026-12-31", {2026, 53, 4}}, {"2027-01-03", {2026, 53, 7}}, {"2027-01-04", {2027, 1, 1}},
      {"1969-12-29", {1970, 1, 1}},  {"1970-01-01", {1970, 1, 4}},  {"2000-02-29", {2000, 9, 2}}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct iso_week w = {0, 0, 0};
    CU_ASSERT_TRUE(iso_week_of(day(cases[i].date), &w));
    CU_ASSERT_EQUAL(w.year, cases[i].week.year);
    CU_ASSERT_EQUAL(w.week, cases[i].week.week);
    CU_ASSERT_EQUAL(w.weekday, cases[i].week.weekday);
  }
}

static void years_of_53_weeks(void)
{
  for (int year = 2015; year <= 2032; year++)
    CU_ASSERT_EQUAL(iso_weeks_in(year),
                    year == 2015 || year == 2020 || year == 2026 || year == 2032 ? 53 : 52);
  CU_ASSERT_EQUAL(iso_weeks_in(0), 0);
  CU_ASSERT_EQUAL(iso_weeks_in(10000), 0);
}

/* Weeks follow each other without a gap from a Monday that is week 1, for four centuries. */
static void weeks_follow_each_other_and_come_back(void)
{
  int64_t at = day("1901-12-30"), first;
  struct iso_week w;
  for (int year = 1902; year < 2302; year++)
    for (int week = 1; week <= iso_weeks_in(year); week++) {
      CU_ASSERT_TRUE_FATAL(iso_week_first_day(year, week, &first));
      CU_ASSERT_EQUAL(first, at);
      for (int k = 0; k < 7; k++) {
        CU_ASSERT_TRUE(iso_week_of(at + k, &w));
        CU_ASSERT_TRUE(w.year == year && w.week == week && w.weekday == k + 1);
      }
      at += 7;
    }
}

static void weeks_that_do_not_exist_are_refused(void)
{
  int64_t first = -1;
  struct iso_week w = {-1, -1, -1};
  CU_ASSERT_FALSE(iso_week_first_day(2025, 53, &first));
  CU_ASSERT_FALSE(iso_week_first_day(2026, 0, &first));
  CU_ASSERT_FALSE(iso_week_first_day(0, 1, &first));
  CU_ASSERT_FALSE(iso_week_of(INT64_MAX / 2, &w));
  CU_ASSERT_FALSE(iso_week_of(INT64_MIN / 2, &w));
  CU_ASSERT_EQUAL(first, -1);
  CU_ASSERT_EQUAL(w.year, -1);
}

static void last_four_whole_weeks_are_the_same_all_week_long(void)
{
  struct iso_span s = iso_weeks_through(day("2026-11-01"), 4); /* a Sunday */
  CU_ASSERT_EQUAL(s.first, day("2026-10-05"));
  CU_ASSERT_EQUAL(s.last, day("2026-11-01"));
  for (int k = 1; k < 7; k++) {
    struct iso_span later = iso_weeks_through(day("2026-11-01") + k, 4);
    CU_ASSERT_TRUE(later.first == s.first && later.last == s.last);
  }
  CU_ASSERT_EQUAL(iso_weeks_through(day("2026-11-08"), 4).last, day("2026-11-08"));
  CU_ASSERT_EQUAL(iso_weeks_through(day("2026-10-31"), 4).last, day("2026-10-25"));
}

static void a_year_ago_is_the_same_weekday(void)
{
  CU_ASSERT_EQUAL(day("2026-11-27") - ISO_YEAR_AGO_DAYS, day("2025-11-28")); /* Black Friday */
  CU_ASSERT_EQUAL(ISO_YEAR_AGO_DAYS % 7, 0);
}

TEST_MAIN("aggregate week", TEST(dates_at_the_turn_of_the_year), TEST(years_of_53_weeks),
          TEST(weeks_follow_each_other_and_come_back), TEST(weeks_that_do_not_exist_are_refused),
          TEST(last_four_whole_weeks_are_the_same_all_week_long),
          TEST(a_year_ago_is_the_same_weekday))
