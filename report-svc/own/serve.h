/* A unary rpc that answers with a report that is put together (own.h). */
#ifndef AMCP_REPORT_OWN_SERVE_H
#define AMCP_REPORT_OWN_SERVE_H

#include "report-svc/own/own.h"

/* The reply from the job's report; may point into it and into the request. NULL at the arena's cap.
 */
typedef ProtobufCMessage *(*own_reply)(const struct own_job *j, const ProtobufCMessage *request,
                                       const Analytics__Ga4__V1beta__RunReportRequest *asked,
                                       struct arena *arena);

/* Serves the call: errors name the dealer; ends with the call's cancellation and deadline. `asked`
 * passed own_check() and lives as long as the call. */
void own_serve(struct rpc_call *call, const ProtobufCMessage *request, struct service *service,
               const Analytics__Ga4__V1beta__RunReportRequest *asked, own_reply reply);

#endif
