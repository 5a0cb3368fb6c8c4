/* The handlers of the unary rpcs, one file each. All return at once and answer later. */
#ifndef AMCP_REPORT_TOOLS_H
#define AMCP_REPORT_TOOLS_H

#include "common/rpc/rpc.h"

rpc_handler run_report_handle;
rpc_handler account_summaries_handle;
rpc_handler property_details_handle;
rpc_handler custom_definitions_handle;

#endif
