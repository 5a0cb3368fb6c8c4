/* Inside of gateway/mcp: streams that carry notifications which belong to no request.
 *
 * There are two ways to one: subscriptions/listen (2026-07-28), whose client names what it wants to
 * hear and whose notifications repeat its id; and the GET stream of a legacy session, which hears
 * everything, and which a second GET of its session replaces. Both are a call that ends when the
 * client leaves, the session is deleted, the bearer no longer holds, or the program ends. */
#ifndef AMCP_GATEWAY_MCP_STREAM_H
#define AMCP_GATEWAY_MCP_STREAM_H

#include "gateway/mcp/call.h"

/* Takes a settled call off the list; true when it was there, and its reference is the caller's. The
 * exchange is locked. */
bool mcp_stream_remove(struct mcp_call *call);
/* Ends a stream as its era does: with a result, or just so. */
void mcp_stream_end(struct mcp_call *call);

#endif
