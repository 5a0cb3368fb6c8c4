/* What the tools about vehicles hand to their answers. */
#ifndef AMCP_AGGREGATE_TOOLS_VEHICLES_H
#define AMCP_AGGREGATE_TOOLS_VEHICLES_H

#include "aggregate-svc/answer/vehicle_parts.h"
#include "aggregate-svc/call/tool.h"

/* The question of a call whose figures have arrived; borrows all it is given. The caller sets which
 * models are shown. */
static inline struct vehicle_question vehicle_question_of(const struct tool_call *c,
                                                          const struct models_fold *fold,
                                                          const struct lead_events *leads)
{
  return (struct vehicle_question){.cohort = &c->cohort,
                                   .not_visible = c->not_visible,
                                   .fold = fold,
                                   .leads = leads,
                                   .period = &c->period,
                                   .now_unix_ms = c->now_unix_ms};
}

#endif
