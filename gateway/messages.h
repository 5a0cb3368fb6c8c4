/* Messages of the protocol in HTTP: from an exchange into the server, and its answers back. */
#ifndef AMCP_GATEWAY_MESSAGES_H
#define AMCP_GATEWAY_MESSAGES_H

#include "gateway/http/listener.h"
#include "gateway/mcp/server.h"

/* Without a session; with one also GET. */
#define MESSAGES_METHODS "POST, DELETE, OPTIONS"

struct messages {
  struct mcp_server *mcp;
  /* Adds the challenge to the answer (403) of a caller whose access token lacks one of the scopes;
   * NULL: none. */
  void (*challenge)(void *user, struct exchange *x, const char *scopes);
  void *user;
};

/* Answer an exchange by its method, whose caller is known and may be here. `m` is copied. In
 * on_request. */
void messages_post(const struct messages *m, struct exchange *x, struct mcp_principal *principal);
/* A session's stream of notifications. */
void messages_get(const struct messages *m, struct exchange *x, struct mcp_principal *principal);
void messages_delete(const struct messages *m, struct exchange *x, struct mcp_principal *principal);

#endif
