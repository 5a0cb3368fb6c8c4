/* Which event counts as a lead, which sessions as shopping. */
#include "aggregate-svc/cohort/leads.h"

#include <string.h>

#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

int lead_events_find(const struct lead_events *l, const char *name)
{
  for (size_t i = 0; i < l->n; i++)
    if (strcmp(l->names[i], name) == 0)
      return (int)i;
  return LEAD_UNKNOWN;
}

static void add(struct lead_events *l, const char *event)
{
  if (event[0] != '\0' && lead_events_find(l, event) == LEAD_UNKNOWN)
    l->names[l->n++] = (char *)event;
}

bool lead_events_collect(struct lead_events *out, const struct cohort *cohort, struct arena *arena)
{
  out->n = LEAD_FIXED;
  out->names = ARENA_ARRAY(arena, char *, LEAD_FIXED + 2 * cohort->n);
  if (out->names == NULL)
    return false;
  for (int i = 0; i < LEAD_FIXED; i++)
    out->names[i] = borrow_text(lead_fixed_event(i));
  for (size_t i = 0; i < cohort->n; i++) {
    add(out, cohort->members[i].lead_event);
    add(out, lead_shopper_event(cohort->members[i].qualified_session));
  }
  return true;
}

int lead_event_of(const struct lead_events *l, const struct cohort_member *m,
                  struct lead_finding finding)
{
  return m->lead_event[0] != '\0' ? lead_events_find(l, m->lead_event) : finding.lead_event;
}

char **lead_look_back_events(const struct lead_events *l, size_t *n, struct arena *arena)
{
  char **names = ARENA_ARRAY(arena, char *, l->n + 1);
  if (names == NULL)
    return NULL;
  memcpy(names, l->names, l->n * sizeof(*names));
  names[l->n] = (char *)LEAD_SESSION_START;
  *n = l->n + 1;
  return names;
}

int shopper_of(const struct lead_events *l, const char *qualified_session,
               struct lead_finding finding)
{
  const char *event;
  int shopper = lead_shopper(qualified_session, finding.inventory_pages, &event);
  int place = shopper == SHOPPER_EVENT ? lead_events_find(l, event) : 0;
  return place == LEAD_UNKNOWN ? SHOPPER_UNKNOWN : shopper + place;
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
