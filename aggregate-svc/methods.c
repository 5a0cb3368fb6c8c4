/* The rpcs of aggregate-svc: one line per tool. */
#include "aggregate-svc/methods.h"

#include "aggregate-svc/call/tool.h"
#include "aggregate-svc/status/own.h"
#include "aggregate-svc/tools/tools.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "analytics/aggregate/v1/status.pb-c.h"
#include "common/base/mem.h"

#define TOOLS(row)                                                                                 \
  row(CompareDealerSessions, compare_dealer_sessions_tool)                                         \
      row(RunReportAcrossDealers, run_report_across_dealers_tool)                                  \
          row(AnalyzeVehicleInterest, analyze_vehicle_interest_tool)                               \
              row(VehicleLeadConversion, vehicle_lead_conversion_tool)                             \
                  row(VehicleMovers, vehicle_movers_tool)                                          \
                      row(BenchmarkDealer, benchmark_dealer_tool)                                  \
                          row(CompareTrends, compare_trends_tool)                                  \
                              row(CompareTrafficSources, compare_traffic_sources_tool)             \
                                  row(ExplainChange, explain_change_tool)                          \
                                      row(CompareLandingPages, compare_landing_pages_tool)         \
                                          row(CheckDataHealth, check_data_health_tool)

/* A handler knows its tool only by its own name. */
#define HANDLER(rpc, tool)                                                                         \
  static void rpc(struct rpc_call *call, const ProtobufCMessage *request, void *service)           \
  {                                                                                                \
    tool_serve(&(tool), service, call, request);                                                   \
  }
TOOLS(HANDLER)

#define METHOD(rpc, tool) {#rpc, RPC_SERVER_STREAMING, RPC_ON_POLLER, rpc},
const struct rpc_method aggregate_methods[] = {
    TOOLS(METHOD){"ListMetrics", RPC_UNARY, RPC_ON_POLLER, list_metrics_handle}};
static const struct rpc_method status_methods[] = {
    {"GetStatus", RPC_UNARY, RPC_ON_WORKER, status_own_handle},
    {"GetServiceStatus", RPC_UNARY, RPC_ON_WORKER, get_service_status_handle},
};

enum err_code aggregate_register(struct rpc_server *server, struct aggregate_service *s,
                                 struct err *e)
{
  return rpc_server_add(server, &analytics__aggregate__v1__aggregate_service__descriptor,
                        aggregate_methods, aggregate_n_methods, s, e) != ERR_OK
             ? e->code
             : rpc_server_add(server, &analytics__aggregate__v1__status_service__descriptor,
                              status_methods, ARRAY_LEN(status_methods), s, e);
}

const size_t aggregate_n_methods = sizeof(aggregate_methods) / sizeof(aggregate_methods[0]);
