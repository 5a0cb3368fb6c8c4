/* benchmark_dealer: the scorecard of one dealer against the others of its region. */
#include "aggregate-svc/answer/scorecard.h"
#include "aggregate-svc/call/daily.h"
#include "aggregate-svc/disclosure/outside.h"
#include "aggregate-svc/tools/tools.h"

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  struct daily_question *q = c->state;
  if (c->cohort.subject < 0)
    return request_no_subject(e);
  q->channels = true;
  q->has_other = period_before(&c->period, c->now_unix_ms, &q->other);
  return daily_plan(c, q, p, e);
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const struct daily_question *q = c->state;
  const struct dealer_figures *figures = daily_figures(c, q, arena, e);
  if (figures == NULL)
    return NULL;
  struct cohort_figures live = {&c->cohort, figures, &q->leads};
  struct outside_view shown;
  outside_show(&c->door, "", &live, q->fold.notes, arena, &shown);
  struct scorecard s = {.of = {{&shown.cohort, shown.figures, &q->leads}, &c->door},
                        .notes = shown.notes,
                        .period = &c->period,
                        .now_unix_ms = c->now_unix_ms};
  return &scorecard_make(&s, arena)->base;
}

const struct tool benchmark_dealer_tool = {.rpc = "BenchmarkDealer",
                                           .dealers = TOOL_PEERS,
                                           .period = TOOL_LAST_4_WEEKS,
                                           .kept = true,
                                           .state_size = sizeof(struct daily_question),
                                           .fold = &daily_fold,
                                           .has_messages = daily_has_messages,
                                           .plan = plan,
                                           .result = result};
