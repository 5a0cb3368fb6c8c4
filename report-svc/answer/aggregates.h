/* Totals, minimums and maximums of a report. */
#ifndef AMCP_REPORT_ANSWER_AGGREGATES_H
#define AMCP_REPORT_ANSWER_AGGREGATES_H

#include "analytics/report/v1/report.pb-c.h"
#include "report-svc/answer/ranges.h"

/* One message per row of Google's totals, minimums and maximums, *n of them; `of` names what the
 * row is about where the report has several date ranges, comparisons or cohorts. They live in the
 * arena and point into the report. NULL at the arena's cap. */
Analytics__Report__V1__Aggregate **aggregates_of(size_t *n, const struct ranges_question *q,
                                                 struct arena *arena);

#endif
