/* Runs a report and writes Google's answer. */
#ifndef GA4_SIM_REPORT_H
#define GA4_SIM_REPORT_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "ga4-sim/report/quota.h"
#include "ga4-sim/report/request.h"
#include "ga4-sim/world/world.h"

enum { REPORT_MAX_BYTES = 512 * 1024 * 1024 };

/* The last day of which the property has data: today less the lag of its conditions. */
int64_t report_last_day(const struct world *w, const struct report_request *r);
/* Admits a report to its books: those that may have to be thresholded are limited per hour. */
enum err_code report_admit(const struct report_request *r, struct quota *quota,
                           struct quota_account account, struct err *e);
/* Charges an answered report to its books and appends "propertyQuota":{...}, when it was asked
 * for. quota NULL: no bookkeeping. */
void report_charge(const struct report_request *r, struct quota *quota,
                   struct quota_account account, struct buf *out);

/* How the answer is written. */
struct report_style {
  bool enums_as_numbers; /* $alt=json;enum-encoding=int */
};

/* Appends the RunReportResponse as compact JSON. quota may be NULL (no bookkeeping); project: the
 * caller's, as in quota.h. A report is charged when it is answered. */
enum err_code report_run(struct world *w, const struct report_request *r, struct quota *quota,
                         unsigned project, const struct report_style *style, struct buf *out,
                         struct err *e);

#endif
