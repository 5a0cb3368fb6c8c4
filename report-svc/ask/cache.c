/* Answers by key, and a list in order of use that bounds their bytes. */
#include "report-svc/ask/cache.h"

#include <pthread.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/lru.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

struct entry {
  struct map_node in_map;
  struct lru_node in_use;
  struct answer *answer;
  int64_t expires_ms;
  char key[];
};

struct cache {
  int64_t ttl_ms;
  struct metric *lookups;
  struct metric *bytes;
  pthread_mutex_t lock;
  /* Guarded by lock: */
  struct map map;
  struct lru use; /* sizes in bytes, keys included */
};

struct cache *cache_new(size_t max_bytes, int64_t ttl_ms)
{
  struct cache *c = xcalloc(1, sizeof(*c));
  pthread_mutex_init(&c->lock, NULL);
  c->use = LRU_INIT(ttl_ms > 0 ? max_bytes : 0);
  c->ttl_ms = ttl_ms;
  c->lookups = metrics_counter("report_cache_lookups_total", "Lookups of report answers by result.",
                               "result", NULL);
  c->bytes = metrics_gauge("report_cache_bytes", "Memory held by cached report answers.", NULL);
  return c;
}

static struct entry *find(const struct cache *c, const struct buf *key)
{
  return CONTAINER_OF(map_find(&c->map, buf_str(key), key->len), struct entry, in_map);
}

static void drop(struct cache *c, struct entry *e)
{
  map_remove(&c->map, &e->in_map);
  lru_remove(&c->use, &e->in_use);
  answer_unref(e->answer);
  free(e);
}

static void drop_oldest(struct cache *c, struct lru_node *oldest)
{
  drop(c, CONTAINER_OF(oldest, struct entry, in_use));
}

void cache_free(struct cache *c)
{
  if (c == NULL)
    return;
  while (c->use.oldest != NULL)
    drop_oldest(c, c->use.oldest);
  map_free(&c->map);
  pthread_mutex_destroy(&c->lock);
  free(c);
}

struct answer *cache_get(struct cache *c, const struct buf *key, int64_t now_ms)
{
  struct answer *answer = NULL;
  if (c->use.max == 0)
    return NULL;
  pthread_mutex_lock(&c->lock);
  struct entry *e = find(c, key);
  if (e != NULL && e->expires_ms <= now_ms) {
    drop(c, e);
    metric_set(c->bytes, (double)c->use.size, NULL);
  } else if (e != NULL) {
    lru_touch(&c->use, &e->in_use);
    answer = answer_ref(e->answer);
  }
  pthread_mutex_unlock(&c->lock);
  const char *result = answer != NULL ? "hit" : "miss";
  metric_add(c->lookups, 1, METRIC_LABELS(result));
  log_debug("cache", LOG_S("of", "report answers"), LOG_S("result", result));
  return answer;
}

void cache_count_shared(struct cache *c)
{
  metric_add(c->lookups, 1, METRIC_LABELS("shared"));
}

int64_t cache_ttl_ms(const struct cache *c)
{
  return c->ttl_ms;
}

void cache_put(struct cache *c, const struct buf *key, struct answer *answer, int64_t keep_ms,
               int64_t now_ms)
{
  size_t size = sizeof(struct entry) + key->len + answer_size(answer);
  if (size > c->use.max / 4)
    return;
  struct entry *e = xcalloc(1, sizeof(*e) + key->len);
  e->answer = answer_ref(answer);
  e->expires_ms = now_ms + (keep_ms > 0 ? keep_ms : c->ttl_ms);
  memcpy(e->key, buf_str(key), key->len);
  pthread_mutex_lock(&c->lock);
  struct entry *old = find(c, key);
  struct lru_node *oldest;
  if (old != NULL)
    drop(c, old);
  while ((oldest = lru_excess(&c->use, size)) != NULL)
    drop_oldest(c, oldest);
  map_add(&c->map, &e->in_map, e->key, key->len);
  lru_add(&c->use, &e->in_use, size);
  metric_set(c->bytes, (double)c->use.size, NULL);
  pthread_mutex_unlock(&c->lock);
}

size_t cache_size(struct cache *c)
{
  pthread_mutex_lock(&c->lock);
  size_t size = c->use.size;
  pthread_mutex_unlock(&c->lock);
  return size;
}
