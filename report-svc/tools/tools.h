/* The handlers of the unary rpcs, one file each. All return at once and answer later. */
#ifndef AMCP_REPORT_TOOLS_H
#define AMCP_REPORT_TOOLS_H

#include "common/rpc/rpc.h"

rpc_handler run_report_handle;
rpc_handler batch_run_reports_handle;
rpc_handler account_summaries_handle;
rpc_handler property_details_handle;
rpc_handler custom_definitions_handle;
rpc_handler search_fields_handle;
rpc_handler google_ads_links_handle;
rpc_handler annotations_handle;
rpc_handler key_events_handle;
rpc_handler data_streams_handle;
rpc_handler property_quotas_handle;
rpc_handler check_compatibility_handle;
rpc_handler realtime_report_handle;
rpc_handler pivot_report_handle;
rpc_handler conversions_report_handle;
rpc_handler funnel_report_handle;
rpc_handler first_date_handle;

#endif
