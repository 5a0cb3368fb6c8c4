/* Protocol revisions and the two eras they fall into, as tables.
 *
 * Until 2025-11-25 a client says initialize and gets a session ("legacy"). From 2026-07-28 on every
 * request claims its revision in params._meta, and there are no sessions ("modern"). What a whole
 * era does alike is in struct mcp_era_rules; what came with a revision is a comparison of two. */
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
  MCP_2026_07_28,
};

enum { MCP_VERSION_COUNT = 5 };
/* What initialize offers for a revision it does not serve. */
#define MCP_LEGACY_NEWEST MCP_2025_11_25
/* Of a legacy request that comes without a session and names none (2025-06-18, Transports). */
#define MCP_LEGACY_ASSUMED MCP_2025_03_26

/* REFUSED belongs to neither. */
enum mcp_era { MCP_ERA_LEGACY, MCP_ERA_MODERN, MCP_ERA_REFUSED };

struct mcp_era_rules {
  int unknown_method;     /* HTTP status of a method that is not there */
  int resource_not_found; /* JSON-RPC code */
  bool results_say_kind;  /* results carry resultType, serverInfo and how long they may be kept */
};

/* "2025-11-25". Static text. */
const char *mcp_version_name(enum mcp_version v);
enum mcp_era mcp_version_era(enum mcp_version v);
const struct mcp_era_rules *mcp_version_rules(enum mcp_version v);
/* False when the text names no revision of the era served here. text may be NULL. */
bool mcp_version_parse(const char *text, enum mcp_era era, enum mcp_version *out);
/* Whether text is a date at or after the first modern revision, served or not. */
bool mcp_version_is_modern(const char *text);
/* Appends the revisions of an era, newest first, with `between` between them and `quote` around
 * each. */
bool mcp_version_put_list(struct buf *out, enum mcp_era era, const char *quote,
                          const char *between);

#endif
