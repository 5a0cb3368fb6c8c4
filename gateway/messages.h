/* Messages of the protocol in HTTP: from an exchange into the server, and its answers back. */
#ifndef AMCP_GATEWAY_MESSAGES_H
#define AMCP_GATEWAY_MESSAGES_H

#include "gateway/http/listener.h"
#include "gateway/mcp/server.h"

/* Without a session; with one also GET. */
#define MESSAGES_METHODS "POST, DELETE, OPTIONS"

/* Answer an exchange by its method, whose caller is known and may be here. In on_request. */
void messages_post(struct mcp_server *s, struct exchange *x, struct mcp_principal *principal);
/* A session's stream of notifications. */
void messages_get(struct mcp_server *s, struct exchange *x, struct mcp_principal *principal);
void messages_delete(struct mcp_server *s, struct exchange *x, struct mcp_principal *principal);

#endif
