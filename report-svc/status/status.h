/* GetStatus of report-svc. */
#ifndef AMCP_REPORT_STATUS_H
#define AMCP_REPORT_STATUS_H

#include "common/rpc/rpc.h"

/* The handler; `user` is a struct service. Waits for auth-svc: on a worker. */
rpc_handler report_status_handle;

/* Properties by how their last call ended, and quota that is gone, as metrics: to be called before
 * metrics are rendered. `user` is a struct service. */
void report_status_gauges(void *user);

#endif
