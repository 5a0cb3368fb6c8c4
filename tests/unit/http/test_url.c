/* Endpoints and URLs. */
#include "common/http/url.h"

#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"

static void good_endpoints_are_accepted(void)
{
  const char *good[] = {"https://analyticsdata.googleapis.com", "http://127.0.0.1:8080",
                        "http://[::1]:8080/", "https://proxy.example/google/data", "HTTP://a"};
  struct err e = {0};
  for (size_t i = 0; i < ARRAY_LEN(good); i++)
    CU_ASSERT_EQUAL(url_valid_endpoint("GA4_DATA_ENDPOINT", good[i], &e), ERR_OK);
}

static void bad_endpoints_are_refused_with_the_name_of_their_variable(void)
{
  const char *bad[] = {"",
                       "example.com",
                       "ftp://example.com",
                       "https://",
                       "https://user:hunter2@example.com",
                       "https://example.com?key=hunter2",
                       "https://example.com/#part",
                       "https://example.com:port",
                       "https://exa mple.com"};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    struct err e = {0};
    CU_ASSERT_EQUAL(url_valid_endpoint("GA4_DATA_ENDPOINT", bad[i], &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(strncmp(e.message, "GA4_DATA_ENDPOINT: ", 19), 0);
    CU_ASSERT_PTR_NULL(strstr(e.message, "hunter2"));
  }
  CU_ASSERT_EQUAL(url_valid_endpoint("A", NULL, NULL), ERR_INVALID_ARGUMENT);
}

static void join_puts_exactly_one_slash_between(void)
{
  const char *endpoints[] = {"http://a/b", "http://a/b/", "http://a/b//"};
  const char *paths[] = {"v1beta/x", "/v1beta/x", "//v1beta/x"};
  for (size_t i = 0; i < 3; i++) {
    for (size_t j = 0; j < 3; j++) {
      AUTO_BUF struct buf b = BUF_INIT(256);
      CU_ASSERT_TRUE(url_join(&b, endpoints[i], paths[j]));
      CU_ASSERT_STRING_EQUAL(buf_str(&b), "http://a/b/v1beta/x");
    }
  }
}

static void join_fails_when_the_buffer_is_full(void)
{
  AUTO_BUF struct buf b = BUF_INIT(12);
  CU_ASSERT_FALSE(url_join(&b, "http://a", "long/path"));
}

static void segments_and_queries_are_percent_encoded(void)
{
  AUTO_BUF struct buf b = BUF_INIT(256);
  url_join(&b, "http://a", "v1/properties/");
  CU_ASSERT_TRUE(url_put_segment(&b, "12/../34 ?#%"));
  CU_ASSERT_TRUE(url_put_query(&b, "page token", "a&b=c"));
  CU_ASSERT_TRUE(url_put_query(&b, "pageSize", "200"));
  CU_ASSERT_STRING_EQUAL(
      buf_str(&b),
      "http://a/v1/properties/12%2F..%2F34%20%3F%23%25?page%20token=a%26b%3Dc&pageSize=200");
}

static void plain_http_beyond_loopback_is_exposed(void)
{
  CU_ASSERT_TRUE(url_is_exposed("http://example.com"));
  CU_ASSERT_TRUE(url_is_exposed("http://10.0.0.1:80/x"));
  CU_ASSERT_FALSE(url_is_exposed("https://example.com"));
  CU_ASSERT_FALSE(url_is_exposed("http://127.0.0.1:8080"));
  CU_ASSERT_FALSE(url_is_exposed("http://localhost:8080"));
  CU_ASSERT_FALSE(url_is_exposed("http://[::1]:8080"));
}

TEST_MAIN("http.url", TEST(good_endpoints_are_accepted),
          TEST(bad_endpoints_are_refused_with_the_name_of_their_variable),
          TEST(join_puts_exactly_one_slash_between), TEST(join_fails_when_the_buffer_is_full),
          TEST(segments_and_queries_are_percent_encoded),
          TEST(plain_http_beyond_loopback_is_exposed))
