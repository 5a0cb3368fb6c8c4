/* Token endpoints that answer oddly: every answer ends in a token or in an error that says what
 * happened, in time, and with one question. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth-svc/credential/exchange.h"
#include "auth-svc/token/tokens.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/fake_endpoint.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

enum { THREADS = 64, HASTY_MS = 500, PATIENT_MS = 10000 };

static atomic_llong ahead_ms; /* how far the test has turned the clock */

static int64_t test_clock(void)
{
  return clock_mono_ms() + atomic_load(&ahead_ms);
}

struct stage {
  struct fake_endpoint *fake;
  struct http_client *http;
  struct tokens *tokens;
  struct credential *credential;
};

static struct stage stage_within(uint32_t timeout_ms)
{
  struct stage s = {.fake = fake_start()};
  const struct http_client_options http = {.user_agent = "test"};
  CU_ASSERT_EQUAL_FATAL(http_client_new(&s.http, &http, NULL), ERR_OK);
  atomic_store(&ahead_ms, 0);
  const struct tokens_options options = {.env = {.http = s.http, .timeout_ms = timeout_ms},
                                         .backoff_base_ms = 5000,
                                         .backoff_max_ms = 60000,
                                         .mono_ms = test_clock};
  s.tokens = tokens_new(&options);
  s.credential = credential_new_refresh_token("the-client-id", "the-client-secret",
                                              "the-refresh-token", fake_url(s.fake), NULL, false);
  return s;
}

static struct stage stage(void)
{
  return stage_within(PATIENT_MS);
}

static void strike(struct stage *s)
{
  http_client_free(s->http);
  tokens_free(s->tokens);
  credential_unref(s->credential);
  fake_stop(s->fake);
}

struct caller {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int calls;
  struct err error;
  char token[TOKEN_MAX_BYTES + 1];
};

static void caller_init(struct caller *c)
{
  memset(c, 0, sizeof(*c));
  pthread_mutex_init(&c->lock, NULL);
  pthread_cond_init(&c->changed, NULL);
}

static void on_ready(void *user, const struct token_result *r)
{
  struct caller *c = user;
  pthread_mutex_lock(&c->lock);
  c->error = r->error;
  if (r->error.code == ERR_OK)
    snprintf(c->token, sizeof(c->token), "%s", secret_text(r->access_token));
  c->calls++;
  pthread_cond_broadcast(&c->changed);
  pthread_mutex_unlock(&c->lock);
}

static void start(struct stage *s, struct caller *c)
{
  tokens_get(s->tokens, "acc", s->credential, NULL, tokens_wait_id(s->tokens), on_ready, c);
}

static void wait_for(struct caller *c)
{
  pthread_mutex_lock(&c->lock);
  while (c->calls == 0)
    pthread_cond_wait(&c->changed, &c->lock);
  pthread_mutex_unlock(&c->lock);
}

/* The answer of the last ask(); valid until the next. */
static struct caller last;
static const struct caller *ask(struct stage *s)
{
  caller_init(&last);
  start(s, &last);
  wait_for(&last);
  CU_ASSERT_PTR_NULL(strstr(last.error.message, "the-refresh-token"));
  CU_ASSERT_PTR_NULL(strstr(last.error.message, "the-client-secret"));
  return &last;
}

static const struct caller *ask_within(uint32_t timeout_ms, const struct fake_answer *answer)
{
  struct stage s = stage_within(timeout_ms);
  fake_set(s.fake, answer);
  const struct caller *c = ask(&s);
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  strike(&s);
  return c;
}

static const struct caller *ask_of(const struct fake_answer *answer)
{
  return ask_within(PATIENT_MS, answer);
}

static void check_passing(const struct caller *c, const char *text)
{
  bool good = c->error.code == ERR_UNAVAILABLE &&
              strcmp(c->error.reason, "token_endpoint_unavailable") == 0 &&
              strstr(c->error.message, text) != NULL;
  if (!good)
    printf("\n  wanted \"%s\", got %s: %s\n", text, c->error.reason, c->error.message);
  CU_ASSERT_TRUE(good);
}

static void expect_passing(const struct fake_answer *answer, const char *text)
{
  check_passing(ask_of(answer), text);
}

/* ------------------------------------------------------------------------------ time */

static void retry_after_may_be_a_date(void)
{
  static const struct {
    int in_s;       /* the date, from now */
    int waits_s[2]; /* still waiting at the first, asked again at the second */
  } table[] = {{60, {50, 62}}, {86400, {295, 302}}, {-3600, {0, 6}}};
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct stage s = stage();
    char headers[80];
    time_t at = time(NULL) + table[i].in_s;
    struct tm tm;
    strftime(headers, sizeof(headers), "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n",
             gmtime_r(&at, &tm));
    fake_set(s.fake, &(struct fake_answer){.status = 503, .body = "{}", .headers = headers});
    CU_ASSERT_EQUAL(ask(&s)->error.code, ERR_UNAVAILABLE);
    fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600});
    atomic_store(&ahead_ms, table[i].waits_s[0] * 1000);
    CU_ASSERT_EQUAL(ask(&s)->error.code, ERR_UNAVAILABLE);
    CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
    atomic_store(&ahead_ms, table[i].waits_s[1] * 1000);
    CU_ASSERT_STRING_EQUAL(ask(&s)->token, "token-2");
    strike(&s);
  }
}

static void a_hanging_endpoint_gives_64_waiters_one_error_and_gets_one_question(void)
{
  static struct caller callers[THREADS];
  struct stage s = stage_within(HASTY_MS);
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 60, .delay_ms = 60000});
  int64_t began = clock_mono_ms();
  for (int i = 0; i < THREADS; i++) {
    caller_init(&callers[i]);
    start(&s, &callers[i]);
  }
  for (int i = 0; i < THREADS; i++) {
    wait_for(&callers[i]);
    CU_ASSERT_EQUAL(callers[i].error.code, ERR_UNAVAILABLE);
    CU_ASSERT_STRING_EQUAL(callers[i].error.message, callers[0].error.message);
    CU_ASSERT_EQUAL(callers[i].calls, 1);
  }
  CU_ASSERT_TRUE(clock_mono_ms() - began < 30000); /* before the answer */
  CU_ASSERT_PTR_NOT_NULL(strstr(callers[0].error.message, "did not answer in time"));
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  ask(&s); /* the wait after a failure holds for those who come later */
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  strike(&s);
}

static void an_answer_that_drips_is_given_up_in_time(void)
{
  int64_t began = clock_mono_ms();
  const struct fake_answer drips = {.status = 200, .expires_in = 60, .drip_ms = 200};
  check_passing(ask_within(HASTY_MS, &drips), "did not answer in time");
  /* Dripping to the end would take more than ten seconds. */
  CU_ASSERT_TRUE(clock_mono_ms() - began < 8 * HASTY_MS);
}

/* ------------------------------------------------------------------------- the body */

static void bodies_that_are_no_answer_are_passing_failures(void)
{
  static const char html[] = "<!DOCTYPE html><title>Sign in to the hotel's wifi</title>";
  expect_passing(&(struct fake_answer){.status = 200, .body = html}, "not a JSON object");
  expect_passing(&(struct fake_answer){.status = 200, .body = "{\"access_token\":\"a"},
                 "not a JSON object");
  expect_passing(&(struct fake_answer){.status = 204, .body = ""}, "HTTP 204");
  expect_passing(&(struct fake_answer){.status = 201, .expires_in = 60}, "HTTP 201");
  expect_passing(&(struct fake_answer){.status = 200, .expires_in = 60, .missing = 10},
                 "could not be reached");
}

static void ten_mebibytes_are_cut_off_announced_or_not(void)
{
  struct fake_answer a = {.status = 200, .expires_in = 60, .padding = 10 << 20};
  expect_passing(&a, "more than 64 KiB");
  a.no_length = true;
  expect_passing(&a, "more than 64 KiB");
}

static void a_compressed_answer_is_read(void)
{
  static const char zipped[] =
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x4c\x4e\x4e\x2d\x2e\x8e\x2f"
      "\xc9\xcf\x4e\xcd\x53\xb2\x52\x2a\xcd\xab\xca\x2c\x28\x48\x4d\x51\xd2\x51\x4a\xad"
      "\x28\xc8\x2c\x4a\x2d\x8e\xcf\x04\x8a\x1b\x9b\x19\x18\xe8\x28\x81\x15\xc5\x97\x54"
      "\x16\xa4\x02\x55\x3a\xa5\x26\x16\xa5\x16\x29\xd5\x02\x00\xe7\x7c\x1c\xd7\x43\x00"
      "\x00\x00";
  const struct fake_answer a = {.status = 200,
                                .headers = "Content-Encoding: gzip\r\n",
                                .body = zipped,
                                .body_len = sizeof(zipped) - 1};
  CU_ASSERT_STRING_EQUAL(ask_of(&a)->token, "unzipped");
}

static void a_redirect_is_never_followed_with_secrets(void)
{
  static const int statuses[] = {301, 302, 303, 307, 308};
  struct fake_endpoint *elsewhere = fake_start();
  AUTO_FREE char *location = xasprintf("Location: %s\r\n", fake_url(elsewhere));
  for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
    AUTO_FREE char *text = xasprintf("HTTP %d", statuses[i]);
    expect_passing(
        &(struct fake_answer){.status = statuses[i], .headers = location, .body = "moved"}, text);
  }
  CU_ASSERT_EQUAL(fake_hits(elsewhere), 0);
  fake_stop(elsewhere);
}

/* ------------------------------------------------------------------------ the token */

static void token_of(size_t len, struct buf *body)
{
  buf_puts(body, "{\"expires_in\":3600,\"access_token\":\"");
  for (size_t i = 0; i < len; i++)
    buf_putc(body, 'x');
  buf_puts(body, "\"}");
}

static void a_token_is_taken_up_to_8_kib(void)
{
  static const size_t sizes[] = {TOKEN_MAX_BYTES, TOKEN_MAX_BYTES + 1, 64000};
  for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
    struct buf body AUTO_BUF = BUF_INIT(1 << 17);
    token_of(sizes[i], &body);
    const struct fake_answer a = {.status = 200, .body = buf_str(&body)};
    if (sizes[i] > TOKEN_MAX_BYTES) {
      expect_passing(&a, "without a usable access_token");
      continue;
    }
    CU_ASSERT_EQUAL(strlen(ask_of(&a)->token), sizes[i]);
  }
}

static void a_token_that_could_end_a_header_is_refused(void)
{
  static const char *const tokens[] = {"",          " ",       "a b",     "a\\nb", "a\\r\\nX: y",
                                       "a\\u0000b", "\\u00e9", "a\\u007f"};
  for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
    AUTO_FREE char *body = xasprintf("{\"access_token\":\"%s\",\"expires_in\":60}", tokens[i]);
    expect_passing(&(struct fake_answer){.status = 200, .body = body}, "answered");
  }
}

static void only_bearer_tokens_are_taken_in_any_case(void)
{
  static const struct {
    const char *member;
    bool good;
  } table[] = {{"", true},
               {",\"token_type\":\"Bearer\"", true},
               {",\"token_type\":\"bearer\"", true},
               {",\"token_type\":\"BEARER\"", true},
               {",\"token_type\":\"mac\"", false},
               {",\"token_type\":\"DPoP\"", false},
               {",\"token_type\":\"\"", false}};
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    AUTO_FREE char *body =
        xasprintf("{\"access_token\":\"t\",\"expires_in\":60%s}", table[i].member);
    const struct fake_answer a = {.status = 200, .body = body};
    if (!table[i].good) {
      expect_passing(&a, "not a bearer token");
      continue;
    }
    CU_ASSERT_STRING_EQUAL(ask_of(&a)->token, "t");
  }
}

/* ------------------------------------------------------------------------- consents */

#define GOOGLE "https://www.googleapis.com/auth/"

static struct token_reply read_scope(const char *scope, enum grant_kind grant)
{
  AUTO_FREE char *body = xasprintf("{\"access_token\":\"t\",\"expires_in\":60,\"refresh_token\":"
                                   "\"next\",\"scope\":\"%s\"}",
                                   scope);
  const struct http_response r = {.status = 200, .body = body, .body_len = strlen(body)};
  struct token_reply reply;
  token_reply_read(&reply, &r, "oauth2.googleapis.com", grant, NULL, 0);
  CU_ASSERT_PTR_NOT_NULL(reply.refresh_token); /* never lost */
  return reply;
}

static void a_consent_with_the_analytics_scope_unticked_is_named(void)
{
  static const char *const bad[] = {"openid", "openid email", GOOGLE "analytics.edit",
                                    GOOGLE "analytics.readonly.x", GOOGLE "cloud-platform"};
  static const char *const good[] = {GOOGLE "analytics.readonly",
                                     "openid  " GOOGLE "analytics.readonly email",
                                     GOOGLE "analytics", "", "  "};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    struct token_reply r = read_scope(bad[i], GRANT_REFRESH_TOKEN);
    CU_ASSERT_EQUAL(r.outcome, TOKEN_NEEDS_CONSENT);
    CU_ASSERT_STRING_EQUAL(r.error.reason, "missing_scope");
    CU_ASSERT_STRING_EQUAL(
        r.error.message,
        "dealer must re-consent: the consent that oauth2.googleapis.com knows does not cover "
        "Google "
        "Analytics (analytics.readonly was unticked or never asked for); put the new refresh token "
        "into the dealers file, which is read again by itself");
    CU_ASSERT_PTR_NULL(r.access_token);
    token_reply_clear(&r);
  }
  for (size_t i = 0; i < ARRAY_LEN(good); i++) {
    struct token_reply r = read_scope(good[i], GRANT_REFRESH_TOKEN);
    CU_ASSERT_EQUAL(r.outcome, TOKEN_OBTAINED);
    token_reply_clear(&r);
  }
}

static void the_source_of_an_impersonation_needs_another_scope(void)
{
  struct token_reply r = read_scope(GOOGLE "analytics.readonly", GRANT_REFRESH_SOURCE);
  CU_ASSERT_EQUAL(r.outcome, TOKEN_NEEDS_CONSENT);
  CU_ASSERT_STRING_EQUAL(r.error.reason, "missing_scope");
  CU_ASSERT_PTR_NOT_NULL(strstr(r.error.message, "user of source_credentials must re-consent"));
  CU_ASSERT_PTR_NOT_NULL(strstr(r.error.message, "impersonation (cloud-platform was unticked"));
  token_reply_clear(&r);
  r = read_scope("openid " GOOGLE "cloud-platform", GRANT_REFRESH_SOURCE);
  CU_ASSERT_EQUAL(r.outcome, TOKEN_OBTAINED);
  token_reply_clear(&r);
}

static void a_missing_scope_is_final_until_the_credential_changes(void)
{
  struct stage s = stage();
  fake_set(s.fake, &(struct fake_answer){.status = 200,
                                         .body = "{\"access_token\":\"t\",\"expires_in\":60,"
                                                 "\"scope\":\"openid\"}"});
  CU_ASSERT_STRING_EQUAL(ask(&s)->error.reason, "missing_scope");
  atomic_store(&ahead_ms, 86400LL * 1000);
  CU_ASSERT_STRING_EQUAL(ask(&s)->error.reason, "missing_scope");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  CU_ASSERT_EQUAL(world_needing_consent(s.tokens), 1);
  credential_unref(s.credential);
  s.credential = credential_new_refresh_token("the-client-id", "the-client-secret",
                                              "consented-again", fake_url(s.fake), NULL, false);
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600});
  CU_ASSERT_STRING_EQUAL(ask(&s)->token, "token-2");
  CU_ASSERT_EQUAL(world_needing_consent(s.tokens), 0);
  strike(&s);
}

static void who_must_consent_again_is_not_told_to_restart(void)
{
  static const enum grant_kind kinds[] = {GRANT_REFRESH_TOKEN, GRANT_REFRESH_SOURCE};
  static const char body[] = "{\"error\":\"invalid_grant\",\"error_description\":\"Bad Request\"}";
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
    const struct http_response r = {.status = 400, .body = body, .body_len = strlen(body)};
    struct token_reply reply;
    token_reply_read(&reply, &r, "h", kinds[i], NULL, 0);
    CU_ASSERT_EQUAL(reply.outcome, TOKEN_NEEDS_CONSENT);
    CU_ASSERT_STRING_EQUAL(reply.error.reason, "invalid_grant");
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.error.message, "must re-consent"));
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.error.message, "read again by itself"));
    CU_ASSERT_PTR_NULL(strstr(reply.error.message, "restart"));
    token_reply_clear(&reply);
  }
}

TEST_MAIN("auth token odd", TEST(retry_after_may_be_a_date),
          TEST(a_hanging_endpoint_gives_64_waiters_one_error_and_gets_one_question),
          TEST(an_answer_that_drips_is_given_up_in_time),
          TEST(bodies_that_are_no_answer_are_passing_failures),
          TEST(ten_mebibytes_are_cut_off_announced_or_not), TEST(a_compressed_answer_is_read),
          TEST(a_redirect_is_never_followed_with_secrets), TEST(a_token_is_taken_up_to_8_kib),
          TEST(a_token_that_could_end_a_header_is_refused),
          TEST(only_bearer_tokens_are_taken_in_any_case),
          TEST(a_consent_with_the_analytics_scope_unticked_is_named),
          TEST(the_source_of_an_impersonation_needs_another_scope),
          TEST(a_missing_scope_is_final_until_the_credential_changes),
          TEST(who_must_consent_again_is_not_told_to_restart))
