/* The tools, each in a file of its name. */
#ifndef AMCP_AGGREGATE_TOOLS_H
#define AMCP_AGGREGATE_TOOLS_H

#include "aggregate-svc/call/tool.h"

extern const struct tool compare_dealer_sessions_tool;
extern const struct tool run_report_across_dealers_tool;

#endif
