/* A hash map whose nodes lie in the objects: chains, doubled when they get long. */
#include "common/base/map.h"

#include <string.h>

#include "common/base/hash.h"

enum { FIRST_CHAINS = 16 };

void map_free(struct map *m)
{
  free(m->chains);
  *m = (struct map){0};
}

static struct map_node **chain_of(const struct map *m, uint64_t hash)
{
  return &m->chains[hash & (m->n_chains - 1)];
}

struct map_node *map_find(const struct map *m, const void *key, size_t len)
{
  if (m->n == 0)
    return NULL;
  uint64_t hash = hash_data(key, len);
  struct map_node *node = *chain_of(m, hash);
  while (node != NULL && (node->hash != hash || node->key_len != len ||
                          (len > 0 && memcmp(node->key, key, len) != 0)))
    node = node->next;
  return node;
}

struct map_node *map_find_text(const struct map *m, const char *key)
{
  return map_find(m, key, strlen(key));
}

static void link_node(struct map *m, struct map_node *node)
{
  struct map_node **chain = chain_of(m, node->hash);
  node->next = *chain;
  *chain = node;
}

static void grow(struct map *m)
{
  struct map old = *m;
  m->n_chains = old.n_chains == 0 ? FIRST_CHAINS : old.n_chains * 2;
  m->chains = xcalloc(m->n_chains, sizeof(struct map_node *));
  for (size_t i = 0; i < old.n_chains; i++)
    while (old.chains[i] != NULL) {
      struct map_node *node = old.chains[i];
      old.chains[i] = node->next;
      link_node(m, node);
    }
  free(old.chains);
}

void map_add(struct map *m, struct map_node *node, const void *key, size_t len)
{
  if (m->n >= m->n_chains)
    grow(m);
  node->key = key;
  node->key_len = len;
  node->hash = hash_data(key, len);
  link_node(m, node);
  m->n++;
}

void map_add_text(struct map *m, struct map_node *node, const char *key)
{
  map_add(m, node, key, strlen(key));
}

void map_remove(struct map *m, struct map_node *node)
{
  struct map_node **at = chain_of(m, node->hash);
  while (*at != node)
    at = &(*at)->next;
  *at = node->next;
  node->next = NULL;
  m->n--;
}

/* The first object of chain i or of one after it. */
static struct map_node *first_from(const struct map *m, size_t i)
{
  while (i < m->n_chains && m->chains[i] == NULL)
    i++;
  return i < m->n_chains ? m->chains[i] : NULL;
}

struct map_node *map_first(const struct map *m)
{
  return first_from(m, 0);
}

struct map_node *map_next(const struct map *m, const struct map_node *node)
{
  return node->next != NULL ? node->next : first_from(m, (node->hash & (m->n_chains - 1)) + 1);
}
