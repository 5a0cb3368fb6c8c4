/* Hash table with a list in order of use. */
#include "report-svc/ask/cache.h"

#include <pthread.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/metrics.h"

enum { BUCKETS = 1024 };

struct entry {
  struct entry *next_in_bucket;
  struct entry *newer, *older;
  struct answer *answer;
  int64_t expires_ms;
  size_t size;
  uint64_t hash;
  size_t key_len;
  char key[];
};

struct cache {
  pthread_mutex_t lock;
  size_t max_bytes;
  int64_t ttl_ms;
  size_t size;
  struct entry *buckets[BUCKETS];
  struct entry *newest, *oldest;
  struct metric *lookups;
  struct metric *bytes;
};

struct cache *cache_new(size_t max_bytes, int64_t ttl_ms)
{
  struct cache *c = xcalloc(1, sizeof(*c));
  pthread_mutex_init(&c->lock, NULL);
  c->max_bytes = ttl_ms > 0 ? max_bytes : 0;
  c->ttl_ms = ttl_ms;
  c->lookups = metrics_counter("report_cache_lookups_total", "Lookups of report answers by result.",
                               "result", NULL);
  c->bytes = metrics_gauge("report_cache_bytes", "Memory held by cached report answers.", NULL);
  return c;
}

static uint64_t hash_key(const struct buf *key)
{
  uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
  for (size_t i = 0; i < key->len; i++)
    h = (h ^ (unsigned char)key->data[i]) * UINT64_C(1099511628211);
  return h;
}

static struct entry **find(struct cache *c, const struct buf *key, uint64_t hash)
{
  struct entry **at = &c->buckets[hash % BUCKETS];
  while (*at != NULL && ((*at)->hash != hash || (*at)->key_len != key->len ||
                         memcmp((*at)->key, key->data, key->len) != 0))
    at = &(*at)->next_in_bucket;
  return at;
}

static void unlink_use(struct cache *c, struct entry *e)
{
  *(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
  *(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
}

static void link_newest(struct cache *c, struct entry *e)
{
  e->newer = NULL;
  e->older = c->newest;
  *(c->newest != NULL ? &c->newest->newer : &c->oldest) = e;
  c->newest = e;
}

static void drop(struct cache *c, struct entry *e)
{
  struct entry **at = &c->buckets[e->hash % BUCKETS];
  while (*at != e)
    at = &(*at)->next_in_bucket;
  *at = e->next_in_bucket;
  unlink_use(c, e);
  c->size -= e->size;
  answer_unref(e->answer);
  free(e);
}

void cache_free(struct cache *c)
{
  if (c == NULL)
    return;
  while (c->oldest != NULL)
    drop(c, c->oldest);
  pthread_mutex_destroy(&c->lock);
  free(c);
}

struct answer *cache_get(struct cache *c, const struct buf *key, int64_t now_ms)
{
  struct answer *answer = NULL;
  if (c->max_bytes == 0)
    return NULL;
  uint64_t hash = hash_key(key);
  pthread_mutex_lock(&c->lock);
  struct entry *e = *find(c, key, hash);
  if (e != NULL && e->expires_ms <= now_ms) {
    drop(c, e);
  } else if (e != NULL) {
    unlink_use(c, e);
    link_newest(c, e);
    answer = answer_ref(e->answer);
  }
  pthread_mutex_unlock(&c->lock);
  metric_add(c->lookups, 1, METRIC_LABELS(answer != NULL ? "hit" : "miss"));
  return answer;
}

static struct entry *make_entry(const struct cache *c, const struct buf *key, uint64_t hash,
                                struct answer *answer, int64_t now_ms)
{
  struct entry *e = xcalloc(1, sizeof(*e) + key->len);
  e->answer = answer_ref(answer);
  e->expires_ms = now_ms + c->ttl_ms;
  e->size = sizeof(*e) + key->len + answer_size(answer);
  e->hash = hash;
  e->key_len = key->len;
  memcpy(e->key, key->data, key->len);
  return e;
}

void cache_put(struct cache *c, const struct buf *key, struct answer *answer, int64_t now_ms)
{
  if (key->len + answer_size(answer) > c->max_bytes / 4)
    return;
  uint64_t hash = hash_key(key);
  struct entry *e = make_entry(c, key, hash, answer, now_ms);
  pthread_mutex_lock(&c->lock);
  struct entry *old = *find(c, key, hash);
  if (old != NULL)
    drop(c, old);
  while (c->oldest != NULL && c->size + e->size > c->max_bytes)
    drop(c, c->oldest);
  e->next_in_bucket = c->buckets[hash % BUCKETS];
  c->buckets[hash % BUCKETS] = e;
  link_newest(c, e);
  c->size += e->size;
  metric_set(c->bytes, (double)c->size, NULL);
  pthread_mutex_unlock(&c->lock);
}

size_t cache_size(struct cache *c)
{
  pthread_mutex_lock(&c->lock);
  size_t size = c->size;
  pthread_mutex_unlock(&c->lock);
  return size;
}
