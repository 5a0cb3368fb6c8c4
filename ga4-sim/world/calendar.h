/* Calendar dimensions of a day, as Google writes them, and time zones. */
#ifndef GA4_SIM_CALENDAR_H
#define GA4_SIM_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct calendar_day {
  char date[9]; /* YYYYMMDD */
  char year[5];
  char month[3];      /* 01-12 */
  char day[3];        /* 01-31 */
  char week[3];       /* 01-53, weeks start on Sunday, 1 January is in week 01 */
  char year_week[7];  /* YYYYWW */
  char year_month[7]; /* YYYYMM */
  char iso_year[5];
  char iso_week[3];          /* 01-53, weeks start on Monday (ISO 8601) */
  char iso_year_iso_week[7]; /* YYYYWW */
  char day_of_week[2];       /* 0 Sunday - 6 Saturday */
  char day_of_week_name[10];
  uint32_t weekday;      /* the same as a number */
  uint32_t month_number; /* 1-12 */
};

/* days: since 1970-01-01; years 1000 to 9999. */
void calendar_fill(struct calendar_day *out, int64_t days);

/* Day at a moment in a time zone of the world (IANA name; an unknown one is UTC).
 * The rules are built in, so the answer does not depend on the machine's files. */
int64_t calendar_local_day(int64_t unix_ms, const char *time_zone);

/* Parses YYYY-MM-DD, NdaysAgo, yesterday or today relative to today. */
bool calendar_parse(const char *text, int64_t today, int64_t *days);

#endif
