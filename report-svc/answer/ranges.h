/* Rows of several date ranges: named by their days, and in the order asked. */
#ifndef AMCP_REPORT_ANSWER_RANGES_H
#define AMCP_REPORT_ANSWER_RANGES_H

#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/arena.h"
#include "report-svc/answer/period.h"

struct ranges_question {
  const Analytics__Ga4__V1beta__RunReportRequest *asked; /* its date ranges */
  const struct answer_days *days;                        /* of each */
  const Analytics__Ga4__V1beta__RunReportResponse *report;
  bool grouped; /* rows of one combination together, ranges in the order asked */
};

/* The report's rows, as a list of its own: Google's date_range_0 becomes "2026-10-26 to
 * 2026-11-22". The rows of the report, which the cache may hold too, stay as they are. NULL at the
 * arena's cap. */
Analytics__Ga4__V1beta__Row **ranges_rows(const struct ranges_question *q, struct arena *arena);

/* What a value of the column dateRange is shown as: the same, in the arena; NULL at its cap. */
const char *ranges_name(const struct ranges_question *q, const char *value, struct arena *arena);

#endif
