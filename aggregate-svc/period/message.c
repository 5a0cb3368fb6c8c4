/* Resolves the period of an answer and words what to keep in mind about it. */
#include "aggregate-svc/period/message.h"

#include <string.h>

#include "aggregate-svc/words/text.h"
#include "common/base/clock.h"
#include "common/base/zone.h"

typedef Analytics__Aggregate__V1__Period Period;

static char *date_text(int64_t day, struct arena *arena)
{
  char text[16];
  clock_format_date(day, text, sizeof(text));
  return arena_strdup(arena, text);
}

/* The last day that Google has finished for all visible dealers. */
static int64_t complete_through(const struct cohort *cohort, const struct dealer_notes *notes,
                                int64_t now_unix_ms, const struct resolved_period *p)
{
  int64_t today = p->days.today;
  for (size_t i = 0; i < cohort->n; i++) {
    int32_t offset;
    if (cohort->members[i].state != DEALER_OK || !cohort->members[i].visible ||
        !zone_offset(notes[i].time_zone, now_unix_ms / 1000, &offset))
      continue;
    int64_t there = period_today(now_unix_ms, offset);
    today = there < today ? there : today;
  }
  return today - PERIOD_FRESH_DAYS;
}

Period *period_message(const struct period *p, const struct cohort *cohort,
                       const struct dealer_notes *notes, int64_t now_unix_ms, struct arena *arena,
                       struct resolved_period *out)
{
  int32_t offset = 0;
  out->zone = notes_first_zone(cohort, notes);
  out->zone_known = zone_offset(out->zone, now_unix_ms / 1000, &offset);
  out->days = period_resolve(p, now_unix_ms, out->zone_known ? offset : 0);
  Period *m = ARENA_NEW(arena, Period);
  analytics__aggregate__v1__period__init(m);
  m->start_date = date_text(out->days.first, arena);
  m->end_date = date_text(out->days.last, arena);
  m->days = (int32_t)(out->days.last - out->days.first + 1);
  m->complete_through = date_text(complete_through(cohort, notes, now_unix_ms, out), arena);
  m->n_time_zones = notes_time_zones(cohort, notes, arena, &m->time_zones);
  return m;
}

void period_caveat_zones(struct caveats *c, const Period *m)
{
  if (m->n_time_zones > 1)
    caveats_add(
        c, "The properties are in %zu time zones; each dealer's days begin and end in its own.",
        m->n_time_zones);
}

void period_caveats(struct caveats *c, const struct period *p, const Period *m,
                    const struct resolved_period *resolved)
{
  const struct period_days *days = &resolved->days;
  if (days->first > days->today)
    caveats_add(c, "The period has not begun: its first day is after today.");
  else if (days->last > days->today)
    caveats_add(c,
                "The period is not over: %lld of its %lld days are still to come, so counts are "
                "too low, and their changes against other periods say nothing.",
                (long long)(days->last - days->today), (long long)(days->last - days->first + 1));
  else if (period_is_fresh(days))
    caveats_add(c,
                "Figures may still change: the period ends %s, and Google needs 24 to 48 hours to "
                "finish a day.",
                days->last == days->today ? "today" : "yesterday");
  else if (strcmp(m->end_date, m->complete_through) > 0)
    caveats_add(c, "Google may still change figures of days after %s.", m->complete_through);
  period_caveat_zones(c, m);
  if (!resolved->zone_known && (p->start.relative || p->end.relative))
    caveats_add(c, "Relative dates are shown as days of UTC because the time zone of the first "
                   "property is not known here; Google used the property's own.");
}
