/* What is to be said of a report that was put together, and of metrics that stand in for leads. */
#ifndef AMCP_REPORT_ANSWER_OWN_H
#define AMCP_REPORT_ANSWER_OWN_H

#include "report-svc/answer/period.h"
#include "report-svc/answer/texts.h"
#include "report-svc/own/own.h"

/* Which event counts as a lead, what a shopper session is, which properties were added up. */
void caveats_of_own(struct answer_texts *out, const struct own_job *j);
/* Which of several properties have no data of the days (n, as answer_days_of() gives them), and
 * from which day on they have some: of each one, and of all. Nothing when every one has rows. */
void caveats_of_first_days(struct answer_texts *out, const struct own_job *j,
                           const struct answer_days *days, size_t n);
/* That an answer is about the default property of several. */
void caveats_of_one_property(struct answer_texts *out, const struct ask *a);
/* That key events are not leads, when a metric counts them. */
void caveats_of_key_events(struct answer_texts *out, Analytics__Ga4__V1beta__Metric *const *metrics,
                           size_t n);

#endif
