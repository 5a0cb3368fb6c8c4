/* Hands what is suspect at the dealers of a call, and how far their data reaches, to what operators
 * are shown. */
#ifndef AMCP_AGGREGATE_CALL_NOTE_H
#define AMCP_AGGREGATE_CALL_NOTE_H

#include "aggregate-svc/call/tool.h"
#include "aggregate-svc/figures/metrics.h"

/* Notes the findings and the reach of the dealers that the caller may see and that answered;
 * figures: per member. check_data_health, which looks for every sign, notes its own and replaces
 * what is noted here. */
void note_findings(const struct tool_call *c, const struct dealer_figures *figures);

#endif
