/* What tools over daily figures ask each dealer for, and what they make of it: sessions, events and
 * shopper sessions by day, and a look-back that says what counts on a site whose configuration does
 * not. */
#ifndef AMCP_AGGREGATE_CALL_DAILY_H
#define AMCP_AGGREGATE_CALL_DAILY_H

#include "aggregate-svc/call/tool.h"
#include "aggregate-svc/figures/daily.h"

struct daily_site;

/* The state of such a tool begins with it, zeroed. */
struct daily_question {
  struct daily_fold fold; /* first: the fold's figures */
  struct lead_events leads;
  /* Filled in before daily_plan(). */
  struct period other; /* read beside the call's period, when has_other */
  bool has_other;
  bool channels; /* also by channel */
  /* Its own. */
  struct period look_back, baselines[2];
  size_t n_baselines;
  struct daily_site *sites; /* per member */
};

/* Whether report-svc keeps the reports of this call (its days are final in every zone) and there
 * are few enough dealers that what a scorecard needs beyond a comparison costs little. A comparison
 * then asks what the scorecard asks, so that whichever comes second costs no request. It depends on
 * the question alone: the same one is answered from the same reports each time. */
bool daily_shares_reports(const struct tool_call *c);

/* Adds the reports, at most 5, and begins the fold. The question must outlive the plan. */
enum err_code daily_plan(struct tool_call *c, struct daily_question *q, struct plan *p,
                         struct err *e);

/* Adds the look-back alone, and begins the fold; dealers whose look-back is remembered have
 * answered. The question must outlive the plan. */
enum err_code daily_plan_look_back(struct tool_call *c, struct daily_question *q, struct plan *p,
                                   struct err *e);

/* Whether a dealer had chats or texts in the period asked about. state: of a tool, as above. */
bool daily_has_messages(const void *state, size_t member);

/* What counts on a dealer's site. */
struct daily_meaning {
  int lead_event, shopper;
  bool pages;                        /* it reports pages of inventory */
  uint64_t key_events;               /* signature of its frequent key events */
  unsigned contacts;                 /* other kinds that fired: bits of enum lead_kind */
  struct suspect_finding duplicates; /* in the look-back */
};
/* By its configuration, else by the look-back, which is remembered. Once the dealer has answered.
 */
struct daily_meaning daily_meaning_of(struct tool_call *c, const struct daily_question *q,
                                      size_t member);

/* The figures of every member, in the arena, which must have no cap; those that did not answer are
 * not ok. With what is suspect in them. The door is given what dealers outside the
 * caller's view count in each week or month, lent by the arena. NULL when a sum is too large: *e is
 * set. */
struct dealer_figures *daily_figures(struct tool_call *c, const struct daily_question *q,
                                     struct arena *arena, struct err *e);
/* The same of the days of a span (days since 1970-01-01), judged as a period of its own. */
struct dealer_figures *daily_figures_within(struct tool_call *c, const struct daily_question *q,
                                            struct lattice_span span, struct arena *arena,
                                            struct err *e);

#endif
