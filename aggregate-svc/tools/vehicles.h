/* What the tools about vehicles hand to their answers. */
#ifndef AMCP_AGGREGATE_TOOLS_VEHICLES_H
#define AMCP_AGGREGATE_TOOLS_VEHICLES_H

#include "aggregate-svc/answer/vehicle_parts.h"
#include "aggregate-svc/call/note.h"
#include "aggregate-svc/call/tool.h"

/* Which models a request shows: `limit` and `offset`; a limit of 0 means `usual`. */
static inline enum err_code vehicle_models_check(int32_t limit, int32_t offset, int32_t usual,
                                                 size_t *out_limit, size_t *out_offset,
                                                 struct err *e)
{
  enum { LIMIT_MAX = 200, OFFSET_MAX = 1000 };
  enum err_code code = request_check_limit("limit", limit, usual, LIMIT_MAX, out_limit, e);
  return code == ERR_OK ? request_check_limit("offset", offset, 0, OFFSET_MAX, out_offset, e)
                        : code;
}

/* The question of a call whose figures have arrived; borrows all it is given. The caller sets which
 * models are shown. period, before: the days that are looked at for what is suspect, and those that
 * they are compared with (NULL: none). What is found
 * lives in the arena. */
static inline struct vehicle_question
vehicle_question_of(const struct tool_call *c, const struct models_fold *fold,
                    const struct lead_events *leads, const struct period *period,
                    const struct period *before, struct arena *arena)
{
  struct models_signs signs = {&c->cohort, period, before, c->now_unix_ms};
  const struct dealer_figures *dealers = models_find_signs(fold, &signs, arena);
  note_findings(c, dealers);
  return (struct vehicle_question){.cohort = &c->cohort,
                                   .not_visible = c->not_visible,
                                   .fold = fold,
                                   .leads = leads,
                                   .dealers = dealers,
                                   .period = &c->period,
                                   .now_unix_ms = c->now_unix_ms};
}

#endif
