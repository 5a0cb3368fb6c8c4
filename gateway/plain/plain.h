/* A tool's answer as plain JSON, for scripts and dashboards that do not speak MCP:
 *
 *   GET  /mcp/tools/NAME?argument=value&...   each value as text; a name that comes again is a list
 *   POST /mcp/tools/NAME                      the arguments as a JSON object
 *
 * answers 200 with the structured result, or {"error": ...} with a status that says whose turn it
 * is. The call is the one that tools/call makes: the same bearer, shares, repairs of arguments and
 * records. Only tools that change nothing are served. docs/internals/gateway.md lists the statuses.
 */
#ifndef AMCP_GATEWAY_PLAIN_PLAIN_H
#define AMCP_GATEWAY_PLAIN_PLAIN_H

#include <stdbool.h>

#include "gateway/access/resource.h"
#include "gateway/http/listener.h"
#include "gateway/mcp/server.h"

#define PLAIN_METHODS "GET, POST, OPTIONS"

struct plain {
  struct mcp_server *mcp;
  const struct resource *resource; /* what a 401 points to */
};

/* Whether a path is /mcp/tools/NAME, for any NAME that is not empty. */
bool plain_is_path(const char *path);
/* Answers a request of such a path, now or when the tool is done. The principal was admitted. In
 * on_request. */
void plain_answer(const struct plain *p, struct exchange *x, struct mcp_principal *principal);
/* The HTTP status of a tool's failure. */
int plain_status(enum err_code code);

#endif
