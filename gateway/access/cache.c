/* Grants by the SHA-256 of the bearer token. */
#include "gateway/access/cache.h"

#include <pthread.h>
#include <string.h>

#include "common/base/lru.h"
#include "common/base/map.h"
#include "common/base/mem.h"

struct entry {
  struct map_node in_map;
  struct lru_node in_use;
  uint8_t key[CACHE_KEY_LEN];
  struct grant *grant;
  int64_t expires_ms;
};

struct grant_cache {
  pthread_mutex_t lock;
  struct map map;
  struct lru list; /* counts entries */
};

struct grant_cache *grant_cache_new(size_t max)
{
  struct grant_cache *c = xcalloc(1, sizeof(*c));
  pthread_mutex_init(&c->lock, NULL);
  c->list = LRU_INIT(max);
  return c;
}

static void drop_locked(struct grant_cache *c, struct entry *e)
{
  map_remove(&c->map, &e->in_map);
  lru_remove(&c->list, &e->in_use);
  grant_unref(e->grant);
  free(e);
}

static struct entry *find_locked(struct grant_cache *c, const uint8_t key[CACHE_KEY_LEN])
{
  return CONTAINER_OF(map_find(&c->map, key, CACHE_KEY_LEN), struct entry, in_map);
}

void grant_cache_free(struct grant_cache *c)
{
  if (c == NULL)
    return;
  while (c->list.oldest != NULL)
    drop_locked(c, CONTAINER_OF(c->list.oldest, struct entry, in_use));
  map_free(&c->map);
  pthread_mutex_destroy(&c->lock);
  free(c);
}

struct grant *grant_cache_get(struct grant_cache *c, const uint8_t key[CACHE_KEY_LEN],
                              int64_t now_ms, bool *ended)
{
  struct grant *g = NULL;
  pthread_mutex_lock(&c->lock);
  struct entry *e = find_locked(c, key);
  bool dead = e != NULL && (e->expires_ms <= now_ms || grant_is_refused(e->grant));
  if (ended != NULL)
    *ended = dead;
  if (dead) {
    drop_locked(c, e);
  } else if (e != NULL) {
    lru_touch(&c->list, &e->in_use);
    g = e->grant;
    grant_ref(g);
  }
  pthread_mutex_unlock(&c->lock);
  return g;
}

void grant_cache_put(struct grant_cache *c, const uint8_t key[CACHE_KEY_LEN], struct grant *g,
                     int64_t expires_ms)
{
  grant_ref(g);
  pthread_mutex_lock(&c->lock);
  struct entry *e = find_locked(c, key);
  if (e != NULL)
    drop_locked(c, e);
  struct lru_node *oldest;
  while ((oldest = lru_excess(&c->list, 1)) != NULL)
    drop_locked(c, CONTAINER_OF(oldest, struct entry, in_use));
  e = xcalloc(1, sizeof(*e));
  memcpy(e->key, key, CACHE_KEY_LEN);
  e->grant = g;
  e->expires_ms = expires_ms;
  map_add(&c->map, &e->in_map, e->key, CACHE_KEY_LEN);
  lru_add(&c->list, &e->in_use, 1);
  pthread_mutex_unlock(&c->lock);
}

size_t grant_cache_count(struct grant_cache *c)
{
  pthread_mutex_lock(&c->lock);
  size_t n = c->list.n;
  pthread_mutex_unlock(&c->lock);
  return n;
}
