/* Finds what is suspect from tables of rows. */
#include "aggregate-svc/figures/signs.h"

#include "aggregate-svc/figures/group.h"
#include "aggregate-svc/figures/series.h"
#include "common/base/mem.h"
#include "common/base/zone.h"

struct period_days signs_days(const struct period *period, const char *time_zone,
                              int64_t now_unix_ms)
{
  int32_t offset = 0;
  if (!zone_offset(time_zone, now_unix_ms / 1000, &offset))
    offset = 0;
  return period_resolve(period, now_unix_ms, offset);
}

static void add_period(const struct series *s, struct dealer_counts *out)
{
  for (size_t i = s->days.begin; i < s->days.n; i++) {
    stats_count_add(&out->sessions, s->sessions[i]);
    stats_count_add(&out->engaged_sessions, s->engaged[i]);
  }
}

static void find(const struct signs_question *q, size_t member, struct series *s,
                 struct dealer_figures *out)
{
  out->ok = true;
  out->lead_event = table_lead_event(q->look_back, &q->cohort->members[member], member, q->leads);
  series_begin(s, signs_days(q->period, q->notes[member].time_zone, q->now_unix_ms), q->baseline);
  series_read(s, q->days, member);
  s->days.leads_from = s->days.n; /* leads by day are not read */
  s->days.base = q->base;
  add_period(s, &out->now);
  series_find(s, out);
  if (out->lead_event == LEAD_UNKNOWN)
    return;
  struct suspect_finding duplicates =
      table_duplicates(q->look_back, member, q->leads->names[out->lead_event]);
  series_add_duplicates(out, &duplicates, false);
}

struct dealer_figures *signs_find(const struct signs_question *q, struct arena *arena)
{
  struct dealer_figures *out = ARENA_ARRAY(arena, struct dealer_figures, q->cohort->n + 1);
  AUTO_FREE struct series *s = xcalloc(1, sizeof(*s));
  for (size_t i = 0; i < q->cohort->n; i++) {
    out[i] = (struct dealer_figures){
        .lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN, .key_events = GROUP_ANY_KEY_EVENTS};
    if (q->cohort->members[i].state == DEALER_OK)
      find(q, i, s, &out[i]);
  }
  return out;
}

void signs_add_leads(struct dealer_figures *f, int64_t events, int64_t sessions, bool visible)
{
  struct suspect_finding look_back = f->findings.of[SUSPECT_DUPLICATES];
  stats_count_add(&f->now.leads, events);
  stats_count_add(&f->now.lead_sessions, sessions);
  f->findings.of[SUSPECT_DUPLICATES] = suspect_duplicates(f->now.leads, f->now.lead_sessions);
  series_add_duplicates(f, &look_back, visible);
}
