/* ISO 8601 weeks: Monday to Sunday, named after the year of their Thursday.
 *
 * Days are days since 1970-01-01, years 1 to 9999. GA4's own dimension `week` starts on Sunday;
 * isoYearIsoWeek agrees with these. */
#ifndef AMCP_AGGREGATE_WEEK_H
#define AMCP_AGGREGATE_WEEK_H

#include <stdbool.h>
#include <stdint.h>

struct iso_week {
  int year;    /* of the week, not always of the day */
  int week;    /* 1 to 53 */
  int weekday; /* 1 Monday to 7 Sunday */
};

/* A day's week. False outside the years. */
bool iso_week_of(int64_t day, struct iso_week *out);
/* Monday of a week. False when the year has no such week. */
bool iso_week_first_day(int year, int week, int64_t *day);
/* 52 or 53; 0 outside the years. */
int iso_weeks_in(int year);

struct iso_span {
  int64_t first, last; /* Monday and Sunday */
};
/* The last n whole weeks that end at or before a day. */
struct iso_span iso_weeks_through(int64_t day, int n);

/* A year ago is so many days ago, the same weekday: week 53 has no partner by number. */
enum { ISO_YEAR_AGO_DAYS = 364 };

#endif
