/* The frame around a result: JSON-RPC, and what the call's era wants to find in every result. */
#ifndef AMCP_GATEWAY_MCP_RESULT_H
#define AMCP_GATEWAY_MCP_RESULT_H

#include "common/base/buf.h"
#include "gateway/mcp/version.h"

struct mcp_call;
struct mcp_server_options;

/* Of a result: what kind it is, from 2026-07-28 on. */
#define MCP_COMPLETE "complete"
#define MCP_INPUT_REQUIRED "input_required"

/* Appends the response with a result (a JSON object as text, without resultType and _meta). */
bool mcp_result_put(struct buf *out, const struct mcp_call *call, const char *kind,
                    const char *result, size_t len);
/* "serverInfo" as a JSON object. */
bool mcp_server_info_put(struct buf *out, const struct mcp_server_options *o,
                         enum mcp_version version);

#endif
