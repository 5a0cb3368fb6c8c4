/* The end of an answer with rows: what came beside them, checked against them. */
#ifndef AMCP_REPORT_ASK_REPORT_H
#define AMCP_REPORT_ASK_REPORT_H

#include <stdint.h>

#include "analytics/ga4/v1beta/data.pb-c.h"
#include "report-svc/google/methods.h"
#include "report-svc/rows/decoder.h"

/* What the rows of one report looked like. */
struct report_shape {
  int64_t rows;
  size_t n_dimensions, n_metrics;
};

/* Counts a row in. */
void report_shape_add(struct report_shape *shape, const struct rows_row *row);

/* At the end of a 2xx answer: nothing is missing, the rest is well-formed, and the headers of each
 * report are those asked for and fit its rows (asked, shapes: one per report, n of them). Headers
 * of deprecated names may be the new ones. An answer that is not a report, such as {} or an error
 * under status 200, has no headers.
 * The message lives in the arena, its `rows` are empty. ERR_UNAVAILABLE (`truncated_response`),
 * ERR_INTERNAL (`malformed_response`). */
enum err_code report_read(ProtobufCMessage **out, const struct google_method *m,
                          struct rows_decoder *decoder,
                          const Analytics__Ga4__V1beta__RunReportRequest *const *asked, size_t n,
                          const struct report_shape *shapes, struct arena *arena, struct err *e);

/* The same for an answer that was read as a whole: it names the metrics of the body in their order,
 * and all its dimensions. */
enum err_code report_check_message(const ProtobufCMessage *body, const ProtobufCMessage *message,
                                   struct err *e);

#endif
