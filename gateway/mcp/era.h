/* Which protocol era a posted message belongs to. Both may arrive on one endpoint, even on one
 * connection, so each message is classified by itself. */
#ifndef AMCP_GATEWAY_MCP_ERA_H
#define AMCP_GATEWAY_MCP_ERA_H

#include <cjson/cJSON.h>

#include "gateway/mcp/version.h"

/* The key of params._meta that makes a message modern. */
#define MCP_META_VERSION "io.modelcontextprotocol/protocolVersion"
#define MCP_META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define MCP_META_LEVEL "io.modelcontextprotocol/logLevel"
#define MCP_META_SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

/* Request headers the protocol speaks about; NULL when absent. Values without white space
 * around them. */
struct mcp_headers {
  const char *session_id;       /* Mcp-Session-Id */
  const char *protocol_version; /* MCP-Protocol-Version */
  const char *method;           /* Mcp-Method */
  const char *name;             /* Mcp-Name */
};

/* Why a message belongs to no era: HTTP status, JSON-RPC code, text (static). */
struct mcp_refusal {
  int status;
  int code;
  const char *message;
};

/* Classifies one posted body (an object or an array). *why is filled for MCP_ERA_REFUSED. */
enum mcp_era mcp_era_classify(const struct mcp_headers *headers, const cJSON *body,
                              struct mcp_refusal *why);
/* The version a message claims in params._meta: any JSON value; NULL when none. */
const cJSON *mcp_era_claim(const cJSON *message);

#endif
