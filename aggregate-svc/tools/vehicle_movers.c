/* vehicle_movers: models whose share of shoppers' views rises or falls, by whole weeks. */
#include "aggregate-svc/answer/vehicle_movers.h"
#include "aggregate-svc/call/vehicles.h"
#include "aggregate-svc/period/week.h"
#include "aggregate-svc/tools/tools.h"
#include "aggregate-svc/tools/vehicles.h"

typedef Analytics__Aggregate__V1__VehicleMoversRequest Request;

enum { DEFAULT_LIMIT = 10 };

struct state {
  struct models_fold fold; /* first: the fold's figures */
  struct vehicle_questions questions;
  struct lead_events leads; /* none is asked for */
  int64_t monday;
  size_t limit, offset;
};

static enum err_code check(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct state *s = c->state;
  return vehicle_models_check(r->limit, r->offset, DEFAULT_LIMIT, &s->limit, &s->offset, e);
}

/* The last complete weeks at or before the end that was asked for. */
static void set_weeks(struct tool_call *c)
{
  struct state *s = c->state;
  struct period complete;
  period_last_weeks(&complete, c->now_unix_ms);
  int64_t end = period_resolve_last_zone(&c->period, c->now_unix_ms).last;
  struct iso_span span =
      iso_weeks_through(end < complete.end.day ? end : complete.end.day, MOVERS_WEEKS);
  period_of_days(&c->period, span.first, span.last);
  s->monday = span.first;
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  struct state *s = c->state;
  set_weeks(c);
  s->questions =
      (struct vehicle_questions){.periods = {&c->period}, .n_periods = 1, .by_week = true};
  return vehicles_plan(c, &s->questions, &s->leads, p, &s->fold, e);
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const struct state *s = c->state;
  struct period late, early;
  vehicle_movers_halves(s->monday, &early, &late);
  struct vehicle_question q = vehicle_question_of(c, &s->fold, &s->leads, &late, &early, arena);
  q.limit = s->limit;
  q.offset = s->offset;
  (void)e;
  return &vehicle_movers(&q, s->monday, arena)->base;
}

const struct tool vehicle_movers_tool = {.rpc = "VehicleMovers",
                                         .dealers = TOOL_VISIBLE,
                                         .period = TOOL_LAST_4_WEEKS,
                                         .definitions = TOOL_VEHICLE_DEFINITIONS,
                                         .state_size = sizeof(struct state),
                                         .fold = &models_fold,
                                         .check = check,
                                         .plan = plan,
                                         .result = result};
