/* Protocol revisions of the initialize era, oldest first. */
#ifndef AMCP_GATEWAY_MCP_VERSION_H
#define AMCP_GATEWAY_MCP_VERSION_H

#include <stdbool.h>

#include "common/base/buf.h"

/* Ordered, so that "since 2025-06-18" is a comparison. */
enum mcp_version {
  MCP_2024_11_05,
  MCP_2025_03_26,
  MCP_2025_06_18,
  MCP_2025_11_25,
};

enum { MCP_VERSION_COUNT = 4 };
#define MCP_VERSION_NEWEST MCP_2025_11_25
/* First revision of the era that has no initialize and claims its version in every
 * request's _meta. */
#define MCP_MODERN_FIRST "2026-07-28"

/* "2025-11-25". Static text. */
const char *mcp_version_name(enum mcp_version v);
/* False when the text names no revision served here. text may be NULL. */
bool mcp_version_parse(const char *text, enum mcp_version *out);
/* Whether text is a date at or after the first modern revision. */
bool mcp_version_is_modern(const char *text);
/* Appends ["2025-11-25", ...], newest first. */
bool mcp_version_put_list(struct buf *out);

#endif
