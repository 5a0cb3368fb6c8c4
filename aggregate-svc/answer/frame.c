/* Cohort, scope and shared caveats of answers that compare. */
#include "aggregate-svc/answer/frame.h"

#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__Cohort Cohort;

enum { WHY_BYTES = 2000, NAME_BYTES = 200, EVENT_BYTES = 100 };

Cohort *frame_cohort(const struct cohort *c, struct arena *arena)
{
  Cohort *m = ARENA_NEW(arena, Cohort);
  analytics__aggregate__v1__cohort__init(m);
  m->id = borrow_text(c->id);
  m->label = borrow_text(c->label);
  m->dealers = (int32_t)c->n;
  m->undisclosed = (int32_t)c->outside;
  return m;
}

void frame_outside(struct caveats *out, const struct cohort *c, const struct door *door)
{
  AUTO_BUF struct buf why = BUF_INIT(WHY_BYTES);
  if (c->outside == 0)
    return;
  caveats_add(out,
              "%zu of the %zu dealers may not be shown: the others' figures pool these dealers "
              "alone, the same for each of yours, as they were when first asked for, and rounded.",
              c->outside, c->n);
  door_explain(door, &why);
  if (why.len > 0)
    caveats_add(out, "%s", buf_str(&why));
}

struct event_filter {
  const int *lead_events;
  int event;
};

static bool counts_other(const struct cohort *c, size_t member, const void *arg)
{
  const struct event_filter *f = arg;
  return c->members[member].state == DEALER_OK && c->members[member].visible &&
         f->lead_events[member] != f->event;
}

void frame_leads(struct caveats *out, const struct cohort *c, const struct lead_events *leads,
                 const int *lead_events)
{
  struct event_filter f = {lead_events, lead_events[c->subject]};
  if (c->members[c->subject].state != DEALER_OK)
    return;
  if (f.event == LEAD_UNKNOWN) {
    caveats_add(out, "No lead event was found for the dealer: its leads are unknown, not 0. "
                     "Configure lead_event for a site that reports leads under another name.");
    return;
  }
  caveats_add(out, "Leads are %.*s events; calls, chats and visits to the store are not in them.",
              (int)text_clip(leads->names[f.event], EVENT_BYTES), leads->names[f.event]);
  size_t n = cohort_count_if(c, counts_other, &f);
  if (n > 0)
    caveats_add(out, "%s count%s another lead event or none and %s left out of the lead figures.",
                cohort_names(c, counts_other, &f, out->arena), n == 1 ? "s" : "",
                n == 1 ? "is" : "are");
}

void frame_put_scope(struct buf *b, const Cohort *cohort,
                     const Analytics__Report__V1__Coverage *coverage,
                     const Analytics__Aggregate__V1__Period *period)
{
  buf_puts(b, " against the other dealers of ");
  text_put_clipped(b, cohort->label, NAME_BYTES);
  buf_printf(b, " (%d of %d dealers), %s to %s", coverage->ok, coverage->asked, period->start_date,
             period->end_date);
}
