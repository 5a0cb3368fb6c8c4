/* Series of whole weeks or whole months. Pure, thread-safe. Days are days since 1970-01-01. */
#ifndef AMCP_AGGREGATE_GRAIN_H
#define AMCP_AGGREGATE_GRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/period/week.h"

enum grain { GRAIN_WEEK, GRAIN_MONTH };

/* Most weeks or months of a series: no more than a year, so that the year before is another. */
enum { GRAIN_WEEKS_MAX = 52, GRAIN_MONTHS_MAX = 12, GRAIN_LABEL_BYTES = 16 };

/* The whole weeks or months from the first to the last day, oldest first; the latest ones when they
 * are more than a series has. out has GRAIN_WEEKS_MAX places. Returns how many there are. */
size_t grain_spans(enum grain g, int64_t first, int64_t last, struct iso_span *out);
/* The first day of the usual number of weeks (13) or months (6) that end at or before a day. */
int64_t grain_usual_first(enum grain g, int64_t last);
/* How many at the end of a series of n are compared with as many before: weeks 4, at most half of
 * them; months one. 0 when n is too small. */
size_t grain_block(enum grain g, size_t n);
/* The same weeks a year before: 364 days, so that weekdays stay; or the same months. */
struct iso_span grain_year_before(enum grain g, struct iso_span span);
/* "2026-W44" or "2026-10" of a week or month. */
void grain_label(enum grain g, struct iso_span span, char out[GRAIN_LABEL_BYTES]);

#endif
