/* The lead events of a cohort: names, places and words of what common/ga4/leads.h rules. */
#ifndef AMCP_AGGREGATE_LEADS_H
#define AMCP_AGGREGATE_LEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "common/base/arena.h"
#include "common/ga4/leads.h"

/* Names of all events that are read for a cohort: the candidates first, in their order, then the
 * other fixed ones, then those that dealers configured. */
struct lead_events {
  char **names;
  size_t n;
};

/* Collects them; names point into the cohort. False when the arena is full. */
bool lead_events_collect(struct lead_events *out, const struct cohort *cohort, struct arena *arena);
/* Index of a name; LEAD_UNKNOWN when it is not among them. Letter case matters. */
int lead_events_find(const struct lead_events *l, const char *name);
/* What counts as a member's lead: its configuration, else what the look-back found. An index into
 * the names, or LEAD_UNKNOWN. */
int lead_event_of(const struct lead_events *l, const struct cohort_member *m,
                  struct lead_finding finding);
/* Names of the events a look-back reads, and how many: all of them, and LEAD_SESSION_START as the
 * last. NULL when the arena is full. */
#define LEAD_SESSION_START "session_start"
char **lead_look_back_events(const struct lead_events *l, size_t *n, struct arena *arena);

/* What a shopper session is on a dealer's site: SHOPPER_INVENTORY, SHOPPER_ENGAGED, SHOPPER_EVENT +
 * an event's index among the lead events, or SHOPPER_UNKNOWN. */
int shopper_of(const struct lead_events *l, const char *qualified_session,
               struct lead_finding finding);
/* The definition in words: "sessions with a page of a vehicle or of a list of vehicles". The text
 * may live in the arena. */
const char *shopper_words(const struct lead_events *l, int shopper, struct arena *arena);

/* Events of inventory pages, of which a shopper session has at least one. */
enum { SHOPPER_PAGES = 2 };
char **shopper_page_events(const struct lead_events *l);

#endif
