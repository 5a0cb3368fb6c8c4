/* An intrusive list of objects in order of use, with a cap on their sizes together. It owns and
 * allocates nothing; with common/base/map.h it makes a cache:
 *
 *   struct entry { struct map_node in_map; struct lru_node in_use; ... };
 *
 *   while ((n = lru_excess(&list, size)) != NULL)     makes room, least recently used first
 *     drop(CONTAINER_OF(n, struct entry, in_use));    which calls lru_remove() and map_remove()
 *   lru_add(&list, &e->in_use, size);
 *   ...
 *   lru_touch(&list, &e->in_use);                     used just now
 *
 * Sizes may be bytes, or 1 for every object to cap their number. Not thread-safe. */
#ifndef AMCP_BASE_LRU_H
#define AMCP_BASE_LRU_H

#include <stddef.h>

#include "common/base/mem.h"

/* Part of an object that is in a list. Its members belong to the list. */
struct lru_node {
  struct lru_node *older, *newer;
  size_t size;
};

struct lru {
  struct lru_node *oldest, *newest;
  size_t size; /* of all objects together */
  size_t n;    /* objects in the list */
  size_t max;  /* most that `size` may reach */
};
/* An empty list. */
#define LRU_INIT(max_size) ((struct lru){.max = (max_size)})

/* Adds an object as the most recently used one. Makes no room: see lru_excess(). */
void lru_add(struct lru *l, struct lru_node *node, size_t size);
/* Takes an object out that is in the list. */
void lru_remove(struct lru *l, struct lru_node *node);
/* Makes an object of the list the most recently used one. */
void lru_touch(struct lru *l, struct lru_node *node);

/* The least recently used object while an addition of `size` would pass the cap; NULL when there
 * is room, or nothing is left that could make room. */
struct lru_node *lru_excess(const struct lru *l, size_t size);

#endif
