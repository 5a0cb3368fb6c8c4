/* The period of a report: GA4's absolute and relative dates, checked and resolved. */
#ifndef AMCP_AGGREGATE_PERIOD_H
#define AMCP_AGGREGATE_PERIOD_H

#include <stdbool.h>
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

/* The last n whole ISO weeks (n from 1 to 520) that are complete everywhere: they end at or before
 * today - 3 days in the time zone furthest behind, because Google needs up to two days to finish
 * a day. The same for every caller at one time. */
void period_default_weeks(struct period *out, int n, int64_t unix_ms);
/* A period of absolute days. */
void period_of_days(struct period *out, int64_t first, int64_t last);
/* The period of the same length that ends the day before. An end that is relative is taken as of
 * UTC when the other one is not; then all dates of *p become absolute, too. False when it would
 * begin before Google Analytics has data. */
bool period_before(struct period *out, struct period *p, int64_t unix_ms);

/* The days a period stands for in a zone offset_s east of UTC. */
struct period_days {
  int64_t first, last; /* days since 1970-01-01 */
  int64_t today;       /* there */
};
struct period_days period_resolve(const struct period *p, int64_t unix_ms, int32_t offset_s);

/* Whether Google may still change the figures: the last day is yesterday or later. */
bool period_is_fresh(const struct period_days *days);

#endif
