/* What the answers of all report methods have in common: headers, rows, metadata. */
#ifndef GA4_SIM_PRINT_H
#define GA4_SIM_PRINT_H

#include <sqlite3.h>

#include "common/base/buf.h"
#include "ga4-sim/report/report.h"
#include "ga4-sim/report/request.h"

/* A JSON string with its quotes. */
void print_string(struct buf *out, const char *text);
/* {"value":"..."} */
void print_cell(struct buf *out, const char *text);
/* "dimensionHeaders":[...],"metricHeaders":[...], as far as there are any. */
void print_headers(const struct report_request *r, const struct report_style *style,
                   struct buf *out);
/* "metricValues":[...] of the metrics that are not invisible; nothing when there are none. */
void print_metric_values(const struct report_request *r, const double *values, struct buf *out);
/* {"dimensionValues":[...],"metricValues":[...]}; texts: one for each dimension. */
void print_row(const struct report_request *r, const char *const *texts, const double *values,
               struct buf *out);
/* metadata.c: ,"samplingMetadatas":[...] of a sampled property, one for each range; else nothing.
 */
void print_sampling(const struct report_request *r, sqlite3 *db, int64_t last_day, struct buf *out);
/* metadata.c: "metadata":{...}, with members, each with a comma before it, put in front of its
 * end; NULL: none. last_day caps what a sample is drawn from. */
void print_metadata(const struct report_request *r, sqlite3 *db, int64_t last_day, const char *more,
                    struct buf *out);

#endif
