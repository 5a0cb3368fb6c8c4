/* When Google's day of quotas ends: midnight in Los Angeles. */
#include "common/base/clock.h"
#include "report-svc/google/google_error.h"

enum { DAY_MS = 86400000, HOUR_MS = 3600000 };

/* The n-th Sunday of a month, in days since 1970 (which began on a Thursday). */
static int64_t nth_sunday(int year, unsigned month, int n)
{
  int64_t first = clock_days_from_civil(year, month, 1);
  int64_t weekday = ((first % 7) + 7 + 4) % 7; /* 0 is Sunday */
  return first + (7 - weekday) % 7 + 7 * (int64_t)(n - 1);
}

/* UTC of the midnight that begins a day in Los Angeles. Daylight saving runs from 2 o'clock
 * on the second Sunday of March to 2 o'clock on the first Sunday of November (Energy Policy
 * Act of 2005), so the midnights of those days still have the old offset. */
static int64_t midnight_ms(int64_t day)
{
  int year;
  unsigned month, day_of_month;
  clock_civil_from_days(day, &year, &month, &day_of_month);
  bool daylight = day > nth_sunday(year, 3, 2) && day <= nth_sunday(year, 11, 1);
  return day * DAY_MS + (daylight ? 7 : 8) * (int64_t)HOUR_MS;
}

int64_t google_quota_day_end_ms(int64_t now_unix_ms)
{
  int64_t day = now_unix_ms / DAY_MS;
  while (midnight_ms(day) <= now_unix_ms)
    day++;
  return midnight_ms(day);
}
