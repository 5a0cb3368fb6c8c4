/* One generic path for every tool: arguments -> request message -> rpc -> tool result.
 *
 * When a service says that the call's grant is too old or sealed with a key that is gone, the
 * caller gets another grant for its bearer token, and the call is made once more: every tool
 * is read-only, so that repeating one changes nothing. A stream that breaks after its first message
 * is opened again too, at most twice; the caller's progress goes on from where it was.
 *
 * Knows the catalogue and the channels by package; it knows no tool by name. */
#ifndef AMCP_GATEWAY_BRIDGE_BRIDGE_H
#define AMCP_GATEWAY_BRIDGE_BRIDGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/rpc/rpc.h"
#include "gateway/mcp/tool.h"

struct bridge;

/* Where the services of a package are. */
struct bridge_backend {
  const char *package; /* "analytics.report.v1" */
  const char *name;    /* "report-svc", for messages */
  struct rpc_channel *channel;
  uint32_t attempt_ms; /* of its rpcs, as in struct rpc_client_options */
};

struct bridge_options {
  const struct bridge_backend *backends; /* copied; the channels outlive the bridge's calls */
  size_t n_backends;
  const char *toolsets; /* which tools are listed, as catalog_toolsets_read() takes it */
  /* That an access token must have for a tool, blank-separated, and for one that compares with
   * other dealers (toolsets benchmarks and vehicles); NULL for none. They outlive the bridge. */
  const char *scopes, *scopes_to_compare;
  uint32_t timeout_ms;     /* of tools that set none; 0 means 60,000 */
  size_t max_result_bytes; /* of a result as JSON; 0 means 4 MiB */
};

/* ERR_FAILED_PRECONDITION when a tool of the catalogue has no backend, ERR_INVALID_ARGUMENT for a
 * toolset that does not exist. */
enum err_code bridge_new(struct bridge **out, const struct bridge_options *options, struct err *e);
/* No call is begun or repeated after it returns. Before the channels are freed. NULL is fine. */
void bridge_stop(struct bridge *b);
/* No call may be under way: free the channels first. */
void bridge_free(struct bridge *b);
/* The tools of the catalogue as a tool host. Lives as long as the bridge. */
struct mcp_tool_host bridge_host(struct bridge *b);

#endif
