/* From which day on a property has data: the first one with a session, which is what a reader needs
 * to know of a period without rows. The day the property was made (the Admin API's createTime) may
 * lie long before it.
 *
 * It is an ordinary report (date and sessions over all days Google takes, the first row alone), so
 * its answer is kept like any, until the property's day ends, and a property that has no data yet
 * is asked again the next day. */
#ifndef AMCP_REPORT_ASK_FIRST_DAY_H
#define AMCP_REPORT_ASK_FIRST_DAY_H

#include "report-svc/ask/ask.h"

/* Whether a report has no rows because there is no data of its days, so that the first day matters:
 * nothing was filtered out or skipped, and some of its days have begun. */
bool first_day_matters(const Analytics__Ga4__V1beta__RunReportRequest *asked,
                       const Analytics__Ga4__V1beta__RunReportResponse *report,
                       int64_t now_unix_ms);
/* The same of a table by pivots, of conversions or of a funnel: `rows` of them, and some of the
 * days (n, metadata NULL: none) have begun. The caller knows whether something was filtered out. */
bool first_day_matters_of(size_t rows, Analytics__Ga4__V1beta__DateRange *const *ranges, size_t n,
                          const Analytics__Ga4__V1beta__ResponseMetaData *metadata,
                          int64_t now_unix_ms);
/* Fills in method, body and how long the answer is kept. The body lives in the arena; false at its
 * cap. */
bool first_day_question(struct ask_options *out, struct arena *arena);
/* An ask for the property of one that ended well, by the same dealer's credential. `options` has
 * service, parent, on_done and user. NULL at the arena's cap. */
struct ask *first_day_ask(const struct ask *of, const struct ask_options *options,
                          struct arena *arena);
/* Days since 1970-01-01, or FIRST_DAY_UNKNOWN or _NONE, from the answer to that question. */
int64_t first_day_of(const Analytics__Ga4__V1beta__RunReportResponse *report);

#endif
