/* The report by which an answer that is made of rows looks for what is suspect in its days
 * (figures/signs.h). */
#ifndef AMCP_AGGREGATE_CALL_WINDOW_H
#define AMCP_AGGREGATE_CALL_WINDOW_H

#include "aggregate-svc/call/query.h"
#include "aggregate-svc/call/tool.h"
#include "aggregate-svc/figures/signs.h"

/* The call's period, and the SUSPECT_BASELINE days before it. */
struct suspect_window {
  struct period days;
  bool baseline;
};
/* The report by date with sessions and engaged sessions; NULL when the call's arena is full. The
 * window must outlive it. */
Analytics__Report__V1__ReportQuery *window_query(struct tool_call *c, struct suspect_window *w,
                                                 uint32_t id);
/* What is found in it, when all has arrived: the figures of every member, see signs_find(). The two
 * reports are those of the tables by their query_id. */
struct dealer_figures *window_find(const struct tool_call *c, const struct suspect_window *w,
                                   const struct report_tables *tables,
                                   const struct lead_events *leads, uint32_t days,
                                   uint32_t look_back, const struct dealer_notes *notes,
                                   struct arena *arena);

/* The same for each week or month that the door looks at, given to it, when dealers outside the
 * caller's view were asked. */
void window_give_bases(struct tool_call *c, const struct suspect_window *w,
                       const struct report_tables *tables, const struct lead_events *leads,
                       uint32_t days, uint32_t look_back, const struct dealer_notes *notes,
                       struct arena *arena);

#endif
