/* Error texts, OAuth challenges and metadata, the grant cache. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "gateway/access/cache.h"
#include "gateway/access/resource.h"
#include "gateway/bridge/outcome.h"
#include "tests/unit/harness.h"

static void text_is(enum err_code code, const char *message, const char *want)
{
  const struct outcome_context c = {
      .tool = "run_report", .service = "report-svc", .trace = "abc", .timeout_ms = 60000};
  struct err e = {.code = code};
  snprintf(e.message, sizeof(e.message), "%s", message);
  struct buf out AUTO_BUF = BUF_INIT(4096);
  outcome_text(&out, &e, &c);
  CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
}

static void error_texts_say_what_happened_and_what_to_do(void)
{
  text_is(ERR_INVALID_ARGUMENT, "metrics: at most 10 items, got 11",
          "Invalid arguments for run_report: metrics: at most 10 items, got 11.");
  text_is(ERR_UNAVAILABLE, "report-svc is not reachable",
          "report-svc is not reachable. Try again in a minute.");
  text_is(ERR_UNAVAILABLE, "", "report-svc is not reachable. Try again in a minute.");
  text_is(ERR_UNAVAILABLE, "Google is down; try again later!", "Google is down; try again later!");
  text_is(ERR_DEADLINE_EXCEEDED, "",
          "report-svc did not answer within 60 s. Try again in a minute, or ask for a shorter "
          "period or fewer dealers.");
  text_is(ERR_NOT_FOUND, "no dealer \"x\"; did you mean \"d01\"?",
          "no dealer \"x\"; did you mean \"d01\"?");
  text_is(ERR_PERMISSION_DENIED, "d07 is not yours", "Access denied: d07 is not yours.");
  text_is(ERR_RESOURCE_EXHAUSTED, "quota exhausted until 08:00Z", "quota exhausted until 08:00Z.");
  text_is(ERR_RESOURCE_EXHAUSTED, "spent; ask again after 08:00Z",
          "spent; ask again after 08:00Z.");
  text_is(ERR_UNAVAILABLE, "token endpoint failed; next attempt in 1 s",
          "token endpoint failed; next attempt in 1 s.");
  text_is(ERR_RESOURCE_EXHAUSTED, "too many calls",
          "too many calls. Try again in a minute, or ask for less at once.");
  text_is(ERR_INTERNAL, "row 3 is odd",
          "Internal error in report-svc: row 3 is odd. Give the operator the trace id abc.");
  text_is(ERR_UNIMPLEMENTED, "x",
          "report-svc does not know run_report: gateway and services run different versions. Ask "
          "the operator to bring them to one version.");
  text_is(ERR_UNAUTHENTICATED, "",
          "Your credentials are no longer accepted: they have expired. Try again; if that does "
          "not help, connect again with a valid token.");
}

/* The service that reports a wrong answer of Google is not at fault. */
static void a_wrong_answer_from_behind_is_not_the_services_error(void)
{
  const struct outcome_context c = {.tool = "t", .service = "report-svc", .trace = "abc"};
  struct err e;
  struct buf out AUTO_BUF = BUF_INIT(4096);
  err_set(&e, ERR_INTERNAL, "malformed_response",
          "dealer \"d01\": Google's answer is not a report");
  outcome_text(&out, &e, &c);
  CU_ASSERT_STRING_EQUAL(buf_str(&out), "dealer \"d01\": Google's answer is not a report. Give the "
                                        "operator the trace id abc.");
}

static void every_code_has_a_text(void)
{
  const struct outcome_context c = {.tool = "t", .service = "s", .trace = "x", .timeout_ms = 1};
  for (int code = 1; code <= 20; code++) {
    struct err e = {.code = (enum err_code)code};
    struct buf out AUTO_BUF = BUF_INIT(4096);
    outcome_text(&out, &e, &c);
    CU_ASSERT_TRUE(out.len > 20);
  }
}

static void challenge_is(const struct resource *r, const char *error, const char *want)
{
  struct buf out AUTO_BUF = BUF_INIT(4096);
  resource_challenge(r, &out, error, error != NULL ? "why" : NULL);
  CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
}

static void metadata_exists_only_with_oauth(void)
{
  struct resource *r = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(resource_new(&r, &(struct resource_options){.auth_servers = ""}, &e),
                        ERR_OK);
  CU_ASSERT_PTR_NULL(resource_metadata(r));
  challenge_is(r, NULL, "Bearer realm=\"analytics-mcp\"");
  challenge_is(
      r, "invalid_token",
      "Bearer realm=\"analytics-mcp\", error=\"invalid_token\", error_description=\"why\"");
  resource_free(r);
  struct resource_options o = {.url = "https://mcp.example.com/mcp",
                               .auth_servers = "https://login.example.com/, https://b.example/x"};
  CU_ASSERT_EQUAL_FATAL(resource_new(&r, &o, &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(resource_metadata(r),
                         "{\"resource\":\"https://mcp.example.com/mcp\","
                         "\"authorization_servers\":[\"https://login.example.com/\","
                         "\"https://b.example/x\"],\"bearer_methods_supported\":[\"header\"],"
                         "\"resource_name\":\"Analytics MCP\"}");
  challenge_is(r, NULL,
               "Bearer realm=\"analytics-mcp\", resource_metadata=\"https://mcp.example.com/"
               ".well-known/oauth-protected-resource/mcp\"");
  resource_free(r);
}

static bool suffice(const char *has, const char *needed)
{
  char text[256], *scopes[8];
  size_t n = 0;
  snprintf(text, sizeof(text), "%s", has);
  for (char *rest = text, *one; (one = strsep(&rest, " ")) != NULL;)
    scopes[n++] = one;
  return resource_scopes_suffice(scopes, n, needed);
}

static void a_token_needs_the_scopes_of_its_tool_by_their_last_part(void)
{
  struct resource *r = NULL;
  struct err e = {0};
  struct resource_options o = {.url = "https://m.example/mcp",
                               .auth_servers = "https://l.example",
                               .scopes = "openid, api://m/analytics.read, m:benchmarks.read"};
  CU_ASSERT_EQUAL_FATAL(resource_new(&r, &o, &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(resource_needs(r, false), "api://m/analytics.read");
  CU_ASSERT_STRING_EQUAL(resource_needs(r, true), "api://m/analytics.read m:benchmarks.read");
  struct buf out AUTO_BUF = BUF_INIT(4096);
  resource_step_up(r, &out, resource_needs(r, false));
  CU_ASSERT_STRING_EQUAL(
      buf_str(&out),
      "Bearer realm=\"analytics-mcp\", resource_metadata=\"https://m.example/"
      ".well-known/oauth-protected-resource/mcp\", scope=\"api://m/analytics.read\", "
      "error=\"insufficient_scope\", "
      "error_description=\"The token lacks a scope that this needs\"");
  resource_free(r);
  o.scopes = "openid,xanalytics.read";
  CU_ASSERT_EQUAL_FATAL(resource_new(&r, &o, &e), ERR_OK);
  CU_ASSERT_PTR_NULL(resource_needs(r, false));
  CU_ASSERT_PTR_NULL(resource_needs(r, true));
  resource_free(r);
  CU_ASSERT_TRUE(suffice("openid analytics.read", "analytics.read"));
  CU_ASSERT_TRUE(suffice("analytics.read", "api://m/analytics.read"));
  CU_ASSERT_TRUE(suffice("api://m/analytics.read b", "api://m/analytics.read b"));
  CU_ASSERT_FALSE(suffice("api://m/analytics.read", "api://m/analytics.read b"));
  CU_ASSERT_FALSE(suffice("other/analytics.read", "analytics.read"));
  CU_ASSERT_FALSE(suffice("other/analytics.read", "api://m/analytics.read"));
  CU_ASSERT_FALSE(suffice("analytics", "analytics.read"));
  CU_ASSERT_FALSE(suffice("", "analytics.read"));
}

static void scopes_are_in_the_metadata_and_in_every_challenge(void)
{
  struct resource *r = NULL;
  struct err e = {0};
  struct resource_options o = {.url = "https://m.example/mcp",
                               .auth_servers = "https://l.example",
                               .scopes = "analytics.read, benchmarks.read"};
  CU_ASSERT_EQUAL_FATAL(resource_new(&r, &o, &e), ERR_OK);
  CU_ASSERT_PTR_NOT_NULL(strstr(resource_metadata(r),
                                "\"scopes_supported\":[\"analytics.read\",\"benchmarks.read\"],"));
  challenge_is(r, "insufficient_scope",
               "Bearer realm=\"analytics-mcp\", resource_metadata=\"https://m.example/"
               ".well-known/oauth-protected-resource/mcp\", scope=\"analytics.read "
               "benchmarks.read\", error=\"insufficient_scope\", error_description=\"why\"");
  resource_free(r);
  static const char *const bad[] = {"a\"b", "a\\b", "\x80", "analytics.read,offline_access"};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    o.scopes = bad[i];
    CU_ASSERT_EQUAL(resource_new(&r, &o, &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "ANALYTICS_MCP_SCOPES"));
  }
}

static void incomplete_or_malformed_oauth_settings_are_refused(void)
{
  static const char *const bad[][2] = {{"https://mcp.example.com/mcp", NULL},
                                       {NULL, "https://login.example.com"},
                                       {"mcp.example.com/mcp", "https://l.example"},
                                       {"https://m.example/mcp/", "https://l.example"},
                                       {"https://m.example/mcp?x", "https://l.example"},
                                       {"https://m.example/mcp", "login"},
                                       {"https://", "https://l.example"}};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    struct resource *r = NULL;
    struct err e = {0};
    const struct resource_options o = {.url = bad[i][0], .auth_servers = bad[i][1]};
    CU_ASSERT_EQUAL(resource_new(&r, &o, &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "ANALYTICS_MCP_"));
  }
}

static struct grant *make_grant(const char *subject)
{
  Analytics__Auth__V1__Grant g = ANALYTICS__AUTH__V1__GRANT__INIT;
  Analytics__Auth__V1__AuthenticateResponse r = ANALYTICS__AUTH__V1__AUTHENTICATE_RESPONSE__INIT;
  g.subject = (char *)(uintptr_t)subject;
  g.principal_id = (char *)"aa";
  r.grant = &g;
  r.sealed.data = (uint8_t *)"seal";
  r.sealed.len = 4;
  return grant_new(&r);
}

static void principal_is_the_subject_or_else_the_token(void)
{
  struct grant *a = make_grant("alice"), *b = make_grant("alice"), *c = make_grant("");
  CU_ASSERT_STRING_EQUAL(grant_principal_id(a), grant_principal_id(b));
  CU_ASSERT_STRING_EQUAL(grant_principal_id(c), "token:aa");
  size_t len;
  CU_ASSERT_EQUAL(memcmp(grant_sealed(a, &len), "seal", 4), 0);
  CU_ASSERT_EQUAL(len, 4);
  grant_unref(a);
  grant_unref(b);
  grant_unref(c);
}

static void put(struct grant_cache *c, uint8_t key, int64_t expires)
{
  uint8_t k[CACHE_KEY_LEN] = {key};
  struct grant *g = make_grant("x");
  grant_cache_put(c, k, g, expires);
  grant_unref(g);
}

static bool has(struct grant_cache *c, uint8_t key, int64_t now)
{
  uint8_t k[CACHE_KEY_LEN] = {key};
  struct grant *g = grant_cache_get(c, k, now, NULL);
  grant_unref(g);
  return g != NULL;
}

static void cache_forgets_at_the_expiry_and_the_least_recently_used(void)
{
  struct grant_cache *c = grant_cache_new(3);
  put(c, 1, 100);
  put(c, 2, 100);
  put(c, 3, 100);
  CU_ASSERT_TRUE(has(c, 1, 99));
  put(c, 4, 100);
  CU_ASSERT_FALSE(has(c, 2, 50));
  CU_ASSERT_TRUE(has(c, 1, 50) && has(c, 3, 50) && has(c, 4, 50));
  CU_ASSERT_FALSE(has(c, 1, 100));
  CU_ASSERT_EQUAL(grant_cache_count(c), 2);
  put(c, 3, 200);
  CU_ASSERT_TRUE(has(c, 3, 150));
  CU_ASSERT_EQUAL(grant_cache_count(c), 2);
  grant_cache_free(c);
}

static void a_refused_grant_is_forgotten(void)
{
  struct grant_cache *c = grant_cache_new(3);
  uint8_t k[CACHE_KEY_LEN] = {1};
  put(c, 1, 100);
  struct grant *g = grant_cache_get(c, k, 50, NULL);
  CU_ASSERT_FALSE(grant_is_refused(g));
  grant_mark_refused(g);
  CU_ASSERT_FALSE(has(c, 1, 50));
  CU_ASSERT_EQUAL(grant_cache_count(c), 0);
  put(c, 1, 100);
  CU_ASSERT_TRUE(has(c, 1, 50));
  grant_unref(g);
  grant_cache_free(c);
}

static void a_grant_from_before_a_restart_is_not_blamed_on_the_caller(void)
{
  const struct outcome_context c = {
      .tool = "run_report", .service = "report-svc", .trace = "abc", .timeout_ms = 60000};
  struct err e;
  struct buf out AUTO_BUF = BUF_INIT(4096);
  err_set(&e, ERR_UNAUTHENTICATED, "bad_grant", "the call's grant was not made by this auth-svc");
  outcome_text(&out, &e, &c);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "auth-svc"));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "Try again"));
  CU_ASSERT_PTR_NULL(strstr(buf_str(&out), "credentials"));
}

TEST_MAIN("gateway_parts", TEST(error_texts_say_what_happened_and_what_to_do),
          TEST(a_wrong_answer_from_behind_is_not_the_services_error), TEST(every_code_has_a_text),
          TEST(metadata_exists_only_with_oauth),
          TEST(a_token_needs_the_scopes_of_its_tool_by_their_last_part),
          TEST(scopes_are_in_the_metadata_and_in_every_challenge),
          TEST(incomplete_or_malformed_oauth_settings_are_refused),
          TEST(principal_is_the_subject_or_else_the_token),
          TEST(cache_forgets_at_the_expiry_and_the_least_recently_used),
          TEST(a_refused_grant_is_forgotten),
          TEST(a_grant_from_before_a_restart_is_not_blamed_on_the_caller))
