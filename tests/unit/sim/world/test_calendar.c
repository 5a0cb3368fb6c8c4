/* Calendar dimensions, time zones, relative dates. */
#include <string.h>

#include "common/base/clock.h"
#include "ga4-sim/world/calendar.h"
#include "tests/unit/harness.h"

static struct calendar_day day(int y, unsigned m, unsigned d)
{
  struct calendar_day out;
  calendar_fill(&out, clock_days_from_civil(y, m, d));
  return out;
}

static void google_weeks_start_on_sunday_and_january_first_is_in_week_one(void)
{
  /* 2026-01-01 is a Thursday, so Sunday the 4th opens week 02. */
  CU_ASSERT_STRING_EQUAL(day(2026, 1, 1).week, "01");
  CU_ASSERT_STRING_EQUAL(day(2026, 1, 3).week, "01");
  CU_ASSERT_STRING_EQUAL(day(2026, 1, 4).week, "02");
  CU_ASSERT_STRING_EQUAL(day(2025, 12, 31).week, "53");
  CU_ASSERT_STRING_EQUAL(day(2025, 12, 31).year_week, "202553");
}

static void iso_weeks_belong_to_the_year_of_their_thursday(void)
{
  CU_ASSERT_STRING_EQUAL(day(2021, 1, 3).iso_year_iso_week, "202053");
  CU_ASSERT_STRING_EQUAL(day(2021, 1, 4).iso_year_iso_week, "202101");
  CU_ASSERT_STRING_EQUAL(day(2025, 12, 29).iso_year_iso_week, "202601");
  CU_ASSERT_STRING_EQUAL(day(2016, 12, 31).iso_year_iso_week, "201652");
}

static void dates_are_written_as_google_writes_them(void)
{
  struct calendar_day d = day(2026, 3, 8);
  CU_ASSERT_STRING_EQUAL(d.date, "20260308");
  CU_ASSERT_STRING_EQUAL(d.month, "03");
  CU_ASSERT_STRING_EQUAL(d.day, "08");
  CU_ASSERT_STRING_EQUAL(d.year_month, "202603");
  CU_ASSERT_STRING_EQUAL(d.day_of_week, "0");
  CU_ASSERT_STRING_EQUAL(d.day_of_week_name, "Sunday");
}

static int64_t at(int y, unsigned m, unsigned d, int hour, int minute)
{
  return (clock_days_from_civil(y, m, d) * 1440 + hour * 60 + minute) * 60000;
}

static void today_follows_the_time_zone_and_its_summer_time(void)
{
  int64_t march7 = clock_days_from_civil(2026, 3, 7), july4 = clock_days_from_civil(2026, 7, 4);
  /* Standard time: Los Angeles is 8 hours behind. */
  CU_ASSERT_EQUAL(calendar_local_day(at(2026, 3, 8, 7, 59), "America/Los_Angeles"), march7);
  CU_ASSERT_EQUAL(calendar_local_day(at(2026, 3, 8, 8, 0), "America/Los_Angeles"), march7 + 1);
  /* Daylight time: 7 hours; Phoenix has none. */
  CU_ASSERT_EQUAL(calendar_local_day(at(2026, 7, 5, 6, 59), "America/Los_Angeles"), july4);
  CU_ASSERT_EQUAL(calendar_local_day(at(2026, 7, 5, 7, 0), "America/Los_Angeles"), july4 + 1);
  CU_ASSERT_EQUAL(calendar_local_day(at(2026, 7, 5, 6, 59), "America/Phoenix"), july4);
  CU_ASSERT_EQUAL(calendar_local_day(at(2026, 7, 5, 3, 59), "America/New_York"), july4);
  CU_ASSERT_EQUAL(calendar_local_day(at(2026, 7, 5, 4, 0), "America/New_York"), july4 + 1);
  CU_ASSERT_EQUAL(calendar_local_day(at(2026, 12, 5, 4, 30), "America/New_York"),
                  clock_days_from_civil(2026, 12, 4));
}

static void relative_dates_count_from_today(void)
{
  int64_t d = 0;
  CU_ASSERT_TRUE(calendar_parse("today", 1000, &d));
  CU_ASSERT_EQUAL(d, 1000);
  CU_ASSERT_TRUE(calendar_parse("yesterday", 1000, &d));
  CU_ASSERT_EQUAL(d, 999);
  CU_ASSERT_TRUE(calendar_parse("28daysAgo", 1000, &d));
  CU_ASSERT_EQUAL(d, 972);
  CU_ASSERT_TRUE(calendar_parse("0daysAgo", 1000, &d));
  CU_ASSERT_EQUAL(d, 1000);
}

static void dates_that_do_not_exist_are_refused(void)
{
  int64_t d;
  static const char *const bad[] = {"2026-02-30", "2026-2-3",    "28 daysAgo", "daysAgo", "",
                                    "Today",      "2026-01-01x", "-1daysAgo",  "20260101"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    CU_ASSERT_FALSE(calendar_parse(bad[i], 1000, &d));
}

TEST_MAIN("sim_calendar", TEST(google_weeks_start_on_sunday_and_january_first_is_in_week_one),
          TEST(iso_weeks_belong_to_the_year_of_their_thursday),
          TEST(dates_are_written_as_google_writes_them),
          TEST(today_follows_the_time_zone_and_its_summer_time),
          TEST(relative_dates_count_from_today), TEST(dates_that_do_not_exist_are_refused))
