/* report-svc's side of the stage, behind a wall: its struct service is not auth-svc's. */
#ifndef AMCP_TESTS_ISOLATION_REPORT_SIDE_H
#define AMCP_TESTS_ISOLATION_REPORT_SIDE_H

#include "common/http/client.h"
#include "common/rpc/rpc.h"

struct report_side;
struct report_side *report_side_start(struct http_client *http, struct rpc_channel *auth,
                                      const char *google);
struct rpc_server *report_side_server(struct report_side *r);
/* In two steps: the client's transfers end between them. */
void report_side_stop(struct report_side *r);
void report_side_free(struct report_side *r);

#endif
