/* Releases as they were read, which never change: the one longest unused makes room. Inside the
 * room; not thread-safe: the store's lock covers it. */
#ifndef AMCP_AGGREGATE_STORE_CACHE_H
#define AMCP_AGGREGATE_STORE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/disclosure/store.h"
#include "common/base/table.h"

struct store_cache {
  struct table entries; /* of struct release_record */
};

void store_cache_init(struct store_cache *c, size_t max_bytes);
void store_cache_free(struct store_cache *c);
/* The text that stands for a key; the caller's to free. */
char *store_cache_key(const struct release_key *k);
/* A copy of what is kept. */
bool store_cache_find(struct store_cache *c, const char *key, struct release_record *out);
void store_cache_keep(struct store_cache *c, const char *key, const struct release_record *r);
/* *out, the caller's to free, becomes what r is. */
void release_record_copy(struct release_record *out, const struct release_record *r);

#endif
