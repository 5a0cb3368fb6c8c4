/* What is suspect in the daily rows of a dealer. */
#include "aggregate-svc/figures/daily.h"
#include "aggregate-svc/figures/series.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

static int64_t day_number(int32_t date)
{
  return clock_days_from_civil(date / 10000, (unsigned)(date / 100 % 100), (unsigned)(date % 100));
}

/* Of the days of a baseline only sessions were read. */
static void add(struct series *s, int lead_event, const struct daily_row *row)
{
  int64_t at = series_entry(s, day_number(row->date));
  if (at < 0)
    return;
  if (daily_is_sessions(row)) {
    stats_count_add(&s->sessions[at], row->a);
    stats_count_add(&s->engaged[at], row->b);
    if (row->period >= DAILY_BASELINE && (size_t)at >= s->days.leads_from)
      s->days.leads_from = (size_t)at + 1;
  } else if (row->event == lead_event) {
    stats_count_add(&s->leads[at], row->a);
  }
}

void daily_fold_findings(const struct daily_fold *f, size_t member, struct period_days days,
                         bool base, struct dealer_figures *out)
{
  const struct dealer_days *d = &f->dealers[member];
  AUTO_FREE struct series *s = xcalloc(1, sizeof(*s));
  series_begin(s, days, f->baseline);
  s->days.leads_from = 0;
  s->days.base = base;
  for (size_t i = 0; i < d->n; i++)
    if (daily_is_sessions(&d->rows[i]) || d->rows[i].query == DAILY_EVENTS)
      add(s, out->lead_event, &d->rows[i]);
  series_find(s, out);
}
