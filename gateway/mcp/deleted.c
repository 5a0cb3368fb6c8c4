/* Sessions that were deleted and whose ids have not expired yet. */
#include "gateway/mcp/deleted.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

struct entry {
  uint8_t key[MCP_SESSION_KEY_LEN];
  int64_t expires_ms;
  struct map_node in_map;
  struct lru_node in_order;
};

static struct entry *entry_of(struct lru_node *node)
{
  return CONTAINER_OF(node, struct entry, in_order);
}

static void forget(struct deleted *d, struct entry *entry)
{
  map_remove(&d->map, &entry->in_map);
  lru_remove(&d->order, &entry->in_order);
  free(entry);
}

void deleted_init(struct deleted *d, size_t max)
{
  *d = (struct deleted){.order = LRU_INIT(max)};
}

void deleted_free(struct deleted *d)
{
  while (d->order.oldest != NULL)
    forget(d, entry_of(d->order.oldest));
  map_free(&d->map);
}

void deleted_add(struct deleted *d, const uint8_t key[MCP_SESSION_KEY_LEN], int64_t expires_ms)
{
  struct lru_node *excess;
  if (deleted_has(d, key))
    return;
  while ((excess = lru_excess(&d->order, 1)) != NULL)
    forget(d, entry_of(excess));
  struct entry *entry = xcalloc(1, sizeof(*entry));
  memcpy(entry->key, key, sizeof(entry->key));
  entry->expires_ms = expires_ms;
  map_add(&d->map, &entry->in_map, entry->key, sizeof(entry->key));
  lru_add(&d->order, &entry->in_order, 1);
}

bool deleted_has(const struct deleted *d, const uint8_t key[MCP_SESSION_KEY_LEN])
{
  return map_find(&d->map, key, MCP_SESSION_KEY_LEN) != NULL;
}

void deleted_expire(struct deleted *d, int64_t now_ms)
{
  while (d->order.oldest != NULL && entry_of(d->order.oldest)->expires_ms <= now_ms)
    forget(d, entry_of(d->order.oldest));
}
