/* Metrics of a dealer's website that GA4 does not have: leads, the sessions that shop, and what
 * they are to each other. They may be asked for beside GA4's; report-svc makes them from counts of
 * the dealer's own events (common/ga4/leads.h). */
#ifndef AMCP_GA4_OWN_H
#define AMCP_GA4_OWN_H

#include <stdbool.h>
#include <stddef.h>

/* Counts that they are made of. */
enum own_part {
  OWN_SESSIONS,         /* GA4's sessions */
  OWN_LEADS,            /* firings of the dealer's lead event */
  OWN_LEAD_SESSIONS,    /* sessions with it */
  OWN_SHOPPER_SESSIONS, /* by the dealer's definition */
  OWN_FORMS,            /* firings of the site's event of forms */
  OWN_CALLS,
  OWN_CHATS, /* chats and texts, which are one event */
  OWN_APPOINTMENTS,
  OWN_PARTS,
};

struct own_metric {
  const char *name;
  const char *label;   /* for people: "Leads per 100 sessions" */
  const char *meaning; /* a sentence */
  const char *formula;
  enum own_part of;
  bool rate; /* 0 to 100 or more of `per`; else a count */
  enum own_part per;
  double scale;     /* value = scale x of / per */
  const char *pool; /* of a rate: the metric that it is pooled by, see ga4_rate */
};

/* By name, or by another name for the same ("qualified_sessions", "lead_events"); NULL when it is
 * none of them. Static. */
const struct own_metric *own_metric_find(const char *name);
/* All, each once. */
const struct own_metric *own_metrics(size_t *n);
/* Further names: the i-th one and its metric; false after the last. */
bool own_metric_alias(size_t i, const char **name, const struct own_metric **metric);

/* What is said beside counts of OWN_CHATS: the event does not tell chats from texts, its parameter
 * comm_type does. */
extern const char own_chats_note[];

#endif
