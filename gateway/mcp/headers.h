/* The headers of a modern request against its body (2026-07-28, Transports): what an intermediary
 * reads in them must be what the server does. */
#ifndef AMCP_GATEWAY_MCP_HEADERS_H
#define AMCP_GATEWAY_MCP_HEADERS_H

#include "gateway/mcp/era.h"
#include "gateway/mcp/jsonrpc.h"
#include "gateway/mcp/method.h"

/* Appends what a header value says: itself, or the text in =?base64?...?= (standard alphabet,
 * padded, UTF-8 without NUL). False when such a form is malformed. */
bool mcp_header_text(struct buf *out, const char *value);
/* Headers that contradict the body; NULL when none does. Static text. Comes before any look at the
 * version. */
const char *mcp_headers_mismatch(const struct mcp_headers *h, const struct jsonrpc_message *m,
                                 const char *claimed);
/* What a request of a served version must have besides; NULL when it has. method NULL: a method
 * that does not exist, which has no name to repeat. */
const char *mcp_headers_missing(const struct mcp_headers *h, const struct jsonrpc_message *m,
                                const struct mcp_method *method);
/* Whether a request without a body belongs to a session, as an HTTP status: 0, it has an id; 405, it
 * has none, or a version that knows no sessions (2026-07-28, Transports: the id is ignored); 400, a
 * version that is not served (2025-06-18, Transports, Protocol Version Header). */
int mcp_headers_check_session(const struct mcp_headers *h);

#endif
