/* The reply of a tool that answers with a table of Google's: realtime, pivot, conversions, funnel.
 */
#ifndef AMCP_REPORT_ANSWER_REPORT_H
#define AMCP_REPORT_ANSWER_REPORT_H

#include "report-svc/ask/ask.h"
#include "report-svc/request/request.h"

/* What the tools differ in. */
struct answer_report {
  const ProtobufCMessageDescriptor *type; /* of the reply */
  const ProtobufCMessage *table;          /* dimension_headers, metric_headers, rows */
  const Analytics__Ga4__V1beta__ResponseMetaData *metadata; /* NULL: none */
  const Analytics__Ga4__V1beta__PropertyQuota *quota;       /* shown; NULL: not */
  char *const *metrics;
  size_t n_metrics;
  struct ga4_definitions definitions; /* of metrics */
  char *const *dimensions;
  size_t n_dimensions;
  Analytics__Ga4__V1beta__DateRange *const *ranges; /* n of them; 0: no period */
  size_t n_ranges;
  int64_t first, row_count; /* place of the first row, rows in all; row_count -1: those there are */
  const char *caveat;       /* of the tool; NULL: none */
};

/* NULL at the arena's cap. */
ProtobufCMessage *answer_report(const struct ask *a, const struct answer_report *r,
                                struct arena *arena);

#endif
