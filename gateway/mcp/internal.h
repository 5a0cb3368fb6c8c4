/* Inside of gateway/mcp: the server and the handlers of its two eras. */
#ifndef AMCP_GATEWAY_MCP_INTERNAL_H
#define AMCP_GATEWAY_MCP_INTERNAL_H

#include <pthread.h>

#include "common/base/metrics.h"
#include "gateway/mcp/call.h"

struct mcp_server {
  struct mcp_server_options options;
  struct mcp_sessions *sessions;
  int64_t (*now_ms)(void), (*unix_ms)(void);
  struct metric *requests, *tool_calls, *tool_seconds;
  struct buf first_pages[MCP_VERSION_COUNT]; /* of tools/list, which everybody asks for */
  atomic_bool restarting;
  pthread_mutex_t lock; /* guards the list of open exchanges */
  struct mcp_exchange *open;
};

/* Open exchanges wait for a response; those that may become a stream say so. */
void mcp_server_list(struct mcp_server *s, struct mcp_exchange *x, bool streams_later);
void mcp_server_unlist(struct mcp_server *s, struct mcp_exchange *x);

/* At the start: the tools do not change. */
void mcp_tools_write_first_pages(struct mcp_server *s);

/* Metrics. code 0 is success, else the JSON-RPC code. */
void mcp_server_count(struct mcp_server *s, const char *method, int code);
void mcp_server_count_tool(const struct mcp_call *call, const char *outcome);
void mcp_server_cancelled(const struct mcp_call *call);

/* Answers a posted body of an era. The exchange's body is parsed. */
void mcp_legacy_post(struct mcp_exchange *x, const struct mcp_headers *headers);
void mcp_modern_post(struct mcp_exchange *x, const struct mcp_headers *headers);

/* Answers one request of a live session; call->session is NULL for initialize. Consumes
 * the reference. */
typedef void mcp_handler(struct mcp_call *call);
mcp_handler mcp_initialize, mcp_ping, mcp_tools_list, mcp_tools_call;
/* Waits for the call's turn and runs its tool. */
void mcp_tools_run(struct mcp_call *call);

#endif
