/* A small cache of RunReport answers: same dealer, property and request body within the TTL.
 *
 * Not a way round the grant: a lookup happens only after auth-svc gave a token for it. At
 * most max_bytes of answers and keys, least recently used out first. Thread-safe. */
#ifndef AMCP_REPORT_CACHE_H
#define AMCP_REPORT_CACHE_H

#include <stdint.h>

#include "common/base/buf.h"
#include "report-svc/ask/answer.h"

/* How long figures of days that are final are kept. */
enum { CACHE_FINAL_MS = 4 * 3600 * 1000 };

struct cache;

/* max_bytes or ttl_ms 0: a cache that never holds anything. */
struct cache *cache_new(size_t max_bytes, int64_t ttl_ms);
void cache_free(struct cache *c);
/* The answer, to be released; NULL when there is none that is fresh. Counts hits and misses. */
struct answer *cache_get(struct cache *c, const struct buf *key, int64_t now_ms);
/* Takes a reference of its own, for keep_ms; 0 means the cache's own time. An answer larger than a
 * quarter of the cache is not kept. */
void cache_put(struct cache *c, const struct buf *key, struct answer *answer, int64_t keep_ms,
               int64_t now_ms);
/* A lookup that missed here found the answer with another replica. */
void cache_count_shared(struct cache *c);
/* How long an answer is kept that nothing else is known of; 0: nothing is kept. */
int64_t cache_ttl_ms(const struct cache *c);
/* Bytes held. */
size_t cache_size(struct cache *c);

#endif
