/* Inside the room: days and periods in words. Pure. */
#ifndef AMCP_GATEWAY_ARGUMENTS_DATE_H
#define AMCP_GATEWAY_ARGUMENTS_DATE_H

#include <stdbool.h>
#include <stdint.h>

enum { DATE_SIZE = 24, DATE_WHY_SIZE = 160 };

enum date_kind {
  DATE_NONE,   /* not understood; `why` may say more */
  DATE_DAY,    /* one day that a report can name: start and end are equal */
  DATE_AGO,    /* NdaysAgo: one day, but "the last N days" to many */
  DATE_PERIOD, /* days of the calendar: 2026-10, 2026-Q3, October 2026 */
  DATE_RECENT  /* counted from today: last month, this week, last 7 days */
};

/* First and last day in Google's forms: YYYY-MM-DD, NdaysAgo, yesterday, today. */
struct date_span {
  char start[DATE_SIZE], end[DATE_SIZE];
  char why[DATE_WHY_SIZE]; /* of DATE_NONE: what to give instead; may be empty */
  char other[DATE_SIZE];   /* of DATE_NONE: "" unless it may be this day or that of `start` */
};

/* Reads a text that text_clean() made. Weeks go from Monday to Sunday (ISO 8601), "last N weeks"
 * and the like are whole ones before the present one, "this month" ends today, "last N days" end
 * yesterday. A date with the month and the day in either order is read only when one order alone
 * gives a date. */
enum date_kind date_read(struct date_span *out, const char *text, int64_t today);

#endif
