/* What the tools about one dealer beside the others share that are made of rows by dimensions: the
 * look-back and the days beside their own reports, and the question of their answers. */
#ifndef AMCP_AGGREGATE_TOOLS_SUBJECT_H
#define AMCP_AGGREGATE_TOOLS_SUBJECT_H

#include "aggregate-svc/answer/subject.h"
#include "aggregate-svc/call/query.h"
#include "aggregate-svc/call/tool.h"
#include "aggregate-svc/call/window.h"

/* A tool's state begins with it, zeroed. */
struct subject_state {
  struct report_tables tables; /* first: the fold's figures */
  struct lead_events leads;
  struct period look_back;
  struct suspect_window window;
};

/* Finds the lead events of the cohort and begins the tables: report i + 1 has shapes[i]. False when
 * the call's arena is full, like all below. */
bool subject_begin(struct tool_call *c, struct subject_state *s, const struct table_shape *shapes,
                   size_t n, struct plan *p);
/* Adds a report; with leads of the lead events alone. */
bool subject_add(struct tool_call *c, const struct subject_state *s, struct query_set *set,
                 struct query_spec spec, bool leads);
/* Adds the report eventName: eventCount, sessions over the look-back. */
bool subject_add_look_back(struct tool_call *c, struct subject_state *s, struct query_set *set,
                           uint32_t id);

/* The question when all has arrived; lends what it is given. Without `dealers`. */
struct subject_question subject_question_of(struct tool_call *c, const struct subject_state *s,
                                            struct arena *arena);
/* The same with the dealers' figures from the reports over days (call/window.h) and look-back with
 * these query_ids. */
struct subject_question subject_question_with_days(struct tool_call *c,
                                                   const struct subject_state *s, uint32_t days,
                                                   uint32_t look_back, struct arena *arena);

#endif
