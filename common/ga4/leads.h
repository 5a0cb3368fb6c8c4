/* Which event counts as a lead on a dealer's site, which sessions as shopping, and which events are
 * contacts of other kinds. Rules alone: no dealer, no report, no state.
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
#ifndef AMCP_GA4_LEADS_H
#define AMCP_GA4_LEADS_H

#include <stdbool.h>
#include <stdint.h>

enum {
  LEAD_DEFAULTS = 3, /* candidates, first among the events */
  LEAD_FIXED = 10,   /* events that are read for every dealer, the candidates included */
  LEAD_UNKNOWN = -1,
};

/* Kinds of contact beside the lead event. */
enum lead_kind {
  LEAD_KIND_CALL,        /* asc_click_to_call */
  LEAD_KIND_CHAT,        /* asc_comm_submission: chats and texts */
  LEAD_KIND_APPOINTMENT, /* forms for appointments and test drives: also counted as forms */
  LEAD_KINDS,
};

/* What an event of LEAD_KIND_CHAT was. The event is the same for all of them; its parameter
 * comm_type tells them apart where the property has registered it as a custom dimension. */
enum lead_message {
  LEAD_MESSAGE_CHAT,
  LEAD_MESSAGE_TEXT,
  LEAD_MESSAGE_OTHER, /* another kind, or none was sent */
  LEAD_MESSAGES,
};
#define LEAD_MESSAGE_DIMENSION "customEvent:comm_type"
/* By a value of it; letter case does not matter. */
enum lead_message lead_message_of(const char *comm_type);
/* The event. Static. */
const char *lead_message_event(void);

/* Places of the fixed events that tell pages of a vehicle and of a list of vehicles. */
enum { LEAD_EVENT_VDP = 8, LEAD_EVENT_SRP = 9 };
/* Name of one of the fixed events: the candidates first, in their order. Static. */
const char *lead_fixed_event(int event);
/* The kind of one of the fixed events; LEAD_KINDS for none, and for any other event. */
enum lead_kind lead_kind_of(int event);
/* Whether a name is one of the candidates for a lead event. */
bool lead_is_candidate(const char *name);
/* Kind of the lead event in a word: "form", "call", "chat", or "other" for a name of a dealer's
 * own. Static text. */
const char *lead_event_kind(const char *name);

/* What a look-back says about a site. */
struct lead_finding {
  int lead_event;       /* the candidate that counts; LEAD_UNKNOWN when none fired */
  bool inventory_pages; /* pages of vehicles or lists of vehicles are reported as events */
  unsigned contacts;    /* other kinds of contact that fired: bits of enum lead_kind */
  uint64_t key_events;  /* signature of the frequent key events, for whoever keeps one */
  int64_t lead_events, lead_sessions; /* of the event that counts, configured or found */
};
/* By how often each of the fixed events fired in it; without the last three. */
struct lead_finding lead_find(const int64_t firings[LEAD_FIXED]);

/* First and last day of the look-back, in days since 1970-01-01: 90 days to the Sunday of the last
 * week that Google has finished in every time zone. The same everywhere at any moment. */
void lead_look_back(int64_t unix_ms, int64_t *first, int64_t *last);
/* The last day that Google has finished in every time zone. */
int64_t lead_finished_day(int64_t unix_ms);

/* What a shopper session is on a dealer's site (qualified_session of its settings). */
enum {
  SHOPPER_UNKNOWN = -1,
  SHOPPER_INVENTORY, /* with a page of a vehicle or of a list of vehicles: the default */
  SHOPPER_ENGAGED,   /* GA4's engaged sessions */
  SHOPPER_EVENT,     /* with an event */
};
/* By a dealer's setting; *event is the name for SHOPPER_EVENT, which may point into the setting.
 * SHOPPER_UNKNOWN for a setting that this version does not know, and for one that rests on
 * inventory pages where the site does not report them: unknown is not 0. */
int lead_shopper(const char *qualified_session, bool inventory_pages, const char **event);
/* The event that a setting names; "" for none. Points into it. */
const char *lead_shopper_event(const char *qualified_session);

#endif
