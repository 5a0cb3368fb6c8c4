/* The table of metrics that GA4 does not have. */
#include "common/ga4/own.h"

#include <string.h>

#include "common/base/mem.h"

#define SESSIONS "sessions"
#define SHOPPERS "shopper_sessions"
/* A count, and how often it comes per 100 sessions of either kind. */
#define PER_100(id, part, label, meaning, event)                                                   \
  {id "_per_100_sessions",                                                                         \
   label " per 100 sessions",                                                                      \
   meaning " per 100 visits.",                                                                     \
   "100 x " event " / sessions",                                                                   \
   part,                                                                                           \
   true,                                                                                           \
   OWN_SESSIONS,                                                                                   \
   100,                                                                                            \
   SESSIONS},                                                                                      \
  {                                                                                                \
    id "_per_100_shopper_sessions", label " per 100 shopper sessions",                             \
        meaning " per 100 visits that shop.", "100 x " event " / shopper_sessions", part, true,    \
        OWN_SHOPPER_SESSIONS, 100, SHOPPERS                                                        \
  }
#define COUNT(part) part, false, OWN_SESSIONS, 1, NULL

static const struct own_metric metrics[] = {
    {"leads", "Leads",
     "How often the dealer's lead event fired: the configured one, else the form event that fired "
     "most in 90 days. Events are never added up.",
     "eventCount of the lead event", COUNT(OWN_LEADS)},
    {"lead_sessions", "Lead sessions", "Visits with the dealer's lead event.",
     "sessions with the lead event", COUNT(OWN_LEAD_SESSIONS)},
    {"shopper_sessions", "Shopper sessions",
     "Visits with a page of a vehicle or of a list of them, or what the dealer's configuration "
     "calls shopping.",
     "sessions with asc_item_pageview or asc_itemlist_pageview", COUNT(OWN_SHOPPER_SESSIONS)},
    {"shopper_rate", "Shopper rate", "Share of the visits that shop for a vehicle.",
     "shopper_sessions / sessions", OWN_SHOPPER_SESSIONS, true, OWN_SESSIONS, 1, SESSIONS},
    {"forms", "Forms sent",
     "Forms sent: the lead event where it is a form, else the form event that fired most in 90 "
     "days.",
     "eventCount of the form event", COUNT(OWN_FORMS)},
    {"calls", "Calls", "Calls started on the site; 0 also where a site does not report them.",
     "eventCount of asc_click_to_call", COUNT(OWN_CALLS)},
    {"chats", "Chats and texts",
     "Chats and texts, which are one event; 0 also where a site does not report them.",
     "eventCount of asc_comm_submission", COUNT(OWN_CHATS)},
    {"appointments", "Appointments",
     "Forms for an appointment or a test drive, counted among the forms, too.",
     "eventCount of asc_form_submission_sales_appt, _service_appt and _test_drive",
     COUNT(OWN_APPOINTMENTS)},
    PER_100("leads", OWN_LEADS, "Leads", "Leads", "leads"),
    PER_100("forms", OWN_FORMS, "Forms", "Forms sent", "forms"),
    PER_100("calls", OWN_CALLS, "Calls", "Calls begun", "calls"),
    PER_100("chats", OWN_CHATS, "Chats", "Chats and texts", "chats"),
    PER_100("appointments", OWN_APPOINTMENTS, "Appointments", "Appointments", "appointments"),
};

static const struct {
  const char *name, *of;
} aliases[] = {
    {"lead_events", "leads"},
    {"qualified_sessions", "shopper_sessions"},
    {"qualified_rate", "shopper_rate"},
    {"leads_per_100_qualified_sessions", "leads_per_100_shopper_sessions"},
    {"texts", "chats"},
};

static const struct own_metric *named(const char *name)
{
  for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
    if (strcmp(metrics[i].name, name) == 0)
      return &metrics[i];
  return NULL;
}

const struct own_metric *own_metric_find(const char *name)
{
  for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
    if (strcmp(aliases[i].name, name) == 0)
      return named(aliases[i].of);
  return named(name);
}

const struct own_metric *own_metrics(size_t *n)
{
  *n = ARRAY_LEN(metrics);
  return metrics;
}

bool own_metric_alias(size_t i, const char **name, const struct own_metric **metric)
{
  if (i >= ARRAY_LEN(aliases))
    return false;
  *name = aliases[i].name;
  *metric = named(aliases[i].of);
  return true;
}

const char own_chats_note[] =
    "Chats are asc_comm_submission events: chats, texts and other messages. The dimension "
    "customEvent:comm_type tells them apart where the property has registered comm_type as an "
    "event-scoped custom dimension.";
