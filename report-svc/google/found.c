/* Properties that were found, and the cache of them. */
#include "report-svc/google/found.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/table.h"

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

struct found_cache {
  struct table entries; /* of struct found * */
};

static void drop(void *user, void *value)
{
  (void)user;
  found_unref(*(struct found **)value);
}

struct found_cache *found_cache_new(size_t max_bytes)
{
  struct found_cache *c = xcalloc(1, sizeof(*c));
  table_init(&c->entries, sizeof(struct found *), max_bytes, drop, NULL);
  return c;
}

void found_cache_free(struct found_cache *c)
{
  if (c == NULL)
    return;
  table_free(&c->entries);
  free(c);
}

struct found *found_cache_get(struct found_cache *c, const uint8_t key[FOUND_KEY_BYTES],
                              int64_t now_ms)
{
  pthread_mutex_lock(&c->entries.lock);
  struct found **kept = table_find(&c->entries, key, FOUND_KEY_BYTES, now_ms);
  struct found *found = kept != NULL ? found_ref(*kept) : NULL;
  pthread_mutex_unlock(&c->entries.lock);
  return found;
}

static size_t size_of(const struct found *f)
{
  size_t n = TABLE_ENTRY_BYTES + FOUND_KEY_BYTES + sizeof(*f);
  for (size_t i = 0; i < f->n; i++)
    n += 2 * sizeof(char *) + strlen(f->ids[i]) + strlen(f->names[i]) + 2;
  return n;
}

void found_cache_put(struct found_cache *c, const uint8_t key[FOUND_KEY_BYTES], struct found *f,
                     int64_t until_ms)
{
  size_t size = size_of(f);
  if (size > c->entries.order.max / 4)
    return;
  pthread_mutex_lock(&c->entries.lock);
  struct found **kept = table_put(&c->entries, key, FOUND_KEY_BYTES, size, until_ms);
  *kept = found_ref(f);
  pthread_mutex_unlock(&c->entries.lock);
}
