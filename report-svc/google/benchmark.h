/* How many reports of other owners' properties a principal may cause.
 *
 * A benchmark asks for reports of dealers that the caller may not see, which cost those dealers'
 * quota. Each principal (the subject of a bearer, whoever uses it) may cause so many within an
 * hour; its own dealers and released figures, for which nobody is asked, cost nothing. What one
 * property gives to benchmarks is bounded by budget.h and governor.h.
 *
 * What was refused is counted in report_benchmark_refusals_total{cause} and logged once a minute
 * for each principal. At most BENCHMARK_MAX_PRINCIPALS, the least recently used out first.
 * Thread-safe. */
#ifndef AMCP_REPORT_BENCHMARK_H
#define AMCP_REPORT_BENCHMARK_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum { BENCHMARK_MAX_PRINCIPALS = 10000 };

struct benchmark;

/* reports_per_hour of each principal; 0 for no bound. */
struct benchmark *benchmark_new(uint32_t reports_per_hour);
/* NULL is fine. */
void benchmark_free(struct benchmark *b);
/* Takes one report out of the principal's hour. ERR_RESOURCE_EXHAUSTED, GRANT_REASON_SHARE_SPENT,
 * with the time at which there will be one again. A principal without a name has no bound. now_ms:
 * since 1970. */
enum err_code benchmark_admit(struct benchmark *b, const char *principal, int64_t now_ms,
                              struct err *e);
/* A report of the principal was refused, by a bound that budget.h keeps. */
void benchmark_refused(struct benchmark *b, const char *principal, const char *cause,
                       int64_t now_ms);
/* Principals in memory. */
size_t benchmark_principals(struct benchmark *b);

#endif
