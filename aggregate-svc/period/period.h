/* The period of a report: GA4's absolute and relative dates, checked and resolved. */
#ifndef AMCP_AGGREGATE_PERIOD_H
#define AMCP_AGGREGATE_PERIOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum { PERIOD_TEXT_MAX = 32 };

/* One end of a period. */
struct period_date {
  bool relative; /* days_ago counts back from today in the property's time zone */
  int64_t day;   /* absolute: days since 1970-01-01 */
  int64_t days_ago;
  char text[PERIOD_TEXT_MAX + 1]; /* as given; goes to Google unchanged */
};

struct period {
  struct period_date start;
  struct period_date end;
};

/* Checks a date_range. Both texts empty or NULL, with given = false, mean the last 28
 * full days. unix_ms is the time of asking: relative dates are compared with absolute
 * ones as kindly as any time zone allows. Errors are ERR_INVALID_ARGUMENT and begin
 * with "date_range.start_date: " or "date_range.end_date: "; bounds are Google's
 * (2015-08-14 to 2999-12-31). */
enum err_code period_parse(struct period *out, bool given, const char *start, const char *end,
                           int64_t unix_ms, struct err *e);

/* The last four ISO weeks that lie wholly at or before the day that Google has finished
 * everywhere: the same for every caller, whatever properties it may read. */
void period_last_weeks(struct period *out, int64_t unix_ms);
/* The first day that Google takes, 2015-08-14. */
enum { PERIOD_FIRST_DAY = 16661 };
/* A period of absolute days. */
void period_of_days(struct period *out, int64_t first, int64_t last);
/* The last 90 days that end with such a week, for what belongs to a dealer rather than to a
 * period: they change once a week, and for all callers at the same moment. */
void period_look_back(struct period *out, int64_t unix_ms);
/* The equal number of days just before. False when it is not known how many days a period has (one
 * date relative, the other not), it has more than 400, or they would begin before Google has
 * data. */
bool period_before(const struct period *p, int64_t unix_ms, struct period *out);

/* The `days` just before a period; false when Google has no data then. */
bool period_days_before(const struct period *p, int64_t days, int64_t unix_ms, struct period *out);

/* The days that those of two periods are judged by: the `days` before each, in one or two periods
 * that share no day with them or each other. Where `before` ends just before `now`, it is part of
 * what `now` is judged by. Returns how many there are; days before Google has data are left out. */
size_t period_baselines(const struct period *now, const struct period *before, int64_t days,
                        int64_t unix_ms, struct period out[2]);

/* The period begun so many days earlier; false, and *out is the period, when Google has no data
 * then. */
bool period_extend(const struct period *p, int64_t days, int64_t unix_ms, struct period *out);

/* Google finishes a day within so many days. */
enum { PERIOD_FRESH_DAYS = 3 };

/* The days a period stands for in a zone offset_s east of UTC. */
struct period_days {
  int64_t first, last; /* days since 1970-01-01 */
  int64_t today;       /* there */
};
struct period_days period_resolve(const struct period *p, int64_t unix_ms, int32_t offset_s);
/* The same in the zone that is furthest behind: days before its today are over everywhere. */
struct period_days period_resolve_last_zone(const struct period *p, int64_t unix_ms);

/* The day it is in a zone. */
int64_t period_today(int64_t unix_ms, int32_t offset_s);

/* Whether Google may still change the figures: the last day is yesterday or later. */
bool period_is_fresh(const struct period_days *days);

#endif
