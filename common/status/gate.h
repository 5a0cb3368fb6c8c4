/* Who may call GetStatus of report-svc and aggregate-svc. */
#ifndef AMCP_STATUS_GATE_H
#define AMCP_STATUS_GATE_H

#include "analytics/auth/v1/status.pb-c.h"
#include "common/rpc/rpc.h"

enum { STATUS_AUTH_MS = 1000 }; /* for auth-svc's answer: the page of operators waits for 2 s */

struct status_gate {
  struct rpc_channel *auth;
  const char *gateway_identity; /* of the certificate; NULL without TLS: whoever calls */
};

/* Whether the caller sends a grant: then that decides, whoever calls. */
bool status_has_grant(struct rpc_call *call);
/* A grant must be an admin's, by auth-svc's word; without one the gateway must call.
 * PERMISSION_DENIED `not_admin` or `wrong_service`, or what auth-svc answered. Waits for auth-svc
 * when there is a grant: on workers only. */
enum err_code status_authorize(const struct status_gate *g, struct rpc_call *call, struct err *e);
/* The same, and auth-svc's list of cohorts, to be freed with
 * protobuf_c_message_free_unpacked(); *cohorts is NULL, and *unknown says why, when the caller is
 * allowed without auth-svc and that did not answer. */
enum err_code status_authorize_with_cohorts(const struct status_gate *g, struct rpc_call *call,
                                            Analytics__Auth__V1__AuthorizeStatusResponse **cohorts,
                                            struct err *unknown, struct err *e);

#endif
