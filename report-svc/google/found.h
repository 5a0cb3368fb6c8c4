/* The properties of dealers for whom the configuration names none, as they were found in Google
 * (find.h), and a cache of them. */
#ifndef AMCP_REPORT_FOUND_H
#define AMCP_REPORT_FOUND_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* What a search ended with. Immutable, reference-counted. */
struct found {
  _Atomic int refs;
  struct err error; /* code ERR_OK: there are properties */
  char **ids;       /* digits, the default one first */
  char **names;     /* in the same order; "" where there is none */
  size_t n;
};

/* Copies n ids and names. */
struct found *found_new(char *const *ids, char *const *names, size_t n);
struct found *found_new_error(const struct err *e);
struct found *found_ref(struct found *f);
/* NULL is fine. */
void found_unref(struct found *f);
/* Which property is read when there are several, and which others there are: a sentence, for the
 * heap. NULL when there is only one. */
char *found_choice(const struct found *f);

enum { FOUND_KEY_BYTES = 32 };

/* By a digest of the access token that opens the properties and of the configuration that says
 * whose they are: a token is of one dealer, and with a new one, or another configuration, the list
 * is read again. Least recently used out first. Thread-safe. */
struct found_cache;

struct found_cache *found_cache_new(size_t max_bytes);
/* NULL is fine. */
void found_cache_free(struct found_cache *c);
/* A reference; NULL when there is none, or its time is over (clock_mono_ms()). */
struct found *found_cache_get(struct found_cache *c, const uint8_t key[FOUND_KEY_BYTES],
                              int64_t now_ms);
/* With a reference of its own; replaces an earlier one. One that takes more than a quarter of the
 * cache is not kept. */
void found_cache_put(struct found_cache *c, const uint8_t key[FOUND_KEY_BYTES], struct found *f,
                     int64_t until_ms);

#endif
