/* Public holidays of the United States and Canada on which dealers' traffic is unlike other days, and
 * the day after Thanksgiving. Names say "(Canada)" where the day is one there alone, or under another
 * name than in the United States. Computed by rule, for every year of the Gregorian calendar. Pure,
 * thread-safe.
 *
 * Rules: 5 U.S.C. 6103 (federal holidays, on their day, not the day they are observed on); R.S.C.
 * 1985, c. H-5 (Canada: Victoria Day, Canada Day), Family Day as in most provinces; Easter Sunday by
 * the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, ch. 8). */
#ifndef AMCP_AGGREGATE_HOLIDAY_H
#define AMCP_AGGREGATE_HOLIDAY_H

#include <stddef.h>
#include <stdint.h>

struct holiday {
  int64_t day;      /* since 1970-01-01 */
  const char *name; /* static */
};

enum { HOLIDAYS_PER_YEAR = 19 };

/* The holidays of a year, in no order; returns how many. */
size_t holidays_of_year(int year, struct holiday out[HOLIDAYS_PER_YEAR]);
/* Those from the first to the last day, in the order of the days; at most max. Returns how many. */
size_t holidays_within(int64_t first, int64_t last, struct holiday *out, size_t max);

#endif
