/* Objects in order of use: a doubly linked list that adds up their sizes. */
#include "common/base/lru.h"

static void unlink_node(struct lru *l, struct lru_node *node)
{
  *(node->older != NULL ? &node->older->newer : &l->oldest) = node->newer;
  *(node->newer != NULL ? &node->newer->older : &l->newest) = node->older;
}

static void append(struct lru *l, struct lru_node *node)
{
  node->older = l->newest;
  node->newer = NULL;
  *(l->newest != NULL ? &l->newest->newer : &l->oldest) = node;
  l->newest = node;
}

void lru_add(struct lru *l, struct lru_node *node, size_t size)
{
  append(l, node);
  node->size = size;
  l->size += size;
  l->n++;
}

void lru_remove(struct lru *l, struct lru_node *node)
{
  unlink_node(l, node);
  node->older = node->newer = NULL;
  l->size -= node->size;
  l->n--;
}

void lru_touch(struct lru *l, struct lru_node *node)
{
  unlink_node(l, node);
  append(l, node);
}

struct lru_node *lru_excess(const struct lru *l, size_t size)
{
  return l->size > l->max || size > l->max - l->size ? l->oldest : NULL;
}
