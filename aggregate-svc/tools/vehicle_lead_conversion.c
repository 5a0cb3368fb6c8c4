/* vehicle_lead_conversion: leads of each model against what its vehicle page traffic predicts. */
#include "aggregate-svc/answer/vehicle_leads.h"
#include "aggregate-svc/call/vehicles.h"
#include "aggregate-svc/tools/tools.h"
#include "aggregate-svc/tools/vehicles.h"

typedef Analytics__Aggregate__V1__VehicleLeadConversionRequest Request;

enum { DEFAULT_LIMIT = 15 };

struct state {
  struct models_fold fold; /* first: the fold's figures */
  struct vehicle_questions questions;
  struct lead_events leads;
  struct period look_back;
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
  period_look_back(&s->look_back, c->now_unix_ms);
  s->questions = (struct vehicle_questions){.periods = {&c->period},
                                            .n_periods = 1,
                                            .leads = true,
                                            .look_back = &s->look_back,
                                            .by_condition = true};
  return vehicles_plan(c, &s->questions, &s->leads, p, &s->fold, e);
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const struct state *s = c->state;
  struct vehicle_question q = vehicle_question_of(c, &s->fold, &s->leads, &c->period, NULL, arena);
  q.limit = s->limit;
  q.offset = s->offset;
  (void)e;
  return &vehicle_leads(&q, arena)->base;
}

const struct tool vehicle_lead_conversion_tool = {.rpc = "VehicleLeadConversion",
                                                  .dealers = TOOL_VISIBLE,
                                                  .period = TOOL_LAST_4_WEEKS,
                                                  .definitions = TOOL_VEHICLE_DEFINITIONS,
                                                  .state_size = sizeof(struct state),
                                                  .fold = &models_fold,
                                                  .check = check,
                                                  .plan = plan,
                                                  .result = result};
