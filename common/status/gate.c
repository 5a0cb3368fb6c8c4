/* The check before GetStatus. */
#include "common/status/gate.h"

#include "common/base/codec.h"
#include "common/base/log.h"

typedef Analytics__Auth__V1__AuthorizeStatusResponse authorized;

bool status_has_grant(struct rpc_call *call)
{
  return rpc_call_metadata(call, RPC_META_GRANT, NULL) != NULL;
}

static enum err_code check_gateway(struct rpc_call *call, const char *identity, struct err *e)
{
  const char *peer = rpc_call_peer(call).identity;
  if (identity == NULL || (peer != NULL && ascii_case_equal(peer, identity)))
    return ERR_OK;
  log_warn("call refused: wrong service", LOG_S("peer", peer != NULL ? peer : ""),
           LOG_S("wanted", identity));
  return err_set(e, ERR_PERMISSION_DENIED, "wrong_service",
                 "without an admin's grant this rpc is for the service \"%s\" only; check its "
                 "certificate",
                 identity);
}

static enum err_code ask(const struct status_gate *g, struct rpc_call *call, authorized **out,
                         struct err *e)
{
  const Analytics__Auth__V1__AuthorizeStatusRequest request =
      ANALYTICS__AUTH__V1__AUTHORIZE_STATUS_REQUEST__INIT;
  const struct rpc_client_options options = {.timeout_ms = STATUS_AUTH_MS, .parent = call};
  ProtobufCMessage *response = NULL;
  enum err_code code =
      rpc_client_call_sync(&response, g->auth, &analytics__auth__v1__status_service__descriptor,
                           "AuthorizeStatus", &request.base, &options, e);
  *out = (authorized *)response;
  return code;
}

enum err_code status_authorize(const struct status_gate *g, struct rpc_call *call, struct err *e)
{
  authorized *response = NULL;
  if (!status_has_grant(call))
    return check_gateway(call, g->gateway_identity, e);
  enum err_code code = ask(g, call, &response, e);
  if (response != NULL)
    protobuf_c_message_free_unpacked(&response->base, NULL);
  return code;
}

enum err_code status_authorize_with_cohorts(const struct status_gate *g, struct rpc_call *call,
                                            authorized **cohorts, struct err *unknown,
                                            struct err *e)
{
  *cohorts = NULL;
  if (status_has_grant(call))
    return ask(g, call, cohorts, e);
  if (check_gateway(call, g->gateway_identity, e) != ERR_OK)
    return e->code;
  ask(g, call, cohorts, unknown);
  return ERR_OK;
}
