/* Properties that were found, and the cache of them. */
#include "report-svc/google/found.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/lru.h"
#include "common/base/map.h"
#include "common/base/mem.h"

enum { CHOICE_BYTES = 2048, CHOICE_SHOWN = 5 };

/* ------------------------------------------------------------------ what was found */

static struct found *new_found(size_t n)
{
  struct found *f = xcalloc(1, sizeof(*f));
  atomic_init(&f->refs, 1);
  f->ids = xcalloc(n + 1, sizeof(*f->ids));
  f->names = xcalloc(n + 1, sizeof(*f->names));
  f->n = n;
  return f;
}

struct found *found_new(char *const *ids, char *const *names, size_t n)
{
  struct found *f = new_found(n);
  for (size_t i = 0; i < n; i++) {
    f->ids[i] = xstrdup(ids[i]);
    f->names[i] = xstrdup(names[i]);
  }
  return f;
}

struct found *found_new_error(const struct err *e)
{
  struct found *f = new_found(0);
  f->error = *e;
  return f;
}

struct found *found_ref(struct found *f)
{
  atomic_fetch_add(&f->refs, 1);
  return f;
}

void found_unref(struct found *f)
{
  if (f == NULL || atomic_fetch_sub(&f->refs, 1) != 1)
    return;
  for (size_t i = 0; i < f->n; i++) {
    free(f->ids[i]);
    free(f->names[i]);
  }
  free(f->ids);
  free(f->names);
  free(f);
}

char *found_choice(const struct found *f)
{
  if (f->n < 2)
    return NULL;
  AUTO_BUF struct buf text = BUF_INIT(CHOICE_BYTES);
  buf_printf(&text,
             "No property is configured for this dealer; its Google login can read %zu:", f->n);
  for (size_t i = 0; i < f->n && i < CHOICE_SHOWN; i++)
    buf_printf(&text, "%s %s (%.128s)", i == 0 ? "" : ",", f->ids[i],
               f->names[i][0] != '\0' ? f->names[i] : "without a name");
  if (f->n > CHOICE_SHOWN)
    buf_printf(&text, " and %zu more", f->n - CHOICE_SHOWN);
  buf_printf(&text,
             ". This is %s, the default as the one with the lowest id; give property_id for "
             "another, or have the dealers file name the dealer's own.",
             f->ids[0]);
  return buf_take(&text, NULL);
}

/* ------------------------------------------------------------------ the cache */

struct entry {
  struct map_node in_map;
  struct lru_node in_use;
  struct found *found;
  int64_t until_ms;
  uint8_t key[FOUND_KEY_BYTES];
};

struct found_cache {
  pthread_mutex_t lock;
  struct map map; /* guarded by lock, like the list */
  struct lru used;
};

struct found_cache *found_cache_new(size_t max_bytes)
{
  struct found_cache *c = xcalloc(1, sizeof(*c));
  c->used = LRU_INIT(max_bytes);
  pthread_mutex_init(&c->lock, NULL);
  return c;
}

static void drop(struct found_cache *c, struct entry *e)
{
  map_remove(&c->map, &e->in_map);
  lru_remove(&c->used, &e->in_use);
  found_unref(e->found);
  free(e);
}

void found_cache_free(struct found_cache *c)
{
  if (c == NULL)
    return;
  while (c->used.oldest != NULL)
    drop(c, CONTAINER_OF(c->used.oldest, struct entry, in_use));
  map_free(&c->map);
  pthread_mutex_destroy(&c->lock);
  free(c);
}

static struct entry *find(const struct found_cache *c, const uint8_t key[FOUND_KEY_BYTES])
{
  return CONTAINER_OF(map_find(&c->map, key, FOUND_KEY_BYTES), struct entry, in_map);
}

struct found *found_cache_get(struct found_cache *c, const uint8_t key[FOUND_KEY_BYTES],
                              int64_t now_ms)
{
  struct found *found = NULL;
  pthread_mutex_lock(&c->lock);
  struct entry *e = find(c, key);
  if (e != NULL && e->until_ms <= now_ms) {
    drop(c, e);
  } else if (e != NULL) {
    lru_touch(&c->used, &e->in_use);
    found = found_ref(e->found);
  }
  pthread_mutex_unlock(&c->lock);
  return found;
}

static size_t size_of(const struct found *f)
{
  size_t n = sizeof(struct entry) + sizeof(*f);
  for (size_t i = 0; i < f->n; i++)
    n += 2 * sizeof(char *) + strlen(f->ids[i]) + strlen(f->names[i]) + 2;
  return n;
}

void found_cache_put(struct found_cache *c, const uint8_t key[FOUND_KEY_BYTES], struct found *f,
                     int64_t until_ms)
{
  size_t size = size_of(f);
  struct lru_node *oldest;
  if (size > c->used.max / 4)
    return;
  pthread_mutex_lock(&c->lock);
  struct entry *e = find(c, key);
  if (e != NULL)
    drop(c, e);
  while ((oldest = lru_excess(&c->used, size)) != NULL)
    drop(c, CONTAINER_OF(oldest, struct entry, in_use));
  e = xcalloc(1, sizeof(*e));
  memcpy(e->key, key, FOUND_KEY_BYTES);
  e->found = found_ref(f);
  e->until_ms = until_ms;
  map_add(&c->map, &e->in_map, e->key, FOUND_KEY_BYTES);
  lru_add(&c->used, &e->in_use, size);
  pthread_mutex_unlock(&c->lock);
}
