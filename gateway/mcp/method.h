/* The one table of methods: which eras have them, what must be offered for them to exist, and what
 * their requests and results carry. */
#ifndef AMCP_GATEWAY_MCP_METHOD_H
#define AMCP_GATEWAY_MCP_METHOD_H

#include "gateway/mcp/version.h"

struct mcp_call;
struct mcp_tool_host;

/* Answers one request. Consumes the reference. */
typedef void mcp_handler(struct mcp_call *call);

struct mcp_method {
  const char *name;
  mcp_handler *handle;
  unsigned eras;                                     /* 1 << enum mcp_era */
  bool (*offered)(const struct mcp_tool_host *host); /* NULL: always */
  const char *named_by; /* the member of params that Mcp-Name repeats; NULL for none */
  int ttl_ms;           /* how long a client may keep the result; -1: not for keeping */
};

/* The method of a name in an era, as far as the host offers it; NULL when there is none. */
const struct mcp_method *mcp_method_find(const struct mcp_tool_host *host, enum mcp_era era,
                                         const char *name);
/* Appends the capabilities object of a server with this host. */
bool mcp_capabilities_put(struct buf *out, const struct mcp_tool_host *host, enum mcp_version v);

#endif
