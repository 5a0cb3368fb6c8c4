/* The first and last day of weeks, months, quarters and years. */
#include "gateway/arguments/period.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

enum { YEAR_MIN = 2015, YEAR_MAX = 2999, UNITS_MAX = 5000 };

bool period_unit_of(enum period_unit *out, const char *word)
{
  static const struct {
    const char *word;
    enum period_unit unit;
  } units[] = {{"day", PERIOD_DAY},      {"days", PERIOD_DAY},        {"d", PERIOD_DAY},
               {"week", PERIOD_WEEK},    {"weeks", PERIOD_WEEK},      {"month", PERIOD_MONTH},
               {"months", PERIOD_MONTH}, {"quarter", PERIOD_QUARTER}, {"quarters", PERIOD_QUARTER},
               {"year", PERIOD_YEAR},    {"years", PERIOD_YEAR}};
  for (size_t i = 0; i < ARRAY_LEN(units); i++) {
    if (strcmp(units[i].word, word) == 0) {
      *out = units[i].unit;
      return true;
    }
  }
  return false;
}

static void put(struct date_span *out, int64_t first, int64_t last)
{
  clock_format_date(first, out->start, sizeof(out->start));
  clock_format_date(last, out->end, sizeof(out->end));
}

/* Days from the first of a month, `months` after January of year 0. */
static int64_t month_start(int64_t months)
{
  return clock_days_from_civil((int)(months / 12), (unsigned)(months % 12) + 1, 1);
}

static bool put_months(struct date_span *out, unsigned year, unsigned first, unsigned count)
{
  int64_t at = (int64_t)year * 12 + first - 1;
  put(out, month_start(at), month_start(at + count) - 1);
  return year >= YEAR_MIN && year <= YEAR_MAX;
}

bool period_year(struct date_span *out, unsigned year)
{
  return put_months(out, year, 1, 12);
}

bool period_quarter(struct date_span *out, unsigned year, unsigned quarter)
{
  return quarter >= 1 && quarter <= 4 && put_months(out, year, quarter * 3 - 2, 3);
}

bool period_month(struct date_span *out, unsigned year, unsigned month)
{
  return month >= 1 && month <= 12 && put_months(out, year, month, 1);
}

/* 1970-01-01 was a Thursday. */
static int64_t monday_of(int64_t day)
{
  return day - (day + 3) % 7;
}

/* Week 1 is the one with 4 January. */
bool period_week(struct date_span *out, unsigned year, unsigned week)
{
  if (year < YEAR_MIN || year > YEAR_MAX || week == 0)
    return false;
  int64_t monday = monday_of(clock_days_from_civil((int)year, 1, 4)) + 7 * ((int64_t)week - 1);
  put(out, monday, monday + 6);
  return monday < monday_of(clock_days_from_civil((int)year + 1, 1, 4));
}

static int64_t months_of(enum period_unit unit)
{
  return unit == PERIOD_YEAR ? 12 : unit == PERIOD_QUARTER ? 3 : 1;
}

/* The month, counted from year 0, that the unit around a day begins with. */
static int64_t unit_month(enum period_unit unit, int64_t day)
{
  int year;
  unsigned month, day_of_month;
  clock_civil_from_days(day, &year, &month, &day_of_month);
  int64_t at = (int64_t)year * 12 + month - 1;
  return at - at % months_of(unit);
}

void period_this(struct date_span *out, enum period_unit unit, int64_t today)
{
  put(out, unit == PERIOD_WEEK ? monday_of(today) : month_start(unit_month(unit, today)), today);
  snprintf(out->end, sizeof(out->end), "today");
}

bool period_last(struct date_span *out, enum period_unit unit, unsigned count, int64_t today)
{
  static const int64_t first_day = 16661; /* 2015-08-14 */
  int64_t start;
  if (count > UNITS_MAX)
    return false;
  if (unit == PERIOD_DAY) {
    snprintf(out->start, sizeof(out->start), count == 1 ? "yesterday" : "%udaysAgo", count);
    snprintf(out->end, sizeof(out->end), "yesterday");
    return today - count >= first_day;
  }
  if (unit == PERIOD_WEEK) {
    start = monday_of(today) - 7 * (int64_t)count;
    put(out, start, monday_of(today) - 1);
  } else {
    int64_t at = unit_month(unit, today);
    start = month_start(at - months_of(unit) * count);
    put(out, start, month_start(at) - 1);
  }
  return start >= first_day;
}
