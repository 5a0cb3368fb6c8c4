/* Grants by the SHA-256 of the bearer token, for a short time, least recently used out
 * first. Tokens themselves are never kept. Thread-safe. */
#ifndef AMCP_GATEWAY_ACCESS_CACHE_H
#define AMCP_GATEWAY_ACCESS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/access/grant.h"

enum { CACHE_KEY_LEN = 32 };

struct grant_cache;

struct grant_cache *grant_cache_new(size_t max);
void grant_cache_free(struct grant_cache *c);
/* A reference, or NULL when there is none that lives at now_ms and was not refused; then *ended
 * says whether there was one, which is forgotten now. ended may be NULL. */
struct grant *grant_cache_get(struct grant_cache *c, const uint8_t key[CACHE_KEY_LEN],
                              int64_t now_ms, bool *ended);
/* Keeps a reference until expires_ms (the scale of now_ms). Replaces an older one. */
void grant_cache_put(struct grant_cache *c, const uint8_t key[CACHE_KEY_LEN], struct grant *g,
                     int64_t expires_ms);
size_t grant_cache_count(struct grant_cache *c);

#endif
