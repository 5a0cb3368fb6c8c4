/* Sessions without a landing page: Google has "" and "(not set)" for them, which are one row to a
 * person. */
#ifndef AMCP_REPORT_ANSWER_LANDING_H
#define AMCP_REPORT_ANSWER_LANDING_H

#include <stdbool.h>

#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/arena.h"
#include "report-svc/answer/texts.h"

/* Shows "" as "(not set)" where a dimension is a landing page, puts such rows together with those
 * of "(not set)" that are equal otherwise when all metrics may be added, and says so in `caveats`.
 * *rows and *n are replaced; Google's rows, which the cache may hold too, stay as they are. False
 * at the arena's cap. */
bool landing_join(Analytics__Ga4__V1beta__Row ***rows, size_t *n,
                  const Analytics__Ga4__V1beta__RunReportResponse *report,
                  struct answer_texts *caveats, struct arena *arena);

#endif
