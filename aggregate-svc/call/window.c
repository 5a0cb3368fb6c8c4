/* Asks for the days of an answer, and looks at them. */
#include "aggregate-svc/call/window.h"

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

struct dealer_figures *window_find(const struct tool_call *c, const struct suspect_window *w,
                                   const struct report_tables *tables,
                                   const struct lead_events *leads, uint32_t days,
                                   uint32_t look_back, const struct dealer_notes *notes,
                                   struct arena *arena)
{
  struct signs_question q = {.cohort = &c->cohort,
                             .leads = leads,
                             .days = &tables->of[days - 1],
                             .look_back = &tables->of[look_back - 1],
                             .notes = notes,
                             .period = &c->period,
                             .baseline = w->baseline,
                             .now_unix_ms = c->now_unix_ms};
  return signs_find(&q, arena);
}
