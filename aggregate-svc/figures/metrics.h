/* The metrics of a dealer's website: one table, from which values, groups, benchmarks, verdicts
 * and headlines are made. A further metric is a row here, and a count. */
#ifndef AMCP_AGGREGATE_METRICS_H
#define AMCP_AGGREGATE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/leads.h"
#include "aggregate-svc/stats/stats.h"
#include "aggregate-svc/suspect/suspect.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"

/* What one dealer's reports count over some days: parts of ratios, which may be added. */
struct dealer_counts {
  int64_t sessions;
  int64_t engaged_sessions;
  int64_t leads;            /* the dealer's lead event; 0 when it is unknown */
  int64_t lead_sessions;    /* sessions with it */
  int64_t shopper_sessions; /* by the dealer's definition; 0 when it is unknown */
  /* Pages of inventory, of sites that report them. */
  int64_t inventory_sessions; /* sessions with a page of a vehicle or of a list of vehicles */
  int64_t vdp_sessions;       /* with a page of a vehicle */
  int64_t vdp_views;          /* such pages */
  int64_t srp_sessions;       /* with a page of a list of vehicles */
  int64_t vdp_srp_sessions;   /* with both */
  int64_t calls, chats, appointments; /* events of each kind, see cohort/leads.h */
};

/* What one dealer's reports say about a period. */
struct dealer_figures {
  bool ok;        /* in the figures */
  int lead_event; /* index into the lead events of the cohort, or LEAD_UNKNOWN */
  int shopper;    /* definition of a shopper session (cohort/leads.h), or SHOPPER_UNKNOWN */
  struct dealer_counts now;
  struct dealer_counts before; /* the equal period before, when has_before */
  bool has_before;
  int64_t kinds[LEAD_KINDS];        /* events of each kind, see cohort/leads.h */
  bool pages;                       /* the site reports pages of inventory */
  const struct dealer_counts *days; /* single days of `now`, lent */
  size_t n_days;
  const struct dealer_counts *before_days; /* likewise of `before` */
  size_t n_before_days;
  /* `now` by channel, in the order of figures/channels.h, lent; NULL when it was not asked for. */
  const struct dealer_counts *channels;
  struct suspect_findings findings; /* what is suspect in them */
  unsigned effects;                 /* enum suspect_effect: what that makes unusable */
  struct suspect_reach reach;       /* of the days that were looked at */
  uint64_t key_events;              /* signature of the frequent key events */
};

enum metric_unit {
  UNIT_COUNT,       /* a number of sessions or events */
  UNIT_SHARE,       /* part of a whole, 0 to 1: who knows it knows the rest, too */
  UNIT_PER_100,     /* events per 100 sessions; may exceed 100 */
  UNIT_PER_SESSION, /* events per session */
};

/* In the order of the answer. */
enum metric_id {
  METRIC_SESSIONS,
  METRIC_ENGAGED_SESSIONS,
  METRIC_ENGAGEMENT_RATE,
  METRIC_BOUNCE_RATE,
  METRIC_LEAD_EVENTS,
  METRIC_LEADS_PER_100_SESSIONS,
  METRIC_SHOPPER_SESSIONS,
  METRIC_SHOPPER_RATE,
  METRIC_LEADS_PER_100_SHOPPER_SESSIONS,
  METRIC_COMPARED, /* those before it are the metrics of compare_dealer_sessions */
  METRIC_VDP_REACH = METRIC_COMPARED,
  METRIC_VDP_VIEWS_PER_SESSION,
  METRIC_SRP_TO_VDP,
  METRIC_CALLS_PER_100_SESSIONS,
  METRIC_CALLS_PER_100_SHOPPER_SESSIONS,
  METRIC_CHATS_PER_100_SESSIONS,
  METRIC_CHATS_PER_100_SHOPPER_SESSIONS,
  METRIC_APPOINTMENTS_PER_100_SESSIONS,
  METRIC_APPOINTMENTS_PER_100_SHOPPER_SESSIONS,
  METRIC_COUNT,
};

struct dealer_metric {
  const char *name;  /* in the answer */
  const char *words; /* in a sentence */
  /* Parts, as 1 + the offset of an int64 in struct dealer_counts; 0 for none. The value is
   * scale x (of - less) / per, never below 0; a count has no `per`. */
  size_t of, less, per;
  int scale;
  enum metric_unit unit;
  Analytics__Aggregate__V1__Better better;
  bool lead;       /* compared only between dealers that count the same lead event */
  bool shopper;    /* compared only between dealers with one definition of a shopper session */
  bool engagement; /* compared only between dealers with the same frequent key events */
  bool pages;      /* compared only between dealers whose sites report pages of inventory */
  /* Counts this kind of contact (1 + enum lead_kind; 0: none), and is known only where it happened:
   * a site that reports no calls may have had some. */
  int kind;
  /* Carries a verdict. A size does not, nor does the rest of a share that does: one fact gets one
   * word. */
  bool judged;
};
extern const struct dealer_metric dealer_metrics[METRIC_COUNT];

static inline bool metric_is_rate(const struct dealer_metric *m)
{
  return m->per != 0;
}
/* Whether it is followed over weeks: sizes as sessions, and what is judged. */
static inline bool metric_has_trend(const struct dealer_metric *m)
{
  return m->judged || m == &dealer_metrics[METRIC_SESSIONS];
}
/* Whether a caller means it: its name, or another name of common/ga4/own for the same
 * ("qualified_rate", "leads"). */
bool metric_is_called(const struct dealer_metric *m, const char *name);
/* How the events of a rate vary. */
static inline enum stats_model metric_model(const struct dealer_metric *m)
{
  return m->unit == UNIT_SHARE ? STATS_BINOMIAL : STATS_POISSON;
}
/* Counts in parts, before scaling; the denominator of a count is 1. */
struct stats_ratio metric_parts_of(const struct dealer_metric *m, const struct dealer_counts *c);
/* Those of a dealer's period; with EFFECT_LEADS_BY_SESSION rates count sessions with a lead. */
struct stats_ratio metric_parts(const struct dealer_metric *m, const struct dealer_figures *f);
/* Those of one of its days. */
struct stats_ratio metric_parts_on(const struct dealer_metric *m, const struct dealer_figures *f,
                                   const struct dealer_counts *day);
/* Whether a dealer's figures may be compared: neither its traffic nor, for a rate, its days are
 * suspect. */
bool metric_is_usable(const struct dealer_metric *m, const struct dealer_figures *f);
/* Whether they may also be compared with another period's. */
bool metric_has_change(const struct dealer_metric *m, const struct dealer_figures *f);
/* The value of parts; false without a denominator. */
bool metric_value(const struct dealer_metric *m, struct stats_ratio parts, double *out);

#endif
