/* Daily counts of one dealer as suspect/ looks at them: the days of a period, with the
 * SUSPECT_BASELINE days before it. Every answer fills one from the rows it has read, so the same
 * days of a dealer are judged alike whatever was asked.
 *
 * At most SERIES_DAYS are looked at, the last ones. Plain data; not thread-safe. */
#ifndef AMCP_AGGREGATE_SERIES_H
#define AMCP_AGGREGATE_SERIES_H

#include <stdint.h>

#include "aggregate-svc/figures/metrics.h"
#include "aggregate-svc/figures/table.h"
#include "aggregate-svc/period/period.h"
#include "aggregate-svc/suspect/suspect.h"

enum { SERIES_DAYS = 512 };

struct series {
  struct suspect_days days; /* of these arrays */
  int64_t sessions[SERIES_DAYS], engaged[SERIES_DAYS], leads[SERIES_DAYS];
};

/* Empties *s for the days of a period, of which Google has finished those up to
 * PERIOD_FRESH_DAYS before today. Without a baseline the days before are not known. Leads are known
 * of the period; a caller that has read more moves days.leads_from. *s must stay where it is. */
void series_begin(struct series *s, struct period_days period, bool baseline);
/* The place of a day (since 1970-01-01); negative when it is none of them. */
int64_t series_entry(const struct series *s, int64_t day);
/* YYYYMMDD as a day; 0 for other texts. */
int64_t series_day(const char *date);

/* The series of a member from a report by date with sessions and engaged sessions. */
void series_read(struct series *s, const struct across_tables *days, size_t member);

/* What is suspect in the series, what that makes unusable, and how far its sessions reach, into the
 * figures of its period.
 * Duplicate leads are found where the figures know leads and their sessions. */
void series_find(const struct series *s, struct dealer_figures *out);
/* Leads that fire twice are found in the days of the figures or in the look-back, which has more of
 * them; those of a dealer outside the caller's view in the look-back alone, so that every release
 * counts its leads in one way. */
void series_add_duplicates(struct dealer_figures *out, const struct suspect_finding *look_back,
                           bool visible);
/* Adds what was found in other days of the same dealer, which its figures are compared with. */
void series_merge(struct dealer_figures *out, const struct dealer_figures *other);
/* The effects of the findings, once one has been added to them. */
void series_settle(struct dealer_figures *out);

#endif
