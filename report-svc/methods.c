/* The table of rpcs. */
#include "report-svc/methods.h"

#include "analytics/report/v1/report.pb-c.h"
#include "analytics/report/v1/status.pb-c.h"
#include "common/base/mem.h"
#include "report-svc/fetch/reports.h"
#include "report-svc/status/status.h"
#include "report-svc/tools/tools.h"

static const struct rpc_method methods[] = {
    {"RunReport", RPC_UNARY, RPC_ON_POLLER, run_report_handle},
    {"BatchRunReports", RPC_UNARY, RPC_ON_POLLER, batch_run_reports_handle},
    {"GetAccountSummaries", RPC_UNARY, RPC_ON_POLLER, account_summaries_handle},
    {"GetPropertyDetails", RPC_UNARY, RPC_ON_POLLER, property_details_handle},
    {"GetCustomDimensionsAndMetrics", RPC_UNARY, RPC_ON_POLLER, custom_definitions_handle},
    {"SearchFields", RPC_UNARY, RPC_ON_POLLER, search_fields_handle},
    {"ListGoogleAdsLinks", RPC_UNARY, RPC_ON_POLLER, google_ads_links_handle},
    {"ListPropertyAnnotations", RPC_UNARY, RPC_ON_POLLER, annotations_handle},
    {"ListKeyEvents", RPC_UNARY, RPC_ON_POLLER, key_events_handle},
    {"ListDataStreams", RPC_UNARY, RPC_ON_POLLER, data_streams_handle},
    {"GetPropertyQuotas", RPC_UNARY, RPC_ON_POLLER, property_quotas_handle},
    {"CheckCompatibility", RPC_UNARY, RPC_ON_POLLER, check_compatibility_handle},
    {"RunRealtimeReport", RPC_UNARY, RPC_ON_POLLER, realtime_report_handle},
    {"RunPivotReport", RPC_UNARY, RPC_ON_POLLER, pivot_report_handle},
    {"RunConversionsReport", RPC_UNARY, RPC_ON_POLLER, conversions_report_handle},
    {"RunFunnelReport", RPC_UNARY, RPC_ON_POLLER, funnel_report_handle},
    {"GetFirstDate", RPC_UNARY, RPC_ON_POLLER, first_date_handle},
    {"FetchReports", RPC_SERVER_STREAMING, RPC_ON_POLLER, fetch_reports_handle},
};

static const struct rpc_method status_methods[] = {
    {"GetStatus", RPC_UNARY, RPC_ON_WORKER, report_status_handle},
};

enum err_code report_service_register(struct rpc_server *server, struct service *s, struct err *e)
{
  return rpc_server_add(server, &analytics__report__v1__report_service__descriptor, methods,
                        ARRAY_LEN(methods), s, e) != ERR_OK
             ? e->code
             : rpc_server_add(server, &analytics__report__v1__status_service__descriptor,
                              status_methods, ARRAY_LEN(status_methods), s, e);
}
