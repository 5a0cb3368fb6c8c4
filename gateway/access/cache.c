/* Grants by the SHA-256 of the bearer token. */
#include "gateway/access/cache.h"

#include "common/base/mem.h"
#include "common/base/table.h"

struct grant_cache {
  struct table grants; /* of struct grant * */
};

static void drop(void *user, void *value)
{
  (void)user;
  grant_unref(*(struct grant **)value);
}

struct grant_cache *grant_cache_new(size_t max)
{
  struct grant_cache *c = xcalloc(1, sizeof(*c));
  table_init(&c->grants, sizeof(struct grant *), max, drop, NULL);
  return c;
}

void grant_cache_free(struct grant_cache *c)
{
  if (c == NULL)
    return;
  table_free(&c->grants);
  free(c);
}

struct grant *grant_cache_get(struct grant_cache *c, const uint8_t key[CACHE_KEY_LEN],
                              int64_t now_ms, bool *ended)
{
  struct grant *g = NULL;
  pthread_mutex_lock(&c->grants.lock);
  bool was = table_peek(&c->grants, key, CACHE_KEY_LEN, INT64_MIN) != NULL;
  struct grant **kept = table_find(&c->grants, key, CACHE_KEY_LEN, now_ms);
  if (kept != NULL && grant_is_refused(*kept)) {
    table_remove(&c->grants, kept);
  } else if (kept != NULL) {
    g = *kept;
    grant_ref(g);
  }
  pthread_mutex_unlock(&c->grants.lock);
  if (ended != NULL)
    *ended = was && g == NULL;
  return g;
}

void grant_cache_put(struct grant_cache *c, const uint8_t key[CACHE_KEY_LEN], struct grant *g,
                     int64_t expires_ms)
{
  grant_ref(g);
  pthread_mutex_lock(&c->grants.lock);
  struct grant **kept = table_put(&c->grants, key, CACHE_KEY_LEN, 1, expires_ms);
  *kept = g;
  pthread_mutex_unlock(&c->grants.lock);
}

size_t grant_cache_count(struct grant_cache *c)
{
  pthread_mutex_lock(&c->grants.lock);
  size_t n = c->grants.order.n;
  pthread_mutex_unlock(&c->grants.lock);
  return n;
}
