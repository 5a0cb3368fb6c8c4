/* The table of rpcs. */
#include "report-svc/methods.h"

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "report-svc/fetch/reports.h"
#include "report-svc/tools/tools.h"

static const struct rpc_method methods[] = {
    {"RunReport", RPC_UNARY, RPC_ON_POLLER, run_report_handle},
    {"GetAccountSummaries", RPC_UNARY, RPC_ON_POLLER, account_summaries_handle},
    {"GetPropertyDetails", RPC_UNARY, RPC_ON_POLLER, property_details_handle},
    {"GetCustomDimensionsAndMetrics", RPC_UNARY, RPC_ON_POLLER, custom_definitions_handle},
    {"FetchReports", RPC_SERVER_STREAMING, RPC_ON_POLLER, fetch_reports_handle},
};

enum err_code report_service_register(struct rpc_server *server, struct service *s, struct err *e)
{
  return rpc_server_add(server, &analytics__report__v1__report_service__descriptor, methods,
                        ARRAY_LEN(methods), s, e);
}
