/* Parts of results and messages as JSON. */
#ifndef AMCP_GATEWAY_MCP_CONTENT_H
#define AMCP_GATEWAY_MCP_CONTENT_H

#include "common/base/buf.h"
#include "gateway/mcp/tool.h"
#include "gateway/mcp/version.h"

/* Appends a part as the version knows it. */
bool mcp_content_put(struct buf *out, const struct mcp_content *c, enum mcp_version version);
/* Appends ,"text": or ,"blob": with what a resource holds: bytes as base64 when data is not NULL.
 */
bool mcp_content_put_body(struct buf *out, const char *text, size_t text_len, const void *data,
                          size_t data_len);

#endif
