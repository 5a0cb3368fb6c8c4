/* Which event counts as a lead on a dealer's site, and which sessions as shopping.
 *
 * The lead event belongs to the dealer, not to the period. A dealer's configured event counts, 0
 * when it did not happen. Without one, a look-back of 90 complete days decides, the same for every
 * period that is asked about: the one of asc_form_submission, generate_lead and form_submit that
 * fired most often, asc_form_submission also when it fired at least half as often. When none
 * fired, the number of leads is unknown, which is not 0: the site may report leads under another
 * name. Events that vendors fire in addition (asc_form_submission_sales, ...) are never added.
 *
 * Calls, chats and appointments are events of other kinds. They are shown beside forms and never
 * added to them. */
#ifndef AMCP_AGGREGATE_LEADS_H
#define AMCP_AGGREGATE_LEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "common/base/arena.h"

enum {
  LEAD_DEFAULTS = 3, /* candidates, first among the events */
  LEAD_FIXED = 10,   /* events that every cohort reads, the candidates included */
  LEAD_UNKNOWN = -1,
};

/* Kinds of contact beside the lead event. */
enum lead_kind {
  LEAD_KIND_CALL,        /* asc_click_to_call */
  LEAD_KIND_CHAT,        /* asc_comm_submission: chats and texts */
  LEAD_KIND_APPOINTMENT, /* forms for appointments and test drives: also counted as forms */
  LEAD_KINDS,
};

/* Names of all events that are read for a cohort: the candidates first, in their order, then the
 * other fixed ones, then those that dealers configured. */
struct lead_events {
  char **names;
  size_t n;
};

/* Places of the fixed events that tell pages of a vehicle and of a list of vehicles. */
enum { LEAD_EVENT_VDP = 8, LEAD_EVENT_SRP = 9 };
/* The kind of one of the fixed events; LEAD_KINDS for none, and for any other event. */
enum lead_kind lead_kind_of(int event);

/* Collects them; names point into the cohort. False when the arena is full. */
bool lead_events_collect(struct lead_events *out, const struct cohort *cohort, struct arena *arena);
/* Index of a name; LEAD_UNKNOWN when it is not among them. Letter case matters. */
int lead_events_find(const struct lead_events *l, const char *name);
/* Whether a name is one of the candidates for a lead event. */
bool lead_is_candidate(const char *name);
/* What a look-back says about a site. */
struct lead_finding {
  int lead_event;       /* the candidate that counts; LEAD_UNKNOWN when none fired */
  bool inventory_pages; /* pages of vehicles or lists of vehicles are reported as events */
  uint64_t key_events;  /* signature of the frequent key events (suspect/suspect.h) */
  int64_t lead_events, lead_sessions; /* of the event that counts, configured or found */
};
/* By how often each of the fixed events fired in it; without the last three. */
struct lead_finding lead_find(const int64_t firings[LEAD_FIXED]);
/* Names of the events a look-back reads, and how many: candidates, pages of inventory, what dealers
 * configured, and LEAD_SESSION_START as the last. NULL when the arena is full. */
#define LEAD_SESSION_START "session_start"
char **lead_look_back_events(const struct lead_events *l, size_t *n, struct arena *arena);
/* Kind of the lead event in a word: "form", "call", "chat", or "other" for a name of a dealer's
 * own. Static text. */
const char *lead_event_kind(const char *name);

/* What a shopper session is on a dealer's site (qualified_session of its settings). */
enum {
  SHOPPER_UNKNOWN = -1,
  SHOPPER_INVENTORY, /* with a page of a vehicle or of a list of vehicles: the default */
  SHOPPER_ENGAGED,   /* GA4's engaged sessions */
  SHOPPER_EVENT,     /* with an event: SHOPPER_EVENT + its index among the lead events */
};
/* By a dealer's setting; SHOPPER_UNKNOWN for one that this version does not know, and for one that
 * rests on inventory pages where the site does not report them: unknown is not 0. */
int shopper_of(const struct lead_events *l, const char *qualified_session,
               struct lead_finding finding);
/* The definition in words: "sessions with a page of a vehicle or of a list of vehicles". The text
 * may live in the arena. */
const char *shopper_words(const struct lead_events *l, int shopper, struct arena *arena);

/* Events of inventory pages, of which a shopper session has at least one. */
enum { SHOPPER_PAGES = 2 };
char **shopper_page_events(const struct lead_events *l);

#endif
