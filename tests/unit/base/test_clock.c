/* Clocks, dates, backoff. */
#include "common/base/clock.h"

#include <time.h>

#include "common/base/backoff.h"
#include "tests/unit/harness.h"

static void civil_dates_agree_with_the_c_library_over_four_centuries(void)
{
  for (int64_t day = -80000; day < 80000; day += 7) {
    time_t t = (time_t)day * 86400;
    struct tm tm;
    gmtime_r(&t, &tm);
    int year;
    unsigned month, mday;
    clock_civil_from_days(day, &year, &month, &mday);
    CU_ASSERT_EQUAL(year, tm.tm_year + 1900);
    CU_ASSERT_EQUAL(month, (unsigned)tm.tm_mon + 1);
    CU_ASSERT_EQUAL(mday, (unsigned)tm.tm_mday);
    CU_ASSERT_EQUAL(clock_days_from_civil(year, month, mday), day);
  }
}

static void only_dates_of_the_calendar_are_parsed(void)
{
  int64_t days;
  CU_ASSERT_TRUE(clock_parse_date("1970-01-02", &days));
  CU_ASSERT_EQUAL(days, 1);
  CU_ASSERT_TRUE(clock_parse_date("2024-02-29", &days));
  static const char *const bad[] = {"2023-02-29", "2024-13-01", "2024-00-10", "2024-04-31",
                                    "2024-1-1",   "20240101",   "",           "2024-01-01 ",
                                    "2024-01-0x", "-024-01-01"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    CU_ASSERT_FALSE(clock_parse_date(bad[i], &days));
}

static void rfc3339_survives_the_round_trip(void)
{
  char text[32];
  int64_t back;
  static const int64_t times[] = {0, 1795359845678, -1, 951782400000, 4102444799999};
  for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
    clock_format_rfc3339(times[i], text, sizeof(text));
    CU_ASSERT_TRUE(clock_parse_rfc3339(text, &back));
    CU_ASSERT_EQUAL(back, times[i]);
  }
  CU_ASSERT_TRUE(clock_parse_rfc3339("2026-11-22T10:00:00-08:00", &back));
  clock_format_rfc3339(back, text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, "2026-11-22T18:00:00.000Z");
  CU_ASSERT_FALSE(clock_parse_rfc3339("2026-11-22T10:00:00", &back));
  CU_ASSERT_FALSE(clock_parse_rfc3339("2026-11-22 10:00:00Z", &back));
  CU_ASSERT_FALSE(clock_parse_rfc3339("2026-11-22T25:00:00Z", &back));
}

static void backoff_grows_within_its_bounds_and_varies(void)
{
  struct backoff b = {.base_ms = 100, .max_ms = 2000};
  uint32_t top = 100;
  for (int i = 0; i < 40; i++) {
    uint32_t wait = backoff_next_ms(&b);
    CU_ASSERT_TRUE(wait >= 50 && wait <= top);
    top = top * 2 > 2000 ? 2000 : top * 2;
  }
  uint32_t lowest = UINT32_MAX, highest = 0;
  for (int i = 0; i < 200; i++) {
    uint32_t wait = backoff_next_ms(&b);
    lowest = wait < lowest ? wait : lowest;
    highest = wait > highest ? wait : highest;
  }
  CU_ASSERT_TRUE(highest - lowest > 500);
}

TEST_MAIN("base/clock", TEST(civil_dates_agree_with_the_c_library_over_four_centuries),
          TEST(only_dates_of_the_calendar_are_parsed), TEST(rfc3339_survives_the_round_trip),
          TEST(backoff_grows_within_its_bounds_and_varies))
