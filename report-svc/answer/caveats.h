/* What limits the figures of a report, in sentences. */
#ifndef AMCP_REPORT_ANSWER_CAVEATS_H
#define AMCP_REPORT_ANSWER_CAVEATS_H

#include "analytics/ga4/v1beta/data.pb-c.h"
#include "report-svc/answer/period.h"
#include "report-svc/answer/texts.h"
#include "report-svc/google/token.h"

/* Sampling, thresholding, "(other)", restricted and truncated data, from Google's metadata (NULL:
 * none). */
void caveats_of_metadata(struct answer_texts *out,
                         const Analytics__Ga4__V1beta__ResponseMetaData *metadata);
/* In which currency amounts of money are, when a metric is one. */
void caveats_of_currency(struct answer_texts *out, const char *currency,
                         Analytics__Ga4__V1beta__MetricHeader *const *metrics, size_t n);
/* Days that have not begun, or that Google still changes. */
void caveats_of_days(struct answer_texts *out, const struct answer_days *days);
/* Of a report without filters that has no rows: whether its days lie before the first day with data
 * of the property ("properties/213025502"; see ask_first_day()). Of days that are not final only
 * when that is known. */
void caveats_of_no_rows(struct answer_texts *out, const struct answer_days *days, size_t n,
                        int64_t first_day, const char *property);
/* The part of it that holds for every table without rows: there is no data at all, or its days lie
 * before the first. False: neither is known. */
bool caveats_before_data(struct answer_texts *out, const struct answer_days *days, size_t n,
                         int64_t first_day, const char *property);
/* Which property was read, when it was chosen out of several that the dealer's login can read. */
void caveats_of_choice(struct answer_texts *out, const struct token *t, const char *property);
/* What is left of the quota. */
void notes_of_quota(struct answer_texts *out, const Analytics__Ga4__V1beta__PropertyQuota *quota);

#endif
