/* analyze_vehicle_interest: which models shoppers look at, over dealers, regions and two periods.
 */
#include "aggregate-svc/answer/vehicle_interest.h"
#include "aggregate-svc/call/vehicles.h"
#include "aggregate-svc/tools/tools.h"
#include "aggregate-svc/tools/vehicles.h"

typedef Analytics__Aggregate__V1__AnalyzeVehicleInterestRequest Request;

enum { DEFAULT_LIMIT = 15 };

struct state {
  struct models_fold fold; /* first: the fold's figures */
  struct vehicle_questions questions;
  struct lead_events leads;
  struct period before, look_back;
  bool has_before;
  size_t limit, offset;
};

static enum err_code check(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct state *s = c->state;
  return vehicle_models_check(r->limit, r->offset, DEFAULT_LIMIT, &s->limit, &s->offset, e);
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  struct state *s = c->state;
  s->has_before = period_before(&c->period, c->now_unix_ms, &s->before);
  period_look_back(&s->look_back, c->now_unix_ms);
  s->questions = (struct vehicle_questions){.periods = {&c->period, &s->before},
                                            .n_periods = s->has_before ? 2 : 1,
                                            .vdp = true,
                                            .kinds = true,
                                            .leads = true,
                                            .look_back = &s->look_back,
                                            .by_date = true};
  return vehicles_plan(c, &s->questions, &s->leads, p, &s->fold, e);
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const struct state *s = c->state;
  struct vehicle_question q = vehicle_question_of(c, &s->fold, &s->leads, &c->period,
                                                  s->has_before ? &s->before : NULL, arena);
  q.has_before = s->has_before;
  q.limit = s->limit;
  q.offset = s->offset;
  (void)e;
  return &vehicle_interest(&q, arena)->base;
}

const struct tool analyze_vehicle_interest_tool = {.rpc = "AnalyzeVehicleInterest",
                                                   .dealers = TOOL_VISIBLE,
                                                   .period = TOOL_LAST_4_WEEKS,
                                                   .definitions = TOOL_VEHICLE_DEFINITIONS,
                                                   .state_size = sizeof(struct state),
                                                   .fold = &models_fold,
                                                   .check = check,
                                                   .plan = plan,
                                                   .result = result};
