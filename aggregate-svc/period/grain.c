/* Weeks and months as spans of days. */
#include "aggregate-svc/period/grain.h"

#include <stdio.h>

#include "common/base/clock.h"

enum { USUAL_WEEKS = 13, USUAL_MONTHS = 6, BLOCK_WEEKS = 4, WEEK_DAYS = 7, YEAR_MONTHS = 12 };

/* First day of the month n months after that of a day. */
static int64_t month_first(int64_t day, int n)
{
  int year;
  unsigned month, date;
  clock_civil_from_days(day, &year, &month, &date);
  int months = year * YEAR_MONTHS + (int)month - 1 + n;
  return clock_days_from_civil(months / YEAR_MONTHS, (unsigned)(months % YEAR_MONTHS) + 1, 1);
}

/* The week or month that ends last at or before a day. */
static struct iso_span last_through(enum grain g, int64_t day)
{
  if (g == GRAIN_WEEK)
    return iso_weeks_through(day, 1);
  int64_t next = month_first(day + 1, 0);
  return (struct iso_span){month_first(next - 1, 0), next - 1};
}

size_t grain_spans(enum grain g, int64_t first, int64_t last, struct iso_span *out)
{
  size_t n = 0, max = g == GRAIN_WEEK ? GRAIN_WEEKS_MAX : GRAIN_MONTHS_MAX;
  struct iso_span s = last_through(g, last);
  for (; n < max && s.first >= first; s = last_through(g, s.first - 1))
    out[n++] = s;
  for (size_t i = 0; i < n / 2; i++) {
    struct iso_span swap = out[i];
    out[i] = out[n - 1 - i];
    out[n - 1 - i] = swap;
  }
  return n;
}

int64_t grain_usual_first(enum grain g, int64_t last)
{
  struct iso_span s = last_through(g, last);
  return g == GRAIN_WEEK ? s.first - (int64_t)(USUAL_WEEKS - 1) * WEEK_DAYS
                         : month_first(s.first, 1 - USUAL_MONTHS);
}

size_t grain_block(enum grain g, size_t n)
{
  size_t most = g == GRAIN_WEEK ? BLOCK_WEEKS : 1;
  return n / 2 < most ? n / 2 : most;
}

struct iso_span grain_year_before(enum grain g, struct iso_span span)
{
  if (g == GRAIN_WEEK)
    return (struct iso_span){span.first - ISO_YEAR_AGO_DAYS, span.last - ISO_YEAR_AGO_DAYS};
  return (struct iso_span){month_first(span.first, -YEAR_MONTHS),
                           month_first(span.last, 1 - YEAR_MONTHS) - 1};
}

void grain_label(enum grain g, struct iso_span span, char out[GRAIN_LABEL_BYTES])
{
  struct iso_week week;
  int year;
  unsigned month, date;
  out[0] = '\0';
  if (g == GRAIN_WEEK) {
    if (iso_week_of(span.first, &week))
      snprintf(out, GRAIN_LABEL_BYTES, "%04d-W%02d", week.year % 10000, week.week % 100);
    return;
  }
  clock_civil_from_days(span.first, &year, &month, &date);
  snprintf(out, GRAIN_LABEL_BYTES, "%04d-%02u", year % 10000, month % 100);
}
