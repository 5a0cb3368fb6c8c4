/* Asks for the days of an answer, and looks at them. */
#include "aggregate-svc/call/window.h"

#include <string.h>

#include "common/base/mem.h"

static char *by_day[] = {(char *)"date"};
static char *metrics[] = {(char *)"sessions", (char *)"engagedSessions"};

Analytics__Report__V1__ReportQuery *window_query(struct tool_call *c, struct suspect_window *w,
                                                 uint32_t id)
{
  w->baseline = period_extend(&c->period, SUSPECT_BASELINE, c->now_unix_ms, &w->days);
  struct query_spec spec = {.id = id,
                            .dimensions = by_day,
                            .n_dimensions = ARRAY_LEN(by_day),
                            .metrics = metrics,
                            .n_metrics = ARRAY_LEN(metrics),
                            .periods = {&w->days},
                            .n_periods = 1};
  return query_new(&spec, c->arena);
}

static struct signs_question question_of(const struct tool_call *c, const struct suspect_window *w,
                                         const struct report_tables *tables,
                                         const struct lead_events *leads, uint32_t days,
                                         uint32_t look_back, const struct dealer_notes *notes)
{
  return (struct signs_question){.cohort = &c->cohort,
                                 .leads = leads,
                                 .days = &tables->of[days - 1],
                                 .look_back = &tables->of[look_back - 1],
                                 .notes = notes,
                                 .period = &c->period,
                                 .baseline = w->baseline,
                                 .now_unix_ms = c->now_unix_ms};
}

struct dealer_figures *window_find(const struct tool_call *c, const struct suspect_window *w,
                                   const struct report_tables *tables,
                                   const struct lead_events *leads, uint32_t days,
                                   uint32_t look_back, const struct dealer_notes *notes,
                                   struct arena *arena)
{
  struct signs_question q = question_of(c, w, tables, leads, days, look_back, notes);
  return signs_find(&q, arena);
}

void window_give_bases(struct tool_call *c, const struct suspect_window *w,
                       const struct report_tables *tables, const struct lead_events *leads,
                       uint32_t days, uint32_t look_back, const struct dealer_notes *notes,
                       struct arena *arena)
{
  struct door *d = &c->door;
  size_t n = lattice_bases(d->period, NULL, 0), members = c->cohort.n;
  if (d->withheld != DISCLOSURE_RESTRICTED || d->kept_only)
    return;
  struct lattice_span *spans = ARENA_ARRAY(arena, struct lattice_span, n + 1);
  struct dealer_figures *figures = ARENA_ARRAY(arena, struct dealer_figures, n * members + 1);
  struct signs_question q = question_of(c, w, tables, leads, days, look_back, notes);
  q.base = true;
  lattice_bases(d->period, spans, n);
  for (size_t k = 0; k < n; k++) {
    struct period span;
    period_of_days(&span, spans[k].first, spans[k].last);
    q.period = &span;
    memcpy(figures + k * members, signs_find(&q, arena), members * sizeof(*figures));
  }
  d->bases[DOOR_NOW] = (struct door_bases){figures, spans, n};
}
