/* Pages of lists: cursors, and which entries a page holds. */
#ifndef AMCP_GATEWAY_MCP_CURSOR_H
#define AMCP_GATEWAY_MCP_CURSOR_H

#include <stddef.h>

#include "common/base/buf.h"

struct mcp_call;

struct mcp_page {
  const char *list;  /* "tools": cursors of one list are of no use to another */
  size_t start, end; /* entries: from start on, before end */
  size_t n;          /* of the whole list */
};

/* The page of a list of n entries that params.cursor asks for; absent, null and empty mean the
 * first. False after the refusal of a cursor that is not one of this list. */
bool mcp_page_read(struct mcp_page *page, struct mcp_call *call, const char *list, size_t n);
/* The page that begins with an entry. */
struct mcp_page mcp_page_at(const char *list, size_t n, size_t start, size_t size);
/* Appends the member nextCursor with a comma before it, unless the page is the last. */
void mcp_page_put_next(struct buf *out, const struct mcp_page *page);

#endif
