/* The rpcs of analytics.auth.v1.AuthService, as a server gets them. */
#ifndef AMCP_AUTH_METHODS_H
#define AMCP_AUTH_METHODS_H

#include "auth-svc/rpc/service.h"

/* Adds the rpcs to a server. The service must outlive it. */
enum err_code methods_register(struct service *s, struct rpc_server *server, struct err *e);

#endif
