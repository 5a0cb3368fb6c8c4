/* The rows of several reports over many dealers: one struct across_tables per report.
 *
 * For answers that break sessions and leads down by dimensions whose values are texts. A report's
 * table is found by its query_id. Parts only, never ratios; memory is taken from the budget. Not
 * thread-safe: the caller's lock covers it. */
#ifndef AMCP_AGGREGATE_TABLES_H
#define AMCP_AGGREGATE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/leads.h"
#include "aggregate-svc/figures/table.h"
#include "aggregate-svc/suspect/suspect.h"

enum { TABLES_MAX = 5 };

struct report_tables {
  struct across_tables of[TABLES_MAX]; /* by query_id - 1 */
  size_t n;
  bool any_values; /* set after report_tables_init(): metrics need not be counts */
};

/* Columns of a report; `dimensions` counts dateRange, too, when it reads several periods. */
struct table_shape {
  size_t dimensions, metrics;
};

/* Report i + 1 has shapes[i]. max_rows is that of a report over all dealers. */
void report_tables_init(struct report_tables *t, const struct table_shape *shapes, size_t n,
                        size_t n_members, int64_t max_rows, struct budget budget);
/* The fold over a struct report_tables. */
extern const struct fold report_tables_fold;

/* A value as a count; 0 for one that is none. Sums of them must be checked. */
int64_t table_count(const struct across_tables *t, size_t member, size_t row, size_t metric);
/* How often each of the fixed events fired, from a report over eventName with eventCount. */
void table_firings(const struct across_tables *t, size_t member, const struct lead_events *leads,
                   int64_t firings[LEAD_FIXED]);
/* The event that counts as a member's lead: configured, or by a look-back with these firings;
 * LEAD_UNKNOWN when none does. */
int table_lead_event(const struct across_tables *look_back, const struct cohort_member *m,
                     size_t member, const struct lead_events *leads);
/* Whether an event fires several times in a session, from a look-back that also has sessions; the
 * finding of no event is none. */
struct suspect_finding table_duplicates(const struct across_tables *look_back, size_t member,
                                        const char *event);
/* The quality notes of all reports, per member; they live in the arena. */
struct dealer_notes *report_tables_notes(const struct report_tables *t, struct arena *arena);

#endif
