/* The rpcs of ReportService and StatusService. */
#ifndef AMCP_REPORT_RPCS_H
#define AMCP_REPORT_RPCS_H

#include "common/rpc/rpc.h"
#include "report-svc/ask/service.h"

/* Adds both to a server; the service must outlive it. */
enum err_code report_service_register(struct rpc_server *server, struct service *s, struct err *e);

#endif
