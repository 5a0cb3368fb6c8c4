/* What is suspect in the days of reports over vehicles. */
#include "aggregate-svc/figures/models.h"
#include "aggregate-svc/figures/series.h"
#include "aggregate-svc/figures/signs.h"
#include "common/base/mem.h"

static void find(const struct models_fold *f, const struct models_signs *q,
                 const struct period *period, size_t member, struct dealer_figures *out)
{
  const struct cells *cells = &f->members[member].cells;
  AUTO_FREE struct series *s = xcalloc(1, sizeof(*s));
  series_begin(s, signs_days(period, f->notes[member].time_zone, q->now_unix_ms), true);
  for (size_t k = 0; k < cells->n; k++) {
    struct models_key key = models_unpack(cells->list[k].key);
    int64_t at = key.query == MODELS_DAYS ? series_entry(s, key.slot) : -1;
    if (at < 0)
      continue;
    s->sessions[at] = cells->list[k].sessions;
    s->engaged[at] = cells->list[k].engaged_sessions;
  }
  s->days.leads_from = s->days.n; /* leads by day are not read */
  series_find(s, out);
}

static void find_all(const struct models_fold *f, const struct models_signs *q, size_t member,
                     struct dealer_figures *out)
{
  const int64_t *events = models_lead_events(f, member, 0);
  const int64_t *sessions = models_lead_sessions(f, member, 0);
  struct dealer_figures then = {.lead_event = LEAD_UNKNOWN};
  out->ok = true;
  if (f->leads != NULL)
    out->lead_event =
        lead_event_of(f->leads, &q->cohort->members[member], lead_find(f->members[member].firings));
  out->now.sessions = f->members[member].totals[0].sessions;
  if (out->lead_event != LEAD_UNKNOWN && events != NULL) {
    out->now.leads = events[out->lead_event];
    out->now.lead_sessions = sessions[out->lead_event];
  }
  find(f, q, q->period, member, out);
  if (q->before == NULL)
    return;
  find(f, q, q->before, member, &then);
  series_merge(out, &then);
}

struct dealer_figures *models_find_signs(const struct models_fold *f, const struct models_signs *q,
                                         struct arena *arena)
{
  struct dealer_figures *out = ARENA_ARRAY(arena, struct dealer_figures, q->cohort->n + 1);
  for (size_t i = 0; i < q->cohort->n; i++) {
    out[i] = (struct dealer_figures){.lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN};
    if (q->cohort->members[i].state == DEALER_OK)
      find_all(f, q, i, &out[i]);
  }
  return out;
}
