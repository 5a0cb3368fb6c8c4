/* The cache of answers: TTL, bytes, order of use. */
#include <stdio.h>

#include "common/base/mem.h"
#include "report-svc/ask/cache.h"
#include "tests/unit/harness.h"

static void put(struct cache *c, const char *key, size_t bytes, int64_t now)
{
  AUTO_BUF struct buf k = BUF_INIT(100);
  struct answer *a = answer_new(1 << 20);
  arena_alloc(a->arena, bytes);
  buf_puts(&k, key);
  cache_put(c, &k, a, 0, now);
  answer_unref(a);
}

static bool has(struct cache *c, const char *key, int64_t now)
{
  AUTO_BUF struct buf k = BUF_INIT(100);
  buf_puts(&k, key);
  struct answer *a = cache_get(c, &k, now);
  answer_unref(a);
  return a != NULL;
}

static void an_answer_is_found_until_its_ttl(void)
{
  struct cache *c = cache_new(1 << 20, 1000);
  put(c, "a", 100, 5000);
  CU_ASSERT(has(c, "a", 5000));
  CU_ASSERT(has(c, "a", 5999));
  CU_ASSERT_FALSE(has(c, "a", 6000));
  CU_ASSERT_FALSE(has(c, "b", 5000));
  CU_ASSERT_EQUAL(cache_size(c), 0);
  cache_free(c);
}

static void the_least_recently_used_goes_first(void)
{
  struct cache *c = cache_new(10000, 1000);
  put(c, "a", 1500, 0);
  put(c, "b", 1500, 0);
  put(c, "c", 1500, 0);
  CU_ASSERT(has(c, "a", 1));
  for (int i = 0; i < 3; i++) {
    char key[2] = {(char)('d' + i), '\0'};
    put(c, key, 1500, 2);
    CU_ASSERT(cache_size(c) <= 10000);
    CU_ASSERT(has(c, "a", 3));
  }
  CU_ASSERT_FALSE(has(c, "b", 3));
  CU_ASSERT(has(c, "f", 3));
  cache_free(c);
}

static void an_answer_too_large_is_not_kept(void)
{
  struct cache *c = cache_new(10000, 1000);
  put(c, "a", 5000, 0);
  CU_ASSERT_FALSE(has(c, "a", 0));
  cache_free(c);
}

static void a_newer_answer_replaces_the_older(void)
{
  struct cache *c = cache_new(1 << 20, 1000);
  put(c, "a", 100, 0);
  size_t size = cache_size(c);
  put(c, "a", 100, 500);
  CU_ASSERT_EQUAL(cache_size(c), size);
  CU_ASSERT(has(c, "a", 1200));
  cache_free(c);
}

static void zero_switches_it_off(void)
{
  struct cache *by_ttl = cache_new(1 << 20, 0), *by_size = cache_new(0, 1000);
  put(by_ttl, "a", 10, 0);
  put(by_size, "a", 10, 0);
  CU_ASSERT_FALSE(has(by_ttl, "a", 0));
  CU_ASSERT_FALSE(has(by_size, "a", 0));
  cache_free(by_ttl);
  cache_free(by_size);
}

TEST_MAIN("report cache", TEST(an_answer_is_found_until_its_ttl),
          TEST(the_least_recently_used_goes_first), TEST(an_answer_too_large_is_not_kept),
          TEST(a_newer_answer_replaces_the_older), TEST(zero_switches_it_off))
