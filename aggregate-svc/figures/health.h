/* What the daily reports of a dealer say about its own data: the fold of check_data_health, and
 * what is found in it. Rows are kept by report (figures/table.h) until all are there. Not
 * thread-safe: the caller's lock covers it. */
#ifndef AMCP_AGGREGATE_HEALTH_H
#define AMCP_AGGREGATE_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/leads.h"
#include "aggregate-svc/figures/fold.h"
#include "aggregate-svc/figures/table.h"
#include "aggregate-svc/period/period.h"
#include "aggregate-svc/suspect/suspect.h"

/* The reports, with these dimensions and metrics. All but the last two are over the period and the
 * SUSPECT_BASELINE days before. */
enum health_query {
  HEALTH_DAYS = 1,  /* date: sessions, engagedSessions */
  HEALTH_EVENTS,    /* date, eventName, isKeyEvent: eventCount, sessions */
  HEALTH_PLACES,    /* date, country: sessions */
  HEALTH_REFERRALS, /* hostName, sessionSource, of referrals: sessions */
  HEALTH_LOOKBACK,  /* eventName: eventCount; see cohort/leads.h */
  HEALTH_QUERIES = HEALTH_LOOKBACK,
};

struct health_fold {
  struct across_tables of[HEALTH_QUERIES]; /* by query_id - 1 */
  struct dealer_notes *notes;              /* per member, of all reports but the look-back */
  size_t n;
};
extern const struct fold health_fold; /* over a struct health_fold */

void health_fold_init(struct health_fold *f, size_t n_members, int64_t max_rows,
                      struct budget budget);
/* How often each of the fixed events fired in the look-back. */
void health_firings(const struct health_fold *f, const struct lead_events *leads, size_t member,
                    int64_t firings[LEAD_FIXED]);

/* An event that changed. */
enum health_change { EVENT_CHANGE_STOPPED, EVENT_CHANGE_BEGAN, EVENT_CHANGE_KEY };
struct health_event {
  const char *name; /* of the fold */
  enum health_change change;
  int64_t day; /* since 1970-01-01; of a key event the first day on which it is the other thing */
};
enum { HEALTH_EVENTS_MAX = 10 };

/* What is found at one dealer. */
struct health_dealer {
  struct suspect_findings findings;
  struct health_event events[HEALTH_EVENTS_MAX];
  size_t n_events; /* the first HEALTH_EVENTS_MAX */
  int64_t sessions;
  int64_t days_without; /* finished days of the period without a session */
  struct suspect_reach reach;
  const char *far_place;   /* most sessions of a wave from abroad; "" */
  const char *self_source; /* most sessions of self-referral; "" */
  uint64_t key_events;
};

/* Which days, and which event is the dealer's lead. */
struct health_question {
  struct period_days days;
  bool baseline;          /* the days before the period were read */
  const char *lead_event; /* "" when none is known */
};
/* Fills all but the comparison of key events with other dealers. *out is large. */
void health_find(const struct health_fold *f, size_t member, const struct health_question *q,
                 struct health_dealer *out);

#endif
