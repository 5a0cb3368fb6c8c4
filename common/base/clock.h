/* Time: monotonic for deadlines, wall clock for people, civil dates for reports. */
#ifndef AMCP_BASE_CLOCK_H
#define AMCP_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds / nanoseconds since an arbitrary start; never goes back. */
int64_t clock_mono_ms(void);
int64_t clock_mono_ns(void);
/* Milliseconds since 1970-01-01 UTC. */
int64_t clock_unix_ms(void);

/* Days since 1970-01-01 of a civil date, proleptic Gregorian (Hinnant's
 * algorithm), and back. Month 1-12, day 1-31. */
int64_t clock_days_from_civil(int year, unsigned month, unsigned day);
void clock_civil_from_days(int64_t days, int *year, unsigned *month, unsigned *day);
/* Parses YYYY-MM-DD that exists in the calendar. */
bool clock_parse_date(const char *s, int64_t *days);
/* Writes YYYY-MM-DD into out (at least 11 bytes). */
void clock_format_date(int64_t days, char *out, size_t size);
/* Writes 2026-11-22T15:04:05.678Z into out (at least 25 bytes). */
void clock_format_rfc3339(int64_t unix_ms, char *out, size_t size);
/* Parses RFC 3339 with an offset or Z. */
bool clock_parse_rfc3339(const char *s, int64_t *unix_ms);

#endif
