/* A tool call without a session and without JSON-RPC around it. */
#include "gateway/mcp/internal.h"

void mcp_server_call(struct mcp_server *s, const struct mcp_direct_call *direct,
                     const struct mcp_sink *sink, void *sink_arg, struct mcp_exchange **out)
{
  const struct mcp_post post = {
      .principal = direct->principal, .trace = direct->trace, .accepts_json = true};
  const struct jsonrpc_message message = {.kind = JSONRPC_REQUEST, .method = "tools/call"};
  struct mcp_exchange *x = mcp_exchange_new(s, &post, sink, sink_arg);
  x->pending = 1;
  struct mcp_call *call = mcp_call_new(x, &message, NULL);
  call->tool = direct->tool;
  call->arguments = direct->arguments;
  mcp_tools_run(call);
  mcp_call_unref(call);
  *out = x;
}
