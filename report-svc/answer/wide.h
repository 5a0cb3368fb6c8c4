/* Several reports as one table: its columns are the dimensions and metrics of all of them, each
 * once, and a row has values where its report has the column. */
#ifndef AMCP_REPORT_ANSWER_WIDE_H
#define AMCP_REPORT_ANSWER_WIDE_H

#include <stdbool.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/arena.h"

/* Fills in dimension_headers and metric_headers, which point into Google's answer; false at the
 * arena's cap. */
bool wide_headers(Analytics__Report__V1__BatchRunReportsResponse *m,
                  const Analytics__Ga4__V1beta__BatchRunReportsResponse *batch,
                  struct arena *arena);

/* A row of report `number` (from 1 on) under the headers of `m`, with no text where the report has
 * no such column; points into `in`. NULL at the arena's cap. */
Analytics__Report__V1__BatchRunReportsResponse__ReportRow *
wide_row(const Analytics__Report__V1__BatchRunReportsResponse *m,
         const Analytics__Ga4__V1beta__RunReportResponse *report, int32_t number,
         const Analytics__Ga4__V1beta__Row *in, struct arena *arena);

#endif
