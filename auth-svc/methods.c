/* The tables of rpcs: what walks over all dealers or waits for the disk runs on the worker pool. */
#include "auth-svc/methods.h"

#include "analytics/auth/v1/status.pb-c.h"
#include "common/base/mem.h"

static const struct rpc_method methods[] = {
    {"Authenticate", RPC_UNARY, RPC_ON_POLLER, service_authenticate},
    {"CheckResource", RPC_UNARY, RPC_ON_POLLER, service_check_resource},
    {"GetAccessToken", RPC_UNARY, RPC_ON_POLLER, service_get_access_token},
    {"GetAccessTokens", RPC_UNARY, RPC_ON_WORKER, service_get_access_tokens},
    {"EndLease", RPC_UNARY, RPC_ON_POLLER, service_end_lease},
    {"OwnProperties", RPC_UNARY, RPC_ON_WORKER, service_own_properties},
    {"ResolveCohort", RPC_UNARY, RPC_ON_WORKER, service_resolve_cohort},
    {"ListDealers", RPC_UNARY, RPC_ON_WORKER, service_list_dealers},
    {"ListCohorts", RPC_UNARY, RPC_ON_WORKER, service_list_cohorts},
};

/* What changes the store of connected dealers waits for the disk. */
static const struct rpc_method connect_methods[] = {
    {"ShowInvite", RPC_UNARY, RPC_ON_WORKER, service_show_invite},
    {"StartConsent", RPC_UNARY, RPC_ON_WORKER, service_start_consent},
    {"ReceiveConsent", RPC_UNARY, RPC_ON_WORKER, service_receive_consent},
    {"ShowConsent", RPC_UNARY, RPC_ON_WORKER, service_show_consent},
    {"FinishConsent", RPC_UNARY, RPC_ON_WORKER, service_finish_consent},
    {"CreateInvite", RPC_UNARY, RPC_ON_WORKER, service_create_invite},
    {"ListConnections", RPC_UNARY, RPC_ON_WORKER, service_list_connections},
    {"RevokeInvite", RPC_UNARY, RPC_ON_WORKER, service_revoke_invite},
    {"Disconnect", RPC_UNARY, RPC_ON_WORKER, service_disconnect},
    {"ExportConnected", RPC_UNARY, RPC_ON_WORKER, service_export_connected},
    {"ImportConnected", RPC_UNARY, RPC_ON_WORKER, service_import_connected},
};

static const struct rpc_method status_methods[] = {
    {"GetStatus", RPC_UNARY, RPC_ON_WORKER, service_get_status},
    {"AuthorizeStatus", RPC_UNARY, RPC_ON_WORKER, service_authorize_status},
};

enum err_code methods_register(struct service *s, struct rpc_server *server, struct err *e)
{
  enum err_code code = rpc_server_add(server, &analytics__auth__v1__auth_service__descriptor,
                                      methods, ARRAY_LEN(methods), s, e);
  if (code == ERR_OK)
    code = rpc_server_add(server, &analytics__auth__v1__connect_service__descriptor,
                          connect_methods, ARRAY_LEN(connect_methods), s, e);
  return code == ERR_OK ? rpc_server_add(server, &analytics__auth__v1__status_service__descriptor,
                                         status_methods, ARRAY_LEN(status_methods), s, e)
                        : code;
}
