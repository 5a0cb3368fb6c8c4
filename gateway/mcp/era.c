/* Which protocol era a posted message belongs to. */
#include "gateway/mcp/era.h"

#include <stddef.h>
#include <string.h>

#include "gateway/mcp/jsonrpc.h"

const cJSON *mcp_era_claim(const cJSON *message)
{
  const cJSON *params = cJSON_GetObjectItemCaseSensitive(message, "params");
  const cJSON *meta = cJSON_GetObjectItemCaseSensitive(params, "_meta");
  return cJSON_GetObjectItemCaseSensitive(meta, MCP_META_VERSION);
}

static enum mcp_era refuse(struct mcp_refusal *why, int code, const char *message)
{
  *why = (struct mcp_refusal){.status = 400, .code = code, .message = message};
  return MCP_ERA_REFUSED;
}

static enum mcp_era classify_batch(const cJSON *batch, struct mcp_refusal *why)
{
  const cJSON *element;
  cJSON_ArrayForEach(element, batch)
  {
    if (mcp_era_claim(element) != NULL)
      return refuse(why, JSONRPC_INVALID_REQUEST,
                    "Batches are not supported from 2026-07-28 on: send one message per request");
  }
  return MCP_ERA_LEGACY;
}

/* The header names a modern version but the body claims none. */
static enum mcp_era classify_unclaimed(const struct jsonrpc_message *m, struct mcp_refusal *why)
{
  if (m->kind == JSONRPC_NOTIFICATION)
    return MCP_ERA_MODERN;
  if (strcmp(m->method, "initialize") == 0)
    return refuse(why, MCP_HEADER_MISMATCH,
                  "initialize belongs to versions up to 2025-11-25, but the header "
                  "MCP-Protocol-Version names a later one");
  return refuse(why, JSONRPC_INVALID_PARAMS,
                "params._meta[\"" MCP_META_VERSION "\"] is required from 2026-07-28 on");
}

enum mcp_era mcp_era_classify(const struct mcp_headers *headers, const cJSON *body,
                              struct mcp_refusal *why)
{
  if (cJSON_IsArray(body))
    return classify_batch(body, why);
  struct jsonrpc_message m = jsonrpc_read(body);
  if (m.kind == JSONRPC_RESPONSE || m.kind == JSONRPC_INVALID)
    return MCP_ERA_LEGACY;
  if (mcp_era_claim(body) != NULL || strcmp(m.method, "server/discover") == 0)
    return MCP_ERA_MODERN;
  if (headers->protocol_version != NULL && mcp_version_is_modern(headers->protocol_version))
    return classify_unclaimed(&m, why);
  return MCP_ERA_LEGACY;
}
