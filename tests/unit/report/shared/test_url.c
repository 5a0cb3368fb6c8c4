/* redis:// addresses. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/shared/url.h"
#include "tests/unit/harness.h"

static const struct {
  const char *text;
  bool tls;
  const char *host, *port, *user, *password;
  uint32_t database;
} good[] = {
    {"redis://redis", false, "redis", "6379", NULL, NULL, 0},
    {"redis://redis/", false, "redis", "6379", NULL, NULL, 0},
    {"redis://10.0.0.7:7000/3", false, "10.0.0.7", "7000", NULL, NULL, 3},
    {"rediss://:s3cret@cache.example:6380", true, "cache.example", "6380", NULL, "s3cret", 0},
    {"redis://app:s3cret@cache/15", false, "cache", "6379", "app", "s3cret", 15},
    {"redis://a%40b:p%2Fw%3a%40%25@h", false, "h", "6379", "a@b", "p/w:@%", 0},
    {"redis://app:with:colon@h", false, "h", "6379", "app", "with:colon", 0},
    {"redis://app:at@at@h:1", false, "h", "1", "app", "at@at", 0},
    {"redis://[::1]", false, "::1", "6379", NULL, NULL, 0},
    {"redis://u:p@[fe80::2]:65535/0", false, "fe80::2", "65535", "u", "p", 0},
    {"redis://:@h", false, "h", "6379", NULL, "", 0},
};

static bool same(const char *a, const char *b)
{
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void an_address_is_read_into_its_parts(void)
{
  for (size_t i = 0; i < ARRAY_LEN(good); i++) {
    struct redis_url u;
    struct err e = {0};
    CU_ASSERT_EQUAL_FATAL(redis_url_parse(&u, "REDIS_URL", good[i].text, &e), ERR_OK);
    bool ok = u.tls == good[i].tls && u.database == good[i].database &&
              same(u.host, good[i].host) && same(u.port, good[i].port) &&
              same(u.user, good[i].user) && same(u.password, good[i].password);
    if (!ok)
      printf("\n    %s: %s %s %s %s\n", good[i].text, u.host, u.port, u.user, u.password);
    CU_ASSERT_TRUE(ok);
    redis_url_free(&u);
    CU_ASSERT_PTR_NULL(u.password);
  }
}

static void a_malformed_address_is_refused_without_a_word_of_it(void)
{
  static const char *const bad[] = {
      "",
      "s3cret",
      "http://u:s3cret@h",
      "redis:/u:s3cret@h",
      "redis://u:s3cret@",
      "redis://u:s3cret@:6379",
      "redis://s3cret@h", /* a user without a password */
      "redis://u:s3cret@h:",
      "redis://u:s3cret@h:0",
      "redis://u:s3cret@h:65536",
      "redis://u:s3cret@h:99999999999999999999",
      "redis://u:s3cret@h:6379x",
      "redis://u:s3cret@h/x",
      "redis://u:s3cret@h/10000",
      "redis://u:s3cret@h/1/2",
      "redis://u:s3cret%@h",
      "redis://u:s3cret%4@h",
      "redis://u:s3cret%00@h",
      "redis://u%zz:s3cret@h",
      "redis://u:s3cret@[::1",
      "redis://u:s3cret@[::1]6379",
      "redis://u:s3cret@h?x=1",
      "redis://u:s3cret@h 1",
  };
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    struct redis_url u;
    struct err e = {0};
    enum err_code code = redis_url_parse(&u, "REDIS_URL", bad[i], &e);
    if (code != ERR_INVALID_ARGUMENT)
      printf("\n    taken: %s\n", bad[i]);
    CU_ASSERT_EQUAL(code, ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(strstr(e.message, "s3cret"));
    CU_ASSERT_PTR_EQUAL(strstr(e.message, "REDIS_URL: "), e.message);
    CU_ASSERT_PTR_NULL(u.host);
    redis_url_free(&u);
  }
}

TEST_MAIN("shared/url", TEST(an_address_is_read_into_its_parts),
          TEST(a_malformed_address_is_refused_without_a_word_of_it))
