/* The days of an answer, in the property's time zone. */
#ifndef AMCP_REPORT_ANSWER_PERIOD_H
#define AMCP_REPORT_ANSWER_PERIOD_H

#include <stdbool.h>
#include <stdint.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/arena.h"
#include "common/base/buf.h"

/* One date range as days since 1970-01-01, both included. */
struct answer_days {
  int64_t first, last;
  int64_t complete; /* last day whose figures are final; before `first` when there is none */
  int64_t today;    /* of the property */
};

/* Resolves a date range that request_check() has passed. `zone` is Google's name of the property's
 * time zone, NULL or unknown: UTC. Reads a file of the system's time zones. Thread-safe. */
struct answer_days answer_days_of(const Analytics__Ga4__V1beta__DateRange *range, const char *zone,
                                  int64_t now_unix_ms);
/* The message; NULL at the arena's cap. */
Analytics__Report__V1__Period *answer_period(const struct answer_days *days, const char *zone,
                                             struct arena *arena);
/* Appends "26 Oct to 22 Nov 2026", "22 Nov 2026", "20 Dec 2026 to 3 Jan 2027". */
void answer_put_days(struct buf *out, const struct answer_days *days);

#endif
