/* An intrusive hash map: finds objects by a byte string, owns and allocates none of them.
 *
 *   struct session { struct map_node in_map; char id[33]; ... };
 *
 *   struct session *s = xcalloc(1, sizeof(*s));
 *   map_add(&map, &s->in_map, s->id, strlen(s->id));
 *   s = CONTAINER_OF(map_find_text(&map, id), struct session, in_map);     NULL when not found
 *   map_remove(&map, &s->in_map);
 *
 * Only the table of chains is allocated; it doubles when there are as many objects as chains, so
 * every operation takes constant time on average, whoever chose the keys (common/base/hash.h).
 * The map sets no cap on its size: its owner does. Not thread-safe. */
#ifndef AMCP_BASE_MAP_H
#define AMCP_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/mem.h"

/* Part of an object that is in a map. Its members belong to the map. */
struct map_node {
  struct map_node *next; /* in its chain */
  const void *key;
  size_t key_len;
  uint64_t hash;
};

/* An empty map is all zeros. */
struct map {
  struct map_node **chains; /* NULL before the first object */
  size_t n_chains;          /* a power of two */
  size_t n;                 /* objects in the map */
};

/* Frees the table, not the objects: the map is empty afterwards. */
void map_free(struct map *m);

/* The object with this key, NULL when there is none. */
struct map_node *map_find(const struct map *m, const void *key, size_t len);
struct map_node *map_find_text(const struct map *m, const char *key);

/* Adds an object. The key is kept by reference: it must stay where it is, unchanged, while the
 * object is in the map, and no other object of the map may have it. */
void map_add(struct map *m, struct map_node *node, const void *key, size_t len);
/* The key is the text without its NUL. */
void map_add_text(struct map *m, struct map_node *node, const char *key);

/* Takes an object out that is in the map. */
void map_remove(struct map *m, struct map_node *node);

/* Every object once, in no order: `for (n = map_first(m); n != NULL; n = map_next(m, n))`.
 * Nothing may be added meanwhile. An object may be removed once its successor has been read:
 * a loop that removes calls map_next() first. */
struct map_node *map_first(const struct map *m);
struct map_node *map_next(const struct map *m, const struct map_node *node);

#endif
