/* One report of runReport as it is shown: rows, totals, headline, caveats. */
#ifndef AMCP_REPORT_ANSWER_SHOWN_H
#define AMCP_REPORT_ANSWER_SHOWN_H

#include "report-svc/answer/period.h"
#include "report-svc/answer/texts.h"
#include "report-svc/ask/ask.h"
#include "report-svc/own/own.h"
#include "report-svc/request/request.h"

struct shown_question {
  const Analytics__Report__V1__RunReportRequest *request; /* the tool's arguments */
  const Analytics__Ga4__V1beta__RunReportRequest *asked;  /* what Google was asked */
  const Analytics__Ga4__V1beta__RunReportResponse *report;
  const struct own_job *own; /* that put it together; NULL: Google did */
};

struct shown_report {
  Analytics__Ga4__V1beta__Row **rows;
  size_t n_rows;
  int32_t row_count;   /* combinations in all, before limit and offset */
  int64_t next_offset; /* 0: this was the last page */
  Analytics__Report__V1__Aggregate **aggregates;
  size_t n_aggregates;
  const char *zone; /* of the property; "": not known */
  struct answer_days days[REQUEST_MAX_DATE_RANGES];
  size_t n_days; /* date ranges; 0 for cohorts */
  char *headline;
};

/* Fills in `out`, whose parts live in the arena or point into the question, and appends to the
 * caveats. Google's rows, which the cache may hold too, stay as they are. False at the arena's cap.
 */
bool shown_report(struct shown_report *out, const struct shown_question *q, const struct ask *a,
                  struct answer_texts *caveats, struct arena *arena);

#endif
