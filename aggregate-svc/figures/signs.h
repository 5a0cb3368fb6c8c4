/* What is suspect at the dealers of an answer that is made of rows by dimensions: from a report of
 * sessions by day beside them, and from the look-back that finds lead events. */
#ifndef AMCP_AGGREGATE_SIGNS_H
#define AMCP_AGGREGATE_SIGNS_H

#include <stdbool.h>
#include <stdint.h>

#include "aggregate-svc/figures/metrics.h"
#include "aggregate-svc/figures/tables.h"
#include "aggregate-svc/period/period.h"
#include "common/base/arena.h"

struct signs_question {
  const struct cohort *cohort;
  const struct lead_events *leads;
  const struct across_tables *days; /* date: sessions, engagedSessions; the period's and before */
  const struct across_tables *look_back; /* eventName: eventCount, sessions */
  const struct dealer_notes *notes;      /* per member; time zones are read */
  const struct period *period;
  bool base;     /* it is a week or month that pools are summed of (struct suspect_days) */
  bool baseline; /* the SUSPECT_BASELINE days before the period were read */
  int64_t now_unix_ms;
};

/* Figures of every member, in the arena, which must have no cap: its lead event, its sessions and
 * engaged sessions in the period, what is suspect in them and the effects. Duplicate leads are
 * those of the look-back; the caller may add those of the period: signs_add_leads(). Those that did
 * not answer are not ok. Reads time zone files: not for a poller. */
struct dealer_figures *signs_find(const struct signs_question *q, struct arena *arena);

/* Adds lead events of the period and sessions with them; at a dealer that the caller may see, looks
 * for duplicates among them (series_add_duplicates()). */
void signs_add_leads(struct dealer_figures *f, int64_t events, int64_t sessions, bool visible);

/* The days of a period at a dealer whose zone is named; of UTC where it is not known. */
struct period_days signs_days(const struct period *period, const char *time_zone,
                              int64_t now_unix_ms);

#endif
