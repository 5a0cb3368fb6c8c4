/* The table of rpcs: none waits; what walks over all dealers runs on the worker pool. */
#include "auth-svc/methods.h"

#include "common/base/mem.h"

static const struct rpc_method methods[] = {
    {"Authenticate", RPC_UNARY, RPC_ON_POLLER, service_authenticate},
    {"GetAccessToken", RPC_UNARY, RPC_ON_POLLER, service_get_access_token},
    {"EndLease", RPC_UNARY, RPC_ON_POLLER, service_end_lease},
    {"OwnProperties", RPC_UNARY, RPC_ON_WORKER, service_own_properties},
    {"ResolveCohort", RPC_UNARY, RPC_ON_WORKER, service_resolve_cohort},
    {"ListDealers", RPC_UNARY, RPC_ON_WORKER, service_list_dealers},
    {"ListCohorts", RPC_UNARY, RPC_ON_WORKER, service_list_cohorts},
};

enum err_code methods_register(struct service *s, struct rpc_server *server, struct err *e)
{
  return rpc_server_add(server, &analytics__auth__v1__auth_service__descriptor, methods,
                        ARRAY_LEN(methods), s, e);
}
