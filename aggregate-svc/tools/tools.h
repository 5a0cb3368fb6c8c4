/* The tools, each in a file of its name. */
#ifndef AMCP_AGGREGATE_TOOLS_H
#define AMCP_AGGREGATE_TOOLS_H

#include "aggregate-svc/call/tool.h"

extern const struct tool analyze_vehicle_interest_tool;
extern const struct tool benchmark_dealer_tool;
extern const struct tool check_data_health_tool;
extern const struct tool compare_dealer_sessions_tool;
extern const struct tool compare_landing_pages_tool;
extern const struct tool compare_traffic_sources_tool;
extern const struct tool compare_trends_tool;
extern const struct tool explain_change_tool;
extern const struct tool run_report_across_dealers_tool;
extern const struct tool vehicle_lead_conversion_tool;
extern const struct tool vehicle_movers_tool;

/* A tool where it lists metrics of leads; rpc_handler's contract. */
void list_metrics_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service);
/* Asks the other services; on a worker. */
void get_service_status_handle(struct rpc_call *call, const ProtobufCMessage *message,
                               void *service);

#endif
