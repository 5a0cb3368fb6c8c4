/* ISO weeks by the day of their Thursday. */
#include "aggregate-svc/period/week.h"

#include "common/base/clock.h"

enum { WEEK_DAYS = 7, THURSDAY = 4, YEAR_MAX = 9999 };
enum { DAY_MIN = -719162, DAY_MAX = 2932896 }; /* 0001-01-01 and 9999-12-31 */

/* 1970-01-01 was a Thursday. */
static int weekday_of(int64_t day)
{
  int64_t from_monday = (day + THURSDAY - 1) % WEEK_DAYS;
  return (int)(from_monday < 0 ? from_monday + WEEK_DAYS : from_monday) + 1;
}

static int64_t monday_of(int64_t day)
{
  return day - (weekday_of(day) - 1);
}

static bool is_year(int year)
{
  return year >= 1 && year <= YEAR_MAX;
}

/* 4 January is always in week 1. */
static int64_t first_monday(int year)
{
  return monday_of(clock_days_from_civil(year, 1, 4));
}

bool iso_week_of(int64_t day, struct iso_week *out)
{
  int year;
  unsigned month, date;
  int64_t monday = monday_of(day);
  if (day < DAY_MIN || day > DAY_MAX)
    return false;
  clock_civil_from_days(monday + THURSDAY - 1, &year, &month, &date);
  if (!is_year(year))
    return false;
  int week = (int)((monday - first_monday(year)) / WEEK_DAYS) + 1;
  *out = (struct iso_week){year, week, weekday_of(day)};
  return true;
}

int iso_weeks_in(int year)
{
  if (!is_year(year))
    return 0;
  return (int)((first_monday(year + 1) - first_monday(year)) / WEEK_DAYS);
}

bool iso_week_first_day(int year, int week, int64_t *day)
{
  if (week < 1 || week > iso_weeks_in(year))
    return false;
  *day = first_monday(year) + (int64_t)(week - 1) * WEEK_DAYS;
  return true;
}

struct iso_span iso_weeks_through(int64_t day, int n)
{
  int64_t last = monday_of(day + 1) - 1; /* the Sunday at or before the day */
  return (struct iso_span){last - (int64_t)n * WEEK_DAYS + 1, last};
}
