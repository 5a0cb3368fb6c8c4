/* Which event counts as a lead. */
#include "aggregate-svc/cohort/leads.h"

#include <string.h>

static const char *const defaults[LEAD_DEFAULTS] = {"asc_form_submission", "generate_lead",
                                                    "form_submit"};

int lead_events_find(const struct lead_events *l, const char *name)
{
  for (size_t i = 0; i < l->n; i++)
    if (strcmp(l->names[i], name) == 0)
      return (int)i;
  return LEAD_UNKNOWN;
}

bool lead_events_collect(struct lead_events *out, const struct cohort *cohort, struct arena *arena)
{
  out->n = LEAD_DEFAULTS;
  out->names = ARENA_ARRAY(arena, char *, LEAD_DEFAULTS + cohort->n);
  if (out->names == NULL)
    return false;
  for (size_t i = 0; i < LEAD_DEFAULTS; i++)
    out->names[i] = (char *)defaults[i];
  for (size_t i = 0; i < cohort->n; i++) {
    const char *event = cohort->members[i].lead_event;
    if (event[0] != '\0' && lead_events_find(out, event) == LEAD_UNKNOWN)
      out->names[out->n++] = (char *)event;
  }
  return true;
}

int lead_event_of(const struct lead_events *l, const char *configured, const int64_t *counts)
{
  if (configured[0] != '\0')
    return lead_events_find(l, configured);
  for (int i = 0; i < LEAD_DEFAULTS; i++)
    if (counts[i] > 0)
      return i;
  return LEAD_UNKNOWN;
}
