/* Holidays by rule. */
#include "aggregate-svc/period/holiday.h"

#include "aggregate-svc/period/week.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

enum { MONDAY = 1, THURSDAY = 4, WEEK_DAYS = 7, LAST = 0, JULIAN_MONTHS = 31 };

/* A weekday of a month: the nth, or the last one. */
static const struct {
  const char *name;
  unsigned month;
  int weekday, nth;
} by_weekday[] = {
    {"Martin Luther King Day", 1, MONDAY, 3}, {"Presidents' Day", 2, MONDAY, 3},
    {"Memorial Day", 5, MONDAY, LAST},        {"Labor Day", 9, MONDAY, 1},
    {"Columbus Day", 10, MONDAY, 2},          {"Thanksgiving", 11, THURSDAY, 4},
    {"Family Day (Canada)", 2, MONDAY, 3},    {"Thanksgiving (Canada)", 10, MONDAY, 2},
};

static const struct {
  const char *name;
  unsigned month, date;
} by_date[] = {
    {"New Year's Day", 1, 1},        {"Juneteenth", 6, 19},    {"Canada Day (Canada)", 7, 1},
    {"Independence Day", 7, 4},      {"Veterans Day", 11, 11}, {"Christmas Day", 12, 25},
    {"Boxing Day (Canada)", 12, 26},
};

static int64_t weekday_in(int year, unsigned month, int weekday, int nth)
{
  struct iso_week first;
  int64_t day = clock_days_from_civil(year, month, 1);
  if (nth == LAST) { /* the first of the next month, less a week */
    day = month == 12 ? clock_days_from_civil(year + 1, 1, 1)
                      : clock_days_from_civil(year, month + 1, 1);
    nth = 0;
  }
  if (!iso_week_of(day, &first))
    return day;
  int ahead = (weekday - first.weekday + WEEK_DAYS) % WEEK_DAYS;
  return day + ahead + (int64_t)(nth - 1) * WEEK_DAYS;
}

/* The Monday before 25 May. */
static int64_t victoria_day(int year)
{
  struct iso_week of;
  int64_t day = clock_days_from_civil(year, 5, 24);
  return iso_week_of(day, &of) ? day - (of.weekday - MONDAY) : day;
}

static int64_t easter(int year)
{
  int a = year % 19, b = year / 100, c = year % 100;
  int d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3;
  int h = (19 * a + b - d - g + 15) % 30;
  int i = c / 4, k = c % 4, l = (32 + 2 * e + 2 * i - h - k) % 7;
  int m = (a + 11 * h + 22 * l) / 451, n = h + l - 7 * m + 114;
  return clock_days_from_civil(year, (unsigned)(n / JULIAN_MONTHS),
                               (unsigned)(n % JULIAN_MONTHS) + 1);
}

size_t holidays_of_year(int year, struct holiday out[HOLIDAYS_PER_YEAR])
{
  size_t n = 0;
  for (size_t i = 0; i < ARRAY_LEN(by_weekday); i++)
    out[n++] = (struct holiday){
        weekday_in(year, by_weekday[i].month, by_weekday[i].weekday, by_weekday[i].nth),
        by_weekday[i].name};
  for (size_t i = 0; i < ARRAY_LEN(by_date); i++)
    out[n++] = (struct holiday){clock_days_from_civil(year, by_date[i].month, by_date[i].date),
                                by_date[i].name};
  out[n++] = (struct holiday){easter(year) - 2, "Good Friday"};
  out[n++] = (struct holiday){easter(year), "Easter Sunday"};
  out[n++] = (struct holiday){victoria_day(year), "Victoria Day (Canada)"};
  out[n++] = (struct holiday){weekday_in(year, 11, THURSDAY, 4) + 1, "Black Friday"};
  return n;
}

/* Puts one where it belongs by its day. */
static void insert(struct holiday *out, size_t n, struct holiday h)
{
  for (; n > 0 && out[n - 1].day > h.day; n--)
    out[n] = out[n - 1];
  out[n] = h;
}

size_t holidays_within(int64_t first, int64_t last, struct holiday *out, size_t max)
{
  struct holiday year_of[HOLIDAYS_PER_YEAR];
  int from, to;
  unsigned month, date;
  size_t kept = 0;
  clock_civil_from_days(first, &from, &month, &date);
  clock_civil_from_days(last, &to, &month, &date);
  for (int year = from; year <= to && kept < max; year++) {
    size_t n = holidays_of_year(year, year_of);
    for (size_t i = 0; i < n && kept < max; i++)
      if (year_of[i].day >= first && year_of[i].day <= last)
        insert(out, kept++, year_of[i]);
  }
  return kept;
}
