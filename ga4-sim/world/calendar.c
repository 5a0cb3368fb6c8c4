/* Calendar dimensions, the property's "today", and relative dates. */
#include "ga4-sim/world/calendar.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

/* 0 Sunday: 1970-01-01 was a Thursday. */
static uint32_t weekday_of(int64_t days)
{
  int64_t w = (days + 4) % 7;
  return (uint32_t)(w < 0 ? w + 7 : w);
}

static void iso_week(int64_t days, int *year, unsigned *week)
{
  /* The week belongs to the year of its Thursday. */
  int64_t thursday = days - (int64_t)((weekday_of(days) + 6) % 7) + 3;
  unsigned month, day;
  clock_civil_from_days(thursday, year, &month, &day);
  *week = (unsigned)((thursday - clock_days_from_civil(*year, 1, 1)) / 7 + 1);
}

void calendar_fill(struct calendar_day *out, int64_t days)
{
  static const char *const names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
  int year, iso_y;
  unsigned month, day, iso_w;
  clock_civil_from_days(days, &year, &month, &day);
  iso_week(days, &iso_y, &iso_w);
  int64_t january = clock_days_from_civil(year, 1, 1);
  unsigned week = (unsigned)((days - january + weekday_of(january)) / 7 + 1);
  unsigned y = (unsigned)year % 10000, iy = (unsigned)iso_y % 10000;
  month %= 100, day %= 100, week %= 100, iso_w %= 100;
  snprintf(out->date, sizeof(out->date), "%04u%02u%02u", y, month, day);
  snprintf(out->year, sizeof(out->year), "%04u", y);
  snprintf(out->month, sizeof(out->month), "%02u", month);
  snprintf(out->day, sizeof(out->day), "%02u", day);
  snprintf(out->week, sizeof(out->week), "%02u", week);
  snprintf(out->year_week, sizeof(out->year_week), "%04u%02u", y, week);
  snprintf(out->year_month, sizeof(out->year_month), "%04u%02u", y, month);
  snprintf(out->iso_year, sizeof(out->iso_year), "%04u", iy);
  snprintf(out->iso_week, sizeof(out->iso_week), "%02u", iso_w);
  snprintf(out->iso_year_iso_week, sizeof(out->iso_year_iso_week), "%04u%02u", iy, iso_w);
  out->weekday = weekday_of(days);
  out->month_number = month;
  snprintf(out->day_of_week, sizeof(out->day_of_week), "%u", out->weekday % 10);
  snprintf(out->day_of_week_name, sizeof(out->day_of_week_name), "%s", names[out->weekday]);
}

/* Second Sunday of March 02:00 to first Sunday of November 02:00, both in local
 * time (United States and Canada since 2007). */
static bool north_american_summer(int64_t local_standard_s)
{
  int64_t day = local_standard_s / 86400;
  int year;
  unsigned month, mday;
  clock_civil_from_days(day, &year, &month, &mday);
  int64_t march = clock_days_from_civil(year, 3, 1), november = clock_days_from_civil(year, 11, 1);
  int64_t start = march + (7 - weekday_of(march)) % 7 + 7;
  int64_t end = november + (7 - weekday_of(november)) % 7;
  /* The end is 02:00 daylight time, which is 01:00 standard time. */
  return local_standard_s >= start * 86400 + 7200 && local_standard_s < end * 86400 + 3600;
}

int64_t calendar_local_day(int64_t unix_ms, const char *time_zone)
{
  static const struct {
    const char *name;
    int hours;
    bool summer;
  } zones[] = {
      {"America/Los_Angeles", -8, true}, {"America/Denver", -7, true},
      {"America/Boise", -7, true},       {"America/Phoenix", -7, false},
      {"America/Chicago", -6, true},     {"America/New_York", -5, true},
      {"America/Toronto", -5, true},
  };
  int64_t s = unix_ms / 1000;
  for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
    if (strcmp(zones[i].name, time_zone) != 0)
      continue;
    s += zones[i].hours * 3600;
    if (zones[i].summer && north_american_summer(s))
      s += 3600;
    break;
  }
  return s / 86400;
}

bool calendar_parse(const char *text, int64_t today, int64_t *days)
{
  if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
    *days = text[0] == 't' ? today : today - 1;
    return true;
  }
  size_t digits = strspn(text, "0123456789");
  if (digits > 0 && digits <= 6 && strcmp(text + digits, "daysAgo") == 0) {
    int64_t n = 0;
    for (size_t i = 0; i < digits; i++)
      n = n * 10 + (text[i] - '0');
    *days = today - n;
    return true;
  }
  return strlen(text) == 10 && clock_parse_date(text, days);
}
