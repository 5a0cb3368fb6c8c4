/* FetchReports: the same reports for many dealers, streamed by column. */
#ifndef AMCP_REPORT_FETCH_REPORTS_H
#define AMCP_REPORT_FETCH_REPORTS_H

#include "common/rpc/rpc.h"

/* Returns at once and answers later. */
rpc_handler fetch_reports_handle;

#endif
