/* Inside the room: the first and last day of weeks, months, quarters and years. Pure. */
#ifndef AMCP_GATEWAY_ARGUMENTS_PERIOD_H
#define AMCP_GATEWAY_ARGUMENTS_PERIOD_H

#include "gateway/arguments/date.h"

enum period_unit { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR };

/* "day", "weeks", "mo"...; false for any other word. */
bool period_unit_of(enum period_unit *out, const char *word);

/* Each gives start and end; false when there is no such period, or its year is not within Google's
 * (2015 to 2999). */
bool period_year(struct date_span *out, unsigned year);
bool period_quarter(struct date_span *out, unsigned year, unsigned quarter);
bool period_month(struct date_span *out, unsigned year, unsigned month);
/* An ISO 8601 week, Monday to Sunday. */
bool period_week(struct date_span *out, unsigned year, unsigned week);

/* From the first day of the unit that today is in until today; not for days. */
void period_this(struct date_span *out, enum period_unit unit, int64_t today);
/* The last `count` whole units before the one that today is in; days in Google's relative form.
 * False when they begin before Google has data. */
bool period_last(struct date_span *out, enum period_unit unit, unsigned count, int64_t today);

#endif
