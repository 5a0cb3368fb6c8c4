/* Totals, minimums and maximums of a report. */
#ifndef AMCP_REPORT_ANSWER_AGGREGATES_H
#define AMCP_REPORT_ANSWER_AGGREGATES_H

#include "analytics/report/v1/report.pb-c.h"
#include "report-svc/answer/ranges.h"
#include "report-svc/google/field.h"

/* The figures of a report of Google's that has no date ranges to name: n rows of a kind ("TOTAL"),
 * or of the kind that each row says itself (NULL). Appended to the list, which has room. False at
 * the arena's cap. */
bool aggregates_add(Analytics__Report__V1__Aggregate **list, size_t *n, const char *kind,
                    struct ga4_list rows, const ProtobufCMessage *report, struct arena *arena);

/* One message per row of Google's totals, minimums and maximums, *n of them; `of` names what the
 * row is about where the report has several date ranges, comparisons or cohorts. They live in the
 * arena and point into the report. NULL at the arena's cap. */
Analytics__Report__V1__Aggregate **aggregates_of(size_t *n, const struct ranges_question *q,
                                                 struct arena *arena);

#endif
