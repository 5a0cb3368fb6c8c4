/* Which event counts as a lead, which sessions as shopping. */
#include "aggregate-svc/cohort/leads.h"

#include <string.h>

#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

/* Events that every cohort reads, the candidates first. */
static const char *const fixed[LEAD_FIXED] = {
    "asc_form_submission",
    "generate_lead",
    "form_submit",
    "asc_click_to_call",
    "asc_comm_submission",
    "asc_form_submission_sales_appt",
    "asc_form_submission_service_appt",
    "asc_form_submission_test_drive",
    "asc_item_pageview",
    "asc_itemlist_pageview",
};
/* The kind of each of them; LEAD_KINDS for none. */
static const enum lead_kind kind_of[LEAD_FIXED] = {
    LEAD_KINDS,
    LEAD_KINDS,
    LEAD_KINDS,
    LEAD_KIND_CALL,
    LEAD_KIND_CHAT,
    LEAD_KIND_APPOINTMENT,
    LEAD_KIND_APPOINTMENT,
    LEAD_KIND_APPOINTMENT,
    LEAD_KINDS,
    LEAD_KINDS,
};

enum lead_kind lead_kind_of(int event)
{
  return event >= 0 && event < LEAD_FIXED ? kind_of[event] : LEAD_KINDS;
}

static const char event_prefix[] = "event:";

int lead_events_find(const struct lead_events *l, const char *name)
{
  for (size_t i = 0; i < l->n; i++)
    if (strcmp(l->names[i], name) == 0)
      return (int)i;
  return LEAD_UNKNOWN;
}

bool lead_is_candidate(const char *name)
{
  for (size_t i = 0; i < LEAD_DEFAULTS; i++)
    if (strcmp(name, fixed[i]) == 0)
      return true;
  return false;
}

static void add(struct lead_events *l, const char *event)
{
  if (event[0] != '\0' && lead_events_find(l, event) == LEAD_UNKNOWN)
    l->names[l->n++] = (char *)event;
}

/* The event that a setting names; "" for none. */
static const char *event_of_setting(const char *qualified_session)
{
  size_t n = sizeof(event_prefix) - 1;
  return strncmp(qualified_session, event_prefix, n) == 0 ? qualified_session + n : "";
}

bool lead_events_collect(struct lead_events *out, const struct cohort *cohort, struct arena *arena)
{
  out->n = LEAD_FIXED;
  out->names = ARENA_ARRAY(arena, char *, LEAD_FIXED + 2 * cohort->n);
  if (out->names == NULL)
    return false;
  for (size_t i = 0; i < LEAD_FIXED; i++)
    out->names[i] = (char *)fixed[i];
  for (size_t i = 0; i < cohort->n; i++) {
    add(out, cohort->members[i].lead_event);
    add(out, event_of_setting(cohort->members[i].qualified_session));
  }
  return true;
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
  bool pages = false;
  for (size_t i = 0; i < SHOPPER_PAGES; i++)
    pages = pages || firings[LEAD_EVENT_VDP + i] > 0;
  return (struct lead_finding){.lead_event = choose(firings), .inventory_pages = pages};
}

char **lead_look_back_events(const struct lead_events *l, size_t *n, struct arena *arena)
{
  char **names = ARENA_ARRAY(arena, char *, l->n + 1);
  *n = 0;
  for (size_t i = 0; names != NULL && i < l->n; i++)
    if (i < LEAD_DEFAULTS || i >= LEAD_EVENT_VDP) /* the last two of the fixed ones are pages */
      names[(*n)++] = l->names[i];
  if (names != NULL)
    names[(*n)++] = (char *)LEAD_SESSION_START;
  return names;
}

const char *lead_event_kind(const char *name)
{
  for (size_t i = 0; i < LEAD_FIXED; i++)
    if (strcmp(name, fixed[i]) == 0)
      return kind_of[i] == LEAD_KIND_CALL ? "call" : kind_of[i] == LEAD_KIND_CHAT ? "chat" : "form";
  return "other";
}

int shopper_of(const struct lead_events *l, const char *qualified_session,
               struct lead_finding finding)
{
  if (qualified_session[0] == '\0' || strcmp(qualified_session, "inventory_page") == 0)
    return finding.inventory_pages ? SHOPPER_INVENTORY : SHOPPER_UNKNOWN;
  if (strcmp(qualified_session, "engaged") == 0)
    return SHOPPER_ENGAGED;
  if (strcmp(qualified_session, "vdp_view") == 0)
    return finding.inventory_pages ? SHOPPER_EVENT + LEAD_EVENT_VDP : SHOPPER_UNKNOWN;
  int event = lead_events_find(l, event_of_setting(qualified_session));
  return event == LEAD_UNKNOWN ? SHOPPER_UNKNOWN : SHOPPER_EVENT + event;
}

const char *shopper_words(const struct lead_events *l, int shopper, struct arena *arena)
{
  enum { EVENT_BYTES = 100, WORDS_BYTES = 200 };
  if (shopper == SHOPPER_INVENTORY)
    return "sessions with a page of a vehicle or of a list of vehicles";
  if (shopper == SHOPPER_ENGAGED)
    return "engaged sessions";
  AUTO_BUF struct buf b = BUF_INIT(WORDS_BYTES);
  buf_puts(&b, "sessions with ");
  text_put_clipped(&b, l->names[shopper - SHOPPER_EVENT], EVENT_BYTES);
  return arena_strdup(arena, buf_str(&b));
}

char **shopper_page_events(const struct lead_events *l)
{
  return l->names + LEAD_EVENT_VDP;
}
