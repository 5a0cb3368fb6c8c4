/* Folds the daily reports of a comparison: sessions, events and shopper sessions of each dealer by
 * day, in the period and in the one before, and which lead event a look-back saw.
 *
 * Rows are kept as they come, a few per dealer and day, because only when all have arrived is it
 * known which event counts as the dealer's lead. Parts only, never ratios. Memory is taken from the
 * budget. Not thread-safe: the caller's lock covers it. */
#ifndef AMCP_AGGREGATE_DAILY_H
#define AMCP_AGGREGATE_DAILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/cohort/leads.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/figures/budget.h"
#include "aggregate-svc/figures/fold.h"
#include "aggregate-svc/figures/metrics.h"
#include "aggregate-svc/period/period.h"
#include "common/base/arena.h"

/* The reports it reads, with these dimensions and metrics; all but the look-back end with the
 * dimension dateRange when they read two periods. */
enum daily_query {
  DAILY_SESSIONS = 1, /* date: sessions, engagedSessions; further ranges are of the baseline */
  DAILY_EVENTS,       /* date, eventName: eventCount, sessions */
  DAILY_SHOPPERS,     /* date: sessions with an inventory page */
  DAILY_LOOKBACK,     /* eventName, isKeyEvent: eventCount, sessions */
  /* The first and third with channels in place of those; the second once more with channels, over
   * the period asked about only. */
  DAILY_CHANNEL_SESSIONS, /* date, sessionDefaultChannelGroup: sessions, engagedSessions */
  DAILY_CHANNEL_SHOPPERS, /* date, sessionDefaultChannelGroup: sessions with an inventory page */
  DAILY_CHANNEL_EVENTS,   /* date, sessionDefaultChannelGroup, eventName: eventCount, sessions */
  DAILY_QUERIES = DAILY_CHANNEL_EVENTS,
};

/* Values of a dimension as numbers, in the order of its dictionary. */
struct daily_dictionary {
  int32_t *values;
  size_t n, cap;
};

struct daily_row {
  int32_t date; /* YYYYMMDD; 0 in the look-back */
  uint8_t query : 4;
  uint8_t period : 3; /* enum daily_period */
  uint8_t key : 1;    /* a key event; of the look-back only */
  uint8_t channel;    /* figures/channels.h; of the reports by channel */
  int16_t event;      /* of the leads, or below LEAD_UNKNOWN another one of the look-back */
  int64_t a, b;       /* values of the metrics */
};

/* Sessions by day, in one piece or by channel. */
static inline bool daily_is_sessions(const struct daily_row *row)
{
  return row->query == DAILY_SESSIONS || row->query == DAILY_CHANNEL_SESSIONS;
}

enum { DAILY_DIMENSIONS = 3 };

/* The ranges of a report, in their order. */
enum daily_period {
  DAILY_NOW,            /* the period that is asked about */
  DAILY_BEFORE,         /* the one it is compared with */
  DAILY_BASELINE,       /* earlier days, by which those of both are judged; of sessions only */
  DAILY_BASELINE_APART, /* those of DAILY_BEFORE where it does not end just before DAILY_NOW */
  DAILY_PERIODS,
};

/* What has arrived of one dealer. */
struct dealer_days {
  struct daily_row *rows;
  size_t n, cap;
  struct daily_dictionary dictionaries[DAILY_QUERIES][DAILY_DIMENSIONS];
  uint64_t *others; /* signatures of events of the look-back that are not of the leads */
  size_t n_others, cap_others;
  long long bytes; /* taken from the budget */
};

struct daily_fold {
  const struct lead_events *leads;
  bool two_periods;
  bool baseline; /* sessions of the SUSPECT_BASELINE days before both periods are read */
  struct dealer_days *dealers; /* per member */
  struct dealer_notes *notes;  /* per member */
  size_t n;
  struct budget budget;
};

/* leads must outlive the fold. */
void daily_fold_init(struct daily_fold *f, const struct lead_events *leads, size_t n_members,
                     bool two_periods, struct budget budget);
/* The fold over a struct daily_fold. A value that is not a count makes its dealer fail. */
extern const struct fold daily_fold;

/* How often each of the fixed events that it reads fired in the look-back. */
void daily_fold_firings(const struct daily_fold *f, size_t member, int64_t firings[LEAD_FIXED]);
/* How often an event fired in the look-back, and in how many sessions, into *out; 0 for
 * LEAD_UNKNOWN. */
void daily_fold_leads(const struct daily_fold *f, size_t member, int event,
                      struct lead_finding *out);
/* Whether contacts of a kind happened in the period that is asked about. */
bool daily_fold_has_kind(const struct daily_fold *f, size_t member, enum lead_kind kind);
/* The signature of the key events other than candidates for the lead event that are frequent in the
 * look-back. */
uint64_t daily_fold_key_events(const struct daily_fold *f, size_t member);
/* A dealer's figures by its lead event and its definition of a shopper session; days live in the
 * arena, which must have no cap. False when a sum is too large. */
bool daily_fold_figures(const struct daily_fold *f, size_t member, int lead_event, int shopper,
                        struct dealer_figures *out, struct arena *arena);
/* The same of the days from one date to another (YYYYMMDD), whichever of the two periods they were
 * read with; without a period before and without channels. Days of a baseline are none. */
bool daily_fold_window(const struct daily_fold *f, size_t member, int lead_event, int shopper,
                       int32_t from, int32_t to, struct dealer_figures *out, struct arena *arena);

/* What is suspect in some days of a dealer; `base`: they are a week or month that pools are summed
 * of (struct suspect_days). *out is what daily_fold_figures() or
 * daily_fold_window() filled of them; findings and their effects are added to it (series.h). */
void daily_fold_findings(const struct daily_fold *f, size_t member, struct period_days days,
                         bool base, struct dealer_figures *out);

#endif
