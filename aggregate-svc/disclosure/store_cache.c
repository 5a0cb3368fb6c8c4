/* Releases by their keys. */
#include "aggregate-svc/disclosure/store_cache.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/mem.h"

static void drop(void *user, void *value)
{
  (void)user;
  release_record_free(value);
}

void store_cache_init(struct store_cache *s, size_t max_bytes)
{
  table_init(&s->entries, sizeof(struct release_record), max_bytes, drop, NULL);
}

void store_cache_free(struct store_cache *s)
{
  table_free(&s->entries);
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
  const struct release_record *kept = table_find(&s->entries, TABLE_TEXT(key), 0);
  if (kept != NULL)
    release_record_copy(out, kept);
  return kept != NULL;
}

void store_cache_keep(struct store_cache *s, const char *key, const struct release_record *r)
{
  size_t size = TABLE_ENTRY_BYTES + sizeof(*r) + strlen(key) + r->n_values * sizeof(*r->values);
  struct release_record *kept = table_put(&s->entries, TABLE_TEXT(key), size, INT64_MAX);
  if (kept != NULL)
    release_record_copy(kept, r);
}
