/* Releases by their keys. */
#include "aggregate-svc/disclosure/store_cache.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/mem.h"

struct cached {
  struct map_node in_map;
  struct lru_node in_use;
  char *key;
  struct release_record record;
};

void store_cache_init(struct store_cache *s, size_t max_bytes)
{
  *s = (struct store_cache){.in_use = LRU_INIT(max_bytes)};
}

static void forget(struct store_cache *s, struct cached *c)
{
  lru_remove(&s->in_use, &c->in_use);
  map_remove(&s->entries, &c->in_map);
  release_record_free(&c->record);
  free(c->key);
  free(c);
}

void store_cache_free(struct store_cache *s)
{
  while (s->in_use.oldest != NULL)
    forget(s, CONTAINER_OF(s->in_use.oldest, struct cached, in_use));
  map_free(&s->entries);
}

void release_record_free(struct release_record *r)
{
  free(r->values);
  *r = (struct release_record){0};
}

void release_record_copy(struct release_record *out, const struct release_record *r)
{
  *out = *r;
  out->values = xcalloc(r->n_values + 1, sizeof(*out->values));
  if (r->n_values > 0)
    memcpy(out->values, r->values, r->n_values * sizeof(*out->values));
}

char *store_cache_key(const struct release_key *k)
{
  return xasprintf("%s\n%s\n%s\n%s\n%" PRId64 "\n%" PRId64, k->cohort, k->view, k->metric, k->slice,
                   k->first, k->last);
}

bool store_cache_find(struct store_cache *s, const char *key, struct release_record *out)
{
  struct map_node *n = map_find_text(&s->entries, key);
  if (n == NULL)
    return false;
  struct cached *c = CONTAINER_OF(n, struct cached, in_map);
  lru_touch(&s->in_use, &c->in_use);
  release_record_copy(out, &c->record);
  return true;
}

void store_cache_keep(struct store_cache *s, const char *key, const struct release_record *r)
{
  size_t size = sizeof(struct cached) + strlen(key) + r->n_values * sizeof(*r->values);
  struct lru_node *old;
  if (size > s->in_use.max || map_find_text(&s->entries, key) != NULL)
    return;
  while ((old = lru_excess(&s->in_use, size)) != NULL)
    forget(s, CONTAINER_OF(old, struct cached, in_use));
  struct cached *c = xcalloc(1, sizeof(*c));
  c->key = xstrdup(key);
  release_record_copy(&c->record, r);
  map_add_text(&s->entries, &c->in_map, c->key);
  lru_add(&s->in_use, &c->in_use, size);
}
