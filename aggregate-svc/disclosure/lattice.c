/* Whole weeks and whole months. */
#include "aggregate-svc/disclosure/lattice.h"

#include <stdbool.h>
#include <stdio.h>

#include "aggregate-svc/period/week.h"
#include "common/base/clock.h"

enum { WEEK = 7, MONTH_DAYS = 30, DAY_MS = 86400000, ZONES_BEHIND_H = 12, DAYS_TO_SETTLE = 3 };

/* 0 is Monday. 1970-01-01 was a Thursday. */
static int64_t weekday(int64_t day)
{
  int64_t x = (day + 3) % WEEK;
  return x < 0 ? x + WEEK : x;
}

/* First day of a day's month. */
static int64_t month_of(int64_t day)
{
  int year;
  unsigned month, of_month;
  clock_civil_from_days(day, &year, &month, &of_month);
  return day + 1 - (int64_t)of_month;
}

static int64_t next_month(int64_t first)
{
  return month_of(first + 31);
}

static int64_t month_before(int64_t first)
{
  return month_of(first - 1);
}

enum lattice lattice_of(struct lattice_span p)
{
  if (p.last < p.first)
    return LATTICE_NONE;
  if (weekday(p.first) == 0 && weekday(p.last) == WEEK - 1)
    return LATTICE_WEEKS;
  bool months = month_of(p.first) == p.first && month_of(p.last + 1) == p.last + 1;
  return months ? LATTICE_MONTHS : LATTICE_NONE;
}

/* The Monday nearest to a day. */
static int64_t nearest_monday(int64_t day)
{
  int64_t back = weekday(day);
  return back <= WEEK / 2 ? day - back : day + WEEK - back;
}

static struct lattice_span nearest_weeks(struct lattice_span p, int64_t through)
{
  int64_t first = nearest_monday(p.first), end = nearest_monday(p.last + 1);
  if (end <= first)
    end = first + WEEK;
  int64_t over = end - 1 - through;
  int64_t shift = over > 0 ? (over + WEEK - 1) / WEEK * WEEK : 0;
  return (struct lattice_span){first - shift, end - 1 - shift};
}

static struct lattice_span nearest_months(struct lattice_span p, int64_t through)
{
  int64_t first = month_of(p.first), next = next_month(first);
  if (next - p.first < p.first - first)
    first = next;
  int64_t months = (p.last - p.first + 1 + MONTH_DAYS / 2) / MONTH_DAYS, end = first;
  for (int64_t i = 0; i < months || i < 1; i++)
    end = next_month(end);
  while (end - 1 > through) {
    first = month_before(first);
    end = month_before(end);
  }
  return (struct lattice_span){first, end - 1};
}

struct lattice_nearest lattice_nearest(struct lattice_span p, int64_t through)
{
  if (p.first > through) /* nothing near: the latest there is */
    p = (struct lattice_span){through - (p.last - p.first), through};
  return (struct lattice_nearest){nearest_weeks(p, through), nearest_months(p, through)};
}

size_t lattice_bases(struct lattice_span p, struct lattice_span *out, size_t max)
{
  enum lattice lattice = lattice_of(p);
  size_t n = 0;
  if (lattice == LATTICE_NONE)
    return 0;
  for (int64_t first = p.first, next; first <= p.last; first = next) {
    next = lattice == LATTICE_WEEKS ? first + WEEK : next_month(first);
    if (n < max)
      out[n] = (struct lattice_span){first, next - 1};
    n++;
  }
  return n;
}

int64_t lattice_complete_through(int64_t now_unix_ms)
{
  int64_t behind = now_unix_ms - (int64_t)ZONES_BEHIND_H * 3600 * 1000;
  return behind / DAY_MS - (behind % DAY_MS < 0) - DAYS_TO_SETTLE;
}

const char *lattice_dimension(struct lattice_span period)
{
  enum lattice l = lattice_of(period);
  return l == LATTICE_WEEKS ? "isoYearIsoWeek" : l == LATTICE_MONTHS ? "yearMonth" : NULL;
}

void lattice_text(struct lattice_span period, struct lattice_span base,
                  char out[LATTICE_TEXT_BYTES])
{
  enum lattice l = lattice_of(period);
  struct iso_week week;
  int year;
  unsigned month, day;
  out[0] = '\0';
  clock_civil_from_days(base.first, &year, &month, &day);
  if (l == LATTICE_WEEKS && iso_week_of(base.first, &week))
    snprintf(out, LATTICE_TEXT_BYTES, "%04d%02d", week.year, week.week);
  else if (l == LATTICE_MONTHS)
    snprintf(out, LATTICE_TEXT_BYTES, "%04d%02u", year, month);
}
