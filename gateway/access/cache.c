/* Grants by the SHA-256 of the bearer token. */
#include "gateway/access/cache.h"

#include <pthread.h>
#include <string.h>

#include "common/base/mem.h"

enum { BUCKETS = 1024 };

struct entry {
  uint8_t key[CACHE_KEY_LEN];
  struct grant *grant;
  int64_t expires_ms;
  struct entry *next_in_bucket;
  struct entry *older, *newer;
};

struct grant_cache {
  pthread_mutex_t lock;
  size_t max, count;
  struct entry *oldest, *newest;
  struct entry *buckets[BUCKETS];
};

struct grant_cache *grant_cache_new(size_t max)
{
  struct grant_cache *c = xcalloc(1, sizeof(*c));
  pthread_mutex_init(&c->lock, NULL);
  c->max = max;
  return c;
}

/* The key is a hash already. */
static struct entry **bucket_of(struct grant_cache *c, const uint8_t key[CACHE_KEY_LEN])
{
  return &c->buckets[((size_t)key[0] << 8 | key[1]) % BUCKETS];
}

static void list_remove(struct grant_cache *c, struct entry *e)
{
  *(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
  *(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
}

static void list_append(struct grant_cache *c, struct entry *e)
{
  e->older = c->newest;
  e->newer = NULL;
  *(c->newest != NULL ? &c->newest->newer : &c->oldest) = e;
  c->newest = e;
}

static void drop_locked(struct grant_cache *c, struct entry *e)
{
  struct entry **p = bucket_of(c, e->key);
  while (*p != e)
    p = &(*p)->next_in_bucket;
  *p = e->next_in_bucket;
  list_remove(c, e);
  c->count--;
  grant_unref(e->grant);
  free(e);
}

static struct entry *find_locked(struct grant_cache *c, const uint8_t key[CACHE_KEY_LEN])
{
  struct entry *e = *bucket_of(c, key);
  while (e != NULL && memcmp(e->key, key, CACHE_KEY_LEN) != 0)
    e = e->next_in_bucket;
  return e;
}

void grant_cache_free(struct grant_cache *c)
{
  if (c == NULL)
    return;
  while (c->oldest != NULL)
    drop_locked(c, c->oldest);
  pthread_mutex_destroy(&c->lock);
  free(c);
}

struct grant *grant_cache_get(struct grant_cache *c, const uint8_t key[CACHE_KEY_LEN],
                              int64_t now_ms)
{
  struct grant *g = NULL;
  pthread_mutex_lock(&c->lock);
  struct entry *e = find_locked(c, key);
  if (e != NULL && (e->expires_ms <= now_ms || grant_is_refused(e->grant))) {
    drop_locked(c, e);
  } else if (e != NULL) {
    list_remove(c, e);
    list_append(c, e);
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
  while (c->count >= c->max && c->oldest != NULL)
    drop_locked(c, c->oldest);
  e = xcalloc(1, sizeof(*e));
  memcpy(e->key, key, CACHE_KEY_LEN);
  e->grant = g;
  e->expires_ms = expires_ms;
  struct entry **bucket = bucket_of(c, key);
  e->next_in_bucket = *bucket;
  *bucket = e;
  list_append(c, e);
  c->count++;
  pthread_mutex_unlock(&c->lock);
}

size_t grant_cache_count(struct grant_cache *c)
{
  pthread_mutex_lock(&c->lock);
  size_t n = c->count;
  pthread_mutex_unlock(&c->lock);
  return n;
}
