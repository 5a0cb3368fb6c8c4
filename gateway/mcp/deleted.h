/* Sessions that were deleted and whose ids have not expired yet. Bounded: when it is full, the
 * session deleted longest ago is forgotten, and its id is good again until it expires. That harms
 * nobody: an id is of use to its own principal alone. Not thread-safe. */
#ifndef AMCP_GATEWAY_MCP_DELETED_H
#define AMCP_GATEWAY_MCP_DELETED_H

#include "common/base/lru.h"
#include "common/base/map.h"
#include "gateway/mcp/session_id.h"

struct deleted {
  struct map map;
  struct lru order; /* oldest deletion first; its cap is the set's */
};

void deleted_init(struct deleted *d, size_t max);
void deleted_free(struct deleted *d);
void deleted_add(struct deleted *d, const uint8_t key[MCP_SESSION_KEY_LEN], int64_t expires_ms);
bool deleted_has(const struct deleted *d, const uint8_t key[MCP_SESSION_KEY_LEN]);
/* Forgets, from the oldest deletion on, what has expired. */
void deleted_expire(struct deleted *d, int64_t now_ms);

#endif
