/* Accept, Content-Type, bearer, Origin and Host. */
#include "gateway/http/policy.h"

#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"

static void accept_is(const char *value, bool json, bool sse)
{
  struct accept a = accept_read(value);
  CU_ASSERT_EQUAL(a.json, json);
  CU_ASSERT_EQUAL(a.sse, sse);
}

static void accept_follows_the_table(void)
{
  accept_is(NULL, true, false);
  accept_is("", true, false);
  accept_is("*/*", true, true);
  accept_is("application/json", true, false);
  accept_is("text/event-stream", false, true);
  accept_is("application/json, text/event-stream", true, true);
  accept_is("text/event-stream,application/json", true, true);
  accept_is("Application/JSON;q=0.5 , Text/Event-Stream ; q=0.1", true, true);
  accept_is("application/*, text/*", true, true);
  accept_is("text/html, image/png", false, false);
  accept_is("text/html, */*;q=0.8", true, true);
}

static void accept_quality_zero_refuses(void)
{
  accept_is("application/json;q=0, text/event-stream", false, true);
  accept_is("*/*, text/event-stream; q=0.000", true, false);
  accept_is("*/*;q=0", false, false);
  accept_is("application/json;q=0.01", true, false);
}

static void content_type_ignores_case_and_parameters(void)
{
  CU_ASSERT_TRUE(content_type_is_json("application/json"));
  CU_ASSERT_TRUE(content_type_is_json("Application/JSON; charset=utf-8"));
  CU_ASSERT_TRUE(content_type_is_json(" application/json ;x=y"));
  CU_ASSERT_FALSE(content_type_is_json(NULL));
  CU_ASSERT_FALSE(content_type_is_json(""));
  CU_ASSERT_FALSE(content_type_is_json("text/plain"));
  CU_ASSERT_FALSE(content_type_is_json("application/jsonx"));
  CU_ASSERT_FALSE(content_type_is_json("application/json-rpc"));
}

static void bearer_needs_the_scheme_and_a_token(void)
{
  CU_ASSERT_STRING_EQUAL(bearer_token("Bearer abc"), "abc");
  CU_ASSERT_STRING_EQUAL(bearer_token("bearer  abc"), "abc");
  CU_ASSERT_PTR_NULL(bearer_token(NULL));
  CU_ASSERT_PTR_NULL(bearer_token("Bearer"));
  CU_ASSERT_PTR_NULL(bearer_token("Bearer "));
  CU_ASSERT_PTR_NULL(bearer_token("Basic abc"));
  CU_ASSERT_PTR_NULL(bearer_token("Bearerabc"));
}

static void bearer_is_a_b64token_or_none(void)
{
  static const char *const good[] = {"a", "eyJ.e-_.x~+/", "YQ==", "a="};
  static const char *const bad[] = {"",    "=",     "a=b",  "a, b",    "a b",
                                    "a\t", "\"a\"", "a%20", "\xc3\xa4"};
  for (size_t i = 0; i < ARRAY_LEN(good); i++)
    CU_ASSERT_TRUE(bearer_well_formed(good[i]));
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    CU_ASSERT_FALSE(bearer_well_formed(bad[i]));
}

static struct origins *make(const char *origins, const char *hosts, const char *bound)
{
  struct origins *o = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(origins_new(&o, origins, hosts, bound, 3334, &e), ERR_OK);
  return o;
}

static void default_origins_are_the_own_loopback_ones(void)
{
  struct origins *o = make(NULL, NULL, "0.0.0.0");
  CU_ASSERT_TRUE(origin_allowed(o, NULL));
  CU_ASSERT_TRUE(origin_allowed(o, "http://localhost:3334"));
  CU_ASSERT_TRUE(origin_allowed(o, "http://127.0.0.1:3334"));
  CU_ASSERT_TRUE(origin_allowed(o, "http://[::1]:3334"));
  CU_ASSERT_FALSE(origin_allowed(o, "http://localhost:3335"));
  CU_ASSERT_FALSE(origin_allowed(o, "https://localhost:3334"));
  CU_ASSERT_FALSE(origin_allowed(o, "null"));
  CU_ASSERT_FALSE(origin_allowed(o, ""));
  CU_ASSERT_FALSE(origin_allowed(o, "http://evil.example"));
  CU_ASSERT_FALSE(origin_allowed(o, "http://localhost:3334.evil.example"));
  CU_ASSERT_FALSE(origin_allowed(o, "http://localhost:3334/x"));
  origins_free(o);
}

static void listed_origins_replace_the_defaults(void)
{
  struct origins *o = make("https://chat.example.com, http://App.Example.com:8080", NULL, "");
  CU_ASSERT_TRUE(origin_allowed(o, "https://chat.example.com"));
  CU_ASSERT_TRUE(origin_allowed(o, "https://chat.example.com:443"));
  CU_ASSERT_TRUE(origin_allowed(o, "http://app.example.com:8080"));
  CU_ASSERT_FALSE(origin_allowed(o, "http://chat.example.com"));
  CU_ASSERT_FALSE(origin_allowed(o, "http://localhost:3334"));
  CU_ASSERT_FALSE(origin_allowed(o, "https://sub.chat.example.com"));
  origins_free(o);
}

static void host_is_checked_when_bound_to_loopback(void)
{
  struct origins *o = make(NULL, NULL, "127.0.0.1");
  CU_ASSERT_TRUE(host_allowed(o, "localhost:3334"));
  CU_ASSERT_TRUE(host_allowed(o, "LOCALHOST"));
  CU_ASSERT_TRUE(host_allowed(o, "[::1]:3334"));
  CU_ASSERT_FALSE(host_allowed(o, "evil.example.com"));
  CU_ASSERT_FALSE(host_allowed(o, "localhost.evil.example"));
  CU_ASSERT_FALSE(host_allowed(o, NULL));
  CU_ASSERT_FALSE(host_allowed(o, ""));
  origins_free(o);
  o = make(NULL, NULL, "0.0.0.0");
  CU_ASSERT_TRUE(host_allowed(o, "anything.example"));
  origins_free(o);
  o = make(NULL, "mcp.example.com, gw:8080", "0.0.0.0");
  CU_ASSERT_TRUE(host_allowed(o, "mcp.example.com"));
  CU_ASSERT_TRUE(host_allowed(o, "mcp.example.com:443"));
  CU_ASSERT_TRUE(host_allowed(o, "gw:8080"));
  CU_ASSERT_FALSE(host_allowed(o, "gw:8081"));
  CU_ASSERT_FALSE(host_allowed(o, "localhost"));
  origins_free(o);
}

static void malformed_lists_are_refused_with_the_entry(void)
{
  static const char *const bad[] = {
      "*",        "chat.example.com", "ftp://x",        "https://x/path",
      "https://", "https://x:0",      "https://x:70000"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct origins *o = NULL;
    struct err e = {0};
    CU_ASSERT_EQUAL(origins_new(&o, bad[i], NULL, "", 1, &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, bad[i]));
  }
}

TEST_MAIN("gateway_policy", TEST(accept_follows_the_table), TEST(accept_quality_zero_refuses),
          TEST(content_type_ignores_case_and_parameters), TEST(bearer_needs_the_scheme_and_a_token),
          TEST(bearer_is_a_b64token_or_none), TEST(default_origins_are_the_own_loopback_ones),
          TEST(listed_origins_replace_the_defaults), TEST(host_is_checked_when_bound_to_loopback),
          TEST(malformed_lists_are_refused_with_the_entry))
