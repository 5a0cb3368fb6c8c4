/* Rules of lead events and shopper sessions. */
#include "common/ga4/leads.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"

enum { LOOK_BACK_DAYS = 90, FRESH_DAYS = 3, ZONES_BEHIND_H = 12 };
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

/* Events that are read for every dealer, the candidates first. */
static const struct {
  const char *name;
  enum lead_kind kind; /* LEAD_KINDS for none */
} fixed[LEAD_FIXED] = {
    {"asc_form_submission", LEAD_KINDS},
    {"generate_lead", LEAD_KINDS},
    {"form_submit", LEAD_KINDS},
    {"asc_click_to_call", LEAD_KIND_CALL},
    {"asc_comm_submission", LEAD_KIND_CHAT},
    {"asc_form_submission_sales_appt", LEAD_KIND_APPOINTMENT},
    {"asc_form_submission_service_appt", LEAD_KIND_APPOINTMENT},
    {"asc_form_submission_test_drive", LEAD_KIND_APPOINTMENT},
    {"asc_item_pageview", LEAD_KINDS},
    {"asc_itemlist_pageview", LEAD_KINDS},
};

static const char event_prefix[] = "event:";

const char *lead_fixed_event(int event)
{
  return fixed[event].name;
}

enum lead_kind lead_kind_of(int event)
{
  return event >= 0 && event < LEAD_FIXED ? fixed[event].kind : LEAD_KINDS;
}

bool lead_is_candidate(const char *name)
{
  for (int i = 0; i < LEAD_DEFAULTS; i++)
    if (strcmp(name, fixed[i].name) == 0)
      return true;
  return false;
}

const char *lead_event_kind(const char *name)
{
  for (int i = 0; i < LEAD_FIXED; i++)
    if (strcmp(name, fixed[i].name) == 0)
      return fixed[i].kind == LEAD_KIND_CALL   ? "call"
             : fixed[i].kind == LEAD_KIND_CHAT ? "chat"
                                               : "form";
  return "other";
}

enum lead_message lead_message_of(const char *comm_type)
{
  /* "chat" and "sms" are the standard's words, the others are what vendors send. */
  static const struct {
    const char *value;
    enum lead_message message;
  } known[] = {
      {"chat", LEAD_MESSAGE_CHAT},      {"livechat", LEAD_MESSAGE_CHAT},
      {"live_chat", LEAD_MESSAGE_CHAT}, {"sms", LEAD_MESSAGE_TEXT},
      {"text", LEAD_MESSAGE_TEXT},      {"mms", LEAD_MESSAGE_TEXT},
  };
  for (size_t i = 0; i < ARRAY_LEN(known); i++)
    if (strcasecmp(comm_type, known[i].value) == 0)
      return known[i].message;
  return LEAD_MESSAGE_OTHER;
}

const char *lead_message_event(void)
{
  int i = 0;
  while (fixed[i].kind != LEAD_KIND_CHAT)
    i++;
  return fixed[i].name;
}

static int choose(const int64_t firings[LEAD_FIXED])
{
  int most = 0;
  for (int i = 1; i < LEAD_DEFAULTS; i++)
    if (firings[i] > firings[most])
      most = i;
  if (firings[most] <= 0)
    return LEAD_UNKNOWN;
  return firings[0] >= firings[most] - firings[most] / 2 ? 0 : most;
}

struct lead_finding lead_find(const int64_t firings[LEAD_FIXED])
{
  bool pages = firings[LEAD_EVENT_VDP] > 0 || firings[LEAD_EVENT_SRP] > 0;
  unsigned contacts = 0;
  for (int i = 0; i < LEAD_FIXED; i++)
    if (fixed[i].kind != LEAD_KINDS && firings[i] > 0)
      contacts |= 1U << fixed[i].kind;
  return (struct lead_finding){
      .lead_event = choose(firings), .inventory_pages = pages, .contacts = contacts};
}

/* Days since 1970-01-01, rounded down. */
static int64_t floor_days(int64_t ms)
{
  return ms / DAY_MS - (ms % DAY_MS < 0);
}

int64_t lead_finished_day(int64_t unix_ms)
{
  return floor_days(unix_ms - ZONES_BEHIND_H * HOUR_MS) - FRESH_DAYS;
}

void lead_look_back(int64_t unix_ms, int64_t *first, int64_t *last)
{
  enum { SUNDAY = 3, WEEK = 7 }; /* 1970-01-04 */
  int64_t day = lead_finished_day(unix_ms), after = (day - SUNDAY) % WEEK;
  *last = day - (after < 0 ? after + WEEK : after);
  *first = *last - LOOK_BACK_DAYS + 1;
}

const char *lead_shopper_event(const char *qualified_session)
{
  size_t n = sizeof(event_prefix) - 1;
  return strncmp(qualified_session, event_prefix, n) == 0 ? qualified_session + n : "";
}

int lead_shopper(const char *qualified_session, bool inventory_pages, const char **event)
{
  *event = "";
  if (qualified_session[0] == '\0' || strcmp(qualified_session, "inventory_page") == 0)
    return inventory_pages ? SHOPPER_INVENTORY : SHOPPER_UNKNOWN;
  if (strcmp(qualified_session, "engaged") == 0)
    return SHOPPER_ENGAGED;
  if (strcmp(qualified_session, "vdp_view") == 0) {
    *event = fixed[LEAD_EVENT_VDP].name;
    return inventory_pages ? SHOPPER_EVENT : SHOPPER_UNKNOWN;
  }
  *event = lead_shopper_event(qualified_session);
  return (*event)[0] != '\0' ? SHOPPER_EVENT : SHOPPER_UNKNOWN;
}
