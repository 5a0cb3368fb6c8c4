/* Signs that a dealer's data does not mean what it seems to mean, what each makes unusable, and the
 * words for it.
 *
 * The finders are pure functions: arrays of daily counts in, one finding out; no allocation,
 * thread-safe. A day is suspect by its distance from the same weekday of eight weeks on square
 * roots (stats_day_z, |z| > 4), never by one odd day alone: at least two days and a tenth of the
 * period's sessions must be touched. tests/truth/suspect holds how often clean dealers are
 * suspected and how often planted faults are found. */
#ifndef AMCP_AGGREGATE_SUSPECT_H
#define AMCP_AGGREGATE_SUSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* What can be wrong. */
enum suspect_code {
  SUSPECT_TRAFFIC,       /* a wave of sessions without engagement, or from far away */
  SUSPECT_GAP,           /* days of the period without any session */
  SUSPECT_LATE_START,    /* the first session ever comes days after the period begins */
  SUSPECT_DUPLICATES,    /* the lead event fires several times in a session */
  SUSPECT_KEY_EVENTS,    /* other frequent key events than the other dealers */
  SUSPECT_SHIFT,         /* sessions fell to a lower level while rates rose: consent, cut-over */
  SUSPECT_SELF_REFERRAL, /* sessions that come from the own or a tool's host */
  SUSPECT_CODES,
};

/* All codes, the most harmful first. */
extern const enum suspect_code suspect_by_harm[SUSPECT_CODES];

/* What a finding makes unusable; bits. All findings are caveats. */
enum suspect_effect {
  EFFECT_NO_POOL = 1,          /* the dealer is in no benchmark and gets no verdict */
  EFFECT_NO_RATES = 2,         /* the same for its rates */
  EFFECT_LEADS_BY_SESSION = 4, /* lead rates count sessions with a lead in place of events */
  EFFECT_ENGAGEMENT_APART = 8, /* engagement is compared within one set of key events */
  EFFECT_NO_TREND = 16,        /* no change against another period, and in nobody's market */
  EFFECT_FOLD_SOURCE = 32,     /* these sources are one: self-referral */
};

struct suspect_finding {
  bool found;
  unsigned effects;
  int64_t first, last; /* days since 1970-01-01; 0 where days do not matter */
  int64_t days;        /* days touched */
  double amount;       /* traffic, self-referral: share of the period's sessions; duplicates: events
                          by session; shift: level by what it was */
};

/* Findings of one dealer, by code. Zeroed means none. */
struct suspect_findings {
  struct suspect_finding of[SUSPECT_CODES];
};
/* All effects together. */
unsigned suspect_effects(const struct suspect_findings *f);

/* Days before a period that its days are judged by. */
enum { SUSPECT_BASELINE = 56 };

/* Daily counts of a dealer, oldest first: the baseline (up to SUSPECT_BASELINE days), then the
 * period. Arrays are lent. */
struct suspect_days {
  int64_t first;           /* day of the first entry, since 1970-01-01 */
  size_t n, begin;         /* entries, and the period's first */
  size_t complete;         /* entries that Google has finished; later ones are not judged */
  const int64_t *sessions; /* n of each */
  const int64_t *engaged;
  const int64_t *leads;
  size_t leads_from; /* leads are known from this entry on */
  bool base;         /* the period is a week or month that pools are summed of (suspect_wave()) */
};

/* How far the sessions of those days reach: days since 1970-01-01. */
struct suspect_reach {
  int64_t newest; /* the newest with a session; 0: none has one */
  int64_t looked; /* the last entry */
};
struct suspect_reach suspect_reach_of(const struct suspect_days *d);

/* A wave in counts `y` (n entries as in d; sessions without engagement, or from abroad): at least
 * 2 days with z > 4, whose excess over the usual is at least 10 % of the period's sessions. A day
 * without 5 of its 8 earlier weekdays cannot be judged. The dealer leaves the pools.
 *
 * A wave may cross the border of a base. Its days in the base are then also one when together with
 * the two days before they are, or when it is the last day that stands out and its excess is 10 %
 * of the base's sessions: the days after may not be finished when the base is first released, so
 * what belongs to it must not depend on them. */
struct suspect_finding suspect_wave(const struct suspect_days *d, const int64_t *y);
/* The same for sessions without engagement. */
struct suspect_finding suspect_traffic(const struct suspect_days *d);
/* 3 or more finished days of the period without a session at a site that has 5 or more on a usual
 * day. Rates stay when 14 days with sessions remain; there is no change against another period.
 * Days before the first session ever are a late start and not a gap. */
struct suspect_finding suspect_gap(const struct suspect_days *d);
/* No session in the baseline nor in the first 3 or more days of the period, but then. Needs a
 * baseline. */
struct suspect_finding suspect_late_start(const struct suspect_days *d);
/* A fall of sessions that lasts for at least 14 days up to the last finished one: their sum of
 * daily residuals against the 56 days before is beyond 2.75 standard errors, its first and its last
 * week are both low, and the level is at least 15 % lower, while engagement or lead rate rose by
 * 10 % or more, beyond chance (2.326 standard errors, so both together are chance in one dealer of
 * ten thousand). */
struct suspect_finding suspect_shift(const struct suspect_days *d);

/* All of these. */
void suspect_find_days(struct suspect_findings *out, const struct suspect_days *d);

/* Whether an event (`y`: firings by day) ceased or began within the period: silent up to the last
 * finished day for 3 days or more, or from the first entry on for 14, where by its rate on the
 * other days 20 firings or more were to be expected. *day is the first silent one, or the first it
 * fired on. */
enum suspect_event { EVENT_STEADY, EVENT_STOPPED, EVENT_BEGAN };
enum suspect_event suspect_event(const struct suspect_days *d, const int64_t *y, int64_t *day);

/* More than 1.3 lead events by session with one, over at least 30 such sessions; over 15 to 29 also
 * beyond what chance makes of a site where one lead in ten comes twice (exact Poisson p below
 * 0.001). */
struct suspect_finding suspect_duplicates(int64_t lead_events, int64_t lead_sessions);
/* Key events that fire in 3 % of sessions or more make sessions engaged by themselves; dealers
 * with other such events are not comparable in engagement. Signatures are equal for equal sets. */
struct suspect_finding suspect_key_events(uint64_t own, uint64_t usual);
bool suspect_is_frequent(int64_t sessions_with_event, int64_t sessions);
/* Adds an event to a signature, in any order. */
uint64_t suspect_signature_add(uint64_t signature, const char *event);
/* Sessions from the own host, a peer's or a tool's, of all sessions: 2 % or more. */
struct suspect_finding suspect_self_referral(int64_t from_self, int64_t sessions);
/* Whether a source is a host of the dealer's own: the host, a name below it or above it, with or
 * without www. */
bool suspect_same_site(const char *source, const char *host);
/* Whether a source is a host of tools that dealers send visitors to and get back from: credit
 * applications, digital retailing, trade-in. */
bool suspect_tool_host(const char *source);

/* "suspect_traffic", "gap", ... Static text. */
const char *suspect_name(enum suspect_code code);
/* What it makes unusable, in a sentence without a subject: "left out of every benchmark; no
 * verdict". Static text. */
const char *suspect_consequence(enum suspect_code code, const struct suspect_finding *f);
/* "3 days without a session (2026-11-04 to 2026-11-06)". */
void suspect_put(struct buf *b, enum suspect_code code, const struct suspect_finding *f);

#endif
