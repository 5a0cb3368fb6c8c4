/* The life of access tokens against a token endpoint that behaves well, badly and oddly. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/credential/exchange.h"
#include "auth-svc/token/tokens.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/fake_endpoint.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

/* ----------------------------------------------------------------------- the stage */

static atomic_llong ahead_ms; /* how far the test has turned the clock */

static int64_t test_clock(void)
{
  return clock_mono_ms() + atomic_load(&ahead_ms);
}

static atomic_int answered; /* answers of the endpoint that came in */

static void on_refresh(void *user, const char *account_id, const struct token_reply *reply)
{
  (void)user, (void)account_id, (void)reply;
  atomic_fetch_add(&answered, 1);
}

struct stage {
  struct fake_endpoint *fake;
  struct http_client *http;
  struct tokens *tokens;
  struct credential *credential;
};

static struct stage stage_with(struct tokens_options options)
{
  struct stage s = {.fake = fake_start()};
  const struct http_client_options http = {.user_agent = "test"};
  CU_ASSERT_EQUAL_FATAL(http_client_new(&s.http, &http, NULL), ERR_OK);
  options.env.http = s.http;
  options.mono_ms = test_clock;
  options.on_refresh = on_refresh;
  atomic_store(&answered, 0);
  atomic_store(&ahead_ms, 0);
  s.tokens = tokens_new(&options);
  s.credential = credential_new_refresh_token("the-client-id", "the-client-secret",
                                              "the-refresh-token", fake_url(s.fake), NULL, false);
  return s;
}

static struct stage stage(void)
{
  return stage_with((struct tokens_options){.backoff_base_ms = 5000, .backoff_max_ms = 60000});
}

static void strike(struct stage *s)
{
  http_client_free(s->http);
  tokens_free(s->tokens);
  credential_unref(s->credential);
  fake_stop(s->fake);
}

static void answer(struct stage *s, int status, const char *body)
{
  fake_set(s->fake, &(struct fake_answer){.status = status, .body = body, .expires_in = 3600});
}

/* One caller that waits for its callback. */
struct caller {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool called;
  struct err error;
  char token[64];
  uint8_t sha256[SHA256_SIZE];
  int64_t expires_at;
  int calls;
};

static void on_ready(void *user, const struct token_result *r)
{
  struct caller *c = user;
  pthread_mutex_lock(&c->lock);
  c->error = r->error;
  if (r->error.code == ERR_OK) {
    snprintf(c->token, sizeof(c->token), "%s", secret_text(r->access_token));
    memcpy(c->sha256, secret_sha256(r->access_token), SHA256_SIZE);
    c->expires_at = r->expires_at;
  }
  c->called = true;
  c->calls++;
  pthread_cond_broadcast(&c->changed);
  pthread_mutex_unlock(&c->lock);
}

static void caller_init(struct caller *c)
{
  *c = (struct caller){0};
  pthread_mutex_init(&c->lock, NULL);
  pthread_cond_init(&c->changed, NULL);
}

static void caller_wait(struct caller *c)
{
  pthread_mutex_lock(&c->lock);
  while (!c->called)
    pthread_cond_wait(&c->changed, &c->lock);
  pthread_mutex_unlock(&c->lock);
}

static struct caller ask_rejecting(struct stage *s, const uint8_t *rejected)
{
  struct caller c;
  caller_init(&c);
  tokens_get(s->tokens, "acc", s->credential, rejected, tokens_wait_id(s->tokens), on_ready, &c);
  caller_wait(&c);
  return c;
}

static struct caller ask(struct stage *s)
{
  return ask_rejecting(s, NULL);
}

/* Waits until the endpoint was asked n times. */
static void wait_for_hits(struct stage *s, int n)
{
  CU_ASSERT_TRUE(fake_wait_hits(s->fake, n));
  CU_ASSERT_EQUAL(fake_hits(s->fake), n);
}

static void no_secret_in(const struct err *e)
{
  CU_ASSERT_PTR_NULL(strstr(e->message, "the-refresh-token"));
  CU_ASSERT_PTR_NULL(strstr(e->message, "the-client-secret"));
}

/* -------------------------------------------------------------------------- caching */

static void a_token_is_asked_for_once_and_cached(void)
{
  struct stage s = stage();
  struct caller a = ask(&s), b = ask(&s);
  CU_ASSERT_STRING_EQUAL(a.token, "token-1");
  CU_ASSERT_STRING_EQUAL(b.token, "token-1");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  int64_t now = clock_unix_ms() / 1000;
  CU_ASSERT_TRUE(a.expires_at >= now + 3590 && a.expires_at <= now + 3601);
  char form[1024];
  fake_last_form(s.fake, form, sizeof(form));
  CU_ASSERT_STRING_EQUAL(form, "client_id=the-client-id&client_secret=the-client-secret&"
                               "refresh_token=the-refresh-token&grant_type=refresh_token");
  strike(&s);
}

static void the_old_token_is_served_while_it_is_refreshed(void)
{
  struct stage s = stage();
  ask(&s);
  atomic_store(&ahead_ms, (3600 - 361) * 1000);
  CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-1"); /* 361 s left: not due */
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600, .delay_ms = 60000});
  atomic_store(&ahead_ms, (3600 - 299) * 1000);
  for (int i = 0; i < 50; i++) /* nobody waits for the answer, which does not come yet */
    CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-1");
  wait_for_hits(&s, 2);
  fake_release(s.fake);
  int64_t end = clock_mono_ms() + 20000;
  struct caller c = ask(&s);
  while (strcmp(c.token, "token-2") != 0 && clock_mono_ms() < end && sched_yield() == 0)
    c = ask(&s);
  CU_ASSERT_STRING_EQUAL(c.token, "token-2");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 2);
  strike(&s);
}

/* tokens_try(), as GetAccessToken uses it. */
static bool held(struct stage *s, const struct credential *c)
{
  struct token_result r;
  bool is = tokens_try(s->tokens, "acc", c, &r);
  if (is) {
    CU_ASSERT_EQUAL(r.error.code, ERR_OK);
    CU_ASSERT_STRING_EQUAL(secret_text(r.access_token), "token-1");
    secret_unref(r.access_token);
  }
  return is;
}

static void the_short_way_gives_only_a_token_that_needs_nothing(void)
{
  struct stage s = stage();
  struct credential *other =
      credential_new_refresh_token("c", "s", "r", fake_url(s.fake), NULL, false);
  CU_ASSERT_FALSE(held(&s, s.credential)); /* not asked for yet */
  ask(&s);
  CU_ASSERT_TRUE(held(&s, s.credential));
  CU_ASSERT_FALSE(held(&s, other)); /* another configuration's */
  atomic_store(&ahead_ms, (3600 - 299) * 1000);
  CU_ASSERT_FALSE(held(&s, s.credential)); /* due: tokens_get() starts the refresh */
  atomic_store(&ahead_ms, 3601 * 1000);
  CU_ASSERT_FALSE(held(&s, s.credential)); /* expired */
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  credential_unref(other);
  strike(&s);
}

static void only_an_expired_token_makes_callers_wait(void)
{
  struct stage s = stage();
  ask(&s);
  atomic_store(&ahead_ms, 3600 * 1000);
  CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-2");
  strike(&s);
}

static void a_failing_refresh_leaves_the_old_token_until_it_expires(void)
{
  struct stage s = stage();
  ask(&s);
  answer(&s, 503, "{}");
  atomic_store(&ahead_ms, (3600 - 200) * 1000);
  CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-1");
  wait_for_hits(&s, 2);
  while (atomic_load(&answered) < 2)
    sched_yield();
  for (int i = 0; i < 20; i++)
    CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-1");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 2); /* backoff holds for the background too */
  atomic_store(&ahead_ms, 3700 * 1000);
  struct caller c = ask(&s);
  CU_ASSERT_EQUAL(c.error.code, ERR_UNAVAILABLE); /* never an expired token */
  strike(&s);
}

/* -------------------------------------------------------------------- single flight */

struct thread_arg {
  struct stage *s;
  pthread_barrier_t *barrier;
  struct caller caller;
};

static void *ask_on_thread(void *arg)
{
  struct thread_arg *t = arg;
  pthread_barrier_wait(t->barrier);
  tokens_get(t->s->tokens, "acc", t->s->credential, NULL, tokens_wait_id(t->s->tokens), on_ready,
             &t->caller);
  caller_wait(&t->caller);
  return NULL;
}

enum { THREADS = 64 };

static void ask_on_64_threads(struct stage *s, struct thread_arg args[THREADS])
{
  pthread_t threads[THREADS];
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, NULL, THREADS);
  for (int i = 0; i < THREADS; i++) {
    args[i] = (struct thread_arg){.s = s, .barrier = &barrier};
    caller_init(&args[i].caller);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, ask_on_thread, &args[i]), 0);
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&barrier);
}

static void refresh_is_single_flight_under_64_threads(void)
{
  struct stage s = stage();
  static struct thread_arg args[THREADS];
  for (int round = 1; round <= 5; round++) {
    char want[32];
    snprintf(want, sizeof(want), "token-%d", round);
    fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600, .delay_ms = 50});
    ask_on_64_threads(&s, args);
    for (int i = 0; i < THREADS; i++) {
      CU_ASSERT_STRING_EQUAL(args[i].caller.token, want);
      CU_ASSERT_EQUAL(args[i].caller.calls, 1);
    }
    CU_ASSERT_EQUAL(fake_hits(s.fake), round);
    atomic_fetch_add(&ahead_ms, 3600 * 1000);
  }
  strike(&s);
}

static void waiters_share_an_error_too(void)
{
  struct stage s = stage();
  static struct thread_arg args[THREADS];
  fake_set(s.fake, &(struct fake_answer){.status = 503, .body = "{}", .delay_ms = 100});
  ask_on_64_threads(&s, args);
  for (int i = 0; i < THREADS; i++)
    CU_ASSERT_EQUAL(args[i].caller.error.code, ERR_UNAVAILABLE);
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  strike(&s);
}

static void more_waiters_than_allowed_are_refused_at_once(void)
{
  struct stage s = stage_with((struct tokens_options){.waiters_max = 3});
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 60, .delay_ms = 200});
  struct caller c[4];
  for (int i = 0; i < 4; i++) {
    caller_init(&c[i]);
    tokens_get(s.tokens, "acc", s.credential, NULL, tokens_wait_id(s.tokens), on_ready, &c[i]);
  }
  CU_ASSERT_TRUE(c[3].called);
  CU_ASSERT_EQUAL(c[3].error.code, ERR_RESOURCE_EXHAUSTED);
  for (int i = 0; i < 3; i++) {
    caller_wait(&c[i]);
    CU_ASSERT_EQUAL(c[i].error.code, ERR_OK);
  }
  CU_ASSERT_EQUAL(ask(&s).error.code, ERR_OK);
  strike(&s);
}

static void a_caller_that_leaves_is_answered_and_the_others_go_on(void)
{
  struct stage s = stage();
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 60, .delay_ms = 200});
  struct caller stays, leaves;
  caller_init(&stays);
  caller_init(&leaves);
  uint64_t id = tokens_wait_id(s.tokens);
  tokens_get(s.tokens, "acc", s.credential, NULL, tokens_wait_id(s.tokens), on_ready, &stays);
  tokens_get(s.tokens, "acc", s.credential, NULL, id, on_ready, &leaves);
  tokens_abandon(s.tokens, "acc", id);
  CU_ASSERT_TRUE(leaves.called);
  CU_ASSERT_EQUAL(leaves.error.code, ERR_CANCELLED);
  caller_wait(&stays);
  CU_ASSERT_STRING_EQUAL(stays.token, "token-1");
  tokens_abandon(s.tokens, "acc", id);   /* again: nothing happens */
  tokens_abandon(s.tokens, "other", id); /* nor here */
  CU_ASSERT_EQUAL(leaves.calls, 1);
  CU_ASSERT_EQUAL(stays.calls, 1);
  strike(&s);
}

/* --------------------------------------------------------------------------- errors */

static void invalid_grant_is_final(void)
{
  struct stage s = stage();
  answer(&s, 400,
         "{\"error\":\"invalid_grant\",\"error_description\":\"Token has been expired or "
         "revoked.\"}");
  struct caller c = ask(&s);
  CU_ASSERT_EQUAL(c.error.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(c.error.reason, "invalid_grant");
  CU_ASSERT_EQUAL(strncmp(c.error.message, "dealer must re-consent", 22), 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(c.error.message, "Token has been expired or revoked."));
  answer(&s, 200, NULL);
  atomic_store(&ahead_ms, 86400LL * 1000);
  for (int i = 0; i < 10; i++)
    CU_ASSERT_STRING_EQUAL(ask(&s).error.reason, "invalid_grant");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1); /* Google is not asked again */
  CU_ASSERT_EQUAL(world_needing_consent(s.tokens), 1);
  /* A new credential for the account starts with nothing. */
  credential_unref(s.credential);
  s.credential = credential_new_refresh_token("the-client-id", "the-client-secret", "another-one",
                                              fake_url(s.fake), NULL, false);
  CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-2");
  CU_ASSERT_EQUAL(world_needing_consent(s.tokens), 0);
  strike(&s);
}

static void invalid_grant_ends_the_token_at_hand(void)
{
  struct stage s = stage();
  ask(&s);
  answer(&s, 400, "{\"error\":\"invalid_grant\"}");
  atomic_store(&ahead_ms, (3600 - 100) * 1000);
  ask(&s); /* starts the refresh */
  wait_for_hits(&s, 2);
  int64_t end = clock_mono_ms() + 20000;
  struct caller c = ask(&s);
  while (c.error.code == ERR_OK && clock_mono_ms() < end && sched_yield() == 0)
    c = ask(&s);
  CU_ASSERT_STRING_EQUAL(c.error.reason, "invalid_grant");
  strike(&s);
}

static void invalid_client_blames_the_operator_not_the_dealer(void)
{
  static const char *const codes[] = {"invalid_client", "unauthorized_client", "invalid_scope",
                                      "invalid_request", "unsupported_grant_type"};
  for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
    struct stage s = stage();
    AUTO_FREE char *body = xasprintf(
        "{\"error\":\"%s\",\"error_description\":\"The OAuth client was not found.\"}", codes[i]);
    answer(&s, i == 0 ? 401 : 400, body);
    struct caller c = ask(&s);
    CU_ASSERT_EQUAL(c.error.code, ERR_FAILED_PRECONDITION);
    CU_ASSERT_STRING_EQUAL(c.error.reason, codes[i]);
    CU_ASSERT_PTR_NULL(strstr(c.error.message, "re-consent"));
    CU_ASSERT_EQUAL(world_needing_consent(s.tokens), 0);
    answer(&s, 200, NULL);
    CU_ASSERT_STRING_EQUAL(ask(&s).error.reason, codes[i]); /* not hammered */
    CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
    atomic_store(&ahead_ms, 601000);
    CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-2"); /* and heals by itself */
    strike(&s);
  }
}

static void passing_failures_back_off_and_heal(void)
{
  static const struct {
    int status;
    const char *body;
  } table[] = {
      {429, "{\"error\":\"rate_limit_exceeded\"}"},
      {429, "slow down"},
      {403, "{\"error\":\"rate_limit_exceeded\"}"},
      {500, "{\"error\":\"internal_failure\"}"},
      {503, "<html>"},
      {502, ""},
      {400, "<html>not OAuth</html>"},
      {400, "{\"error\":{\"code\":400}}"},
      {404, "{}"},
      {302, ""},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct stage s = stage();
    answer(&s, table[i].status, table[i].body);
    struct caller c = ask(&s);
    CU_ASSERT_EQUAL(c.error.code, ERR_UNAVAILABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(c.error.message, "token endpoint 127.0.0.1"));
    no_secret_in(&c.error);
    for (int k = 0; k < 20; k++)
      CU_ASSERT_PTR_NOT_NULL(strstr(ask(&s).error.message, "next attempt in"));
    CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
    answer(&s, 200, NULL);
    atomic_store(&ahead_ms, 5001); /* the first wait is at most the base */
    CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-2");
    strike(&s);
  }
}

static void waits_grow_with_every_failure_up_to_the_cap(void)
{
  struct stage s =
      stage_with((struct tokens_options){.backoff_base_ms = 1000, .backoff_max_ms = 8000});
  answer(&s, 503, "");
  int asked = 0;
  for (int64_t t = 0; t <= 60000; t += 100) {
    atomic_store(&ahead_ms, t);
    ask(&s);
    asked++;
  }
  /* At least 500 ms apart and on average some 4 s at the cap: far fewer than were asked. */
  CU_ASSERT_TRUE(fake_hits(s.fake) >= 8 && fake_hits(s.fake) <= 40);
  CU_ASSERT_TRUE(asked > 600);
  strike(&s);
}

static void retry_after_is_respected(void)
{
  struct stage s = stage();
  fake_set(s.fake,
           &(struct fake_answer){.status = 429, .body = "{}", .headers = "Retry-After: 40\r\n"});
  ask(&s);
  answer(&s, 200, NULL);
  atomic_store(&ahead_ms, 39000);
  CU_ASSERT_EQUAL(ask(&s).error.code, ERR_UNAVAILABLE);
  atomic_store(&ahead_ms, 40100);
  CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-2");
  strike(&s);
}

static void a_slow_or_broken_endpoint_is_given_up_in_time(void)
{
  struct stage s = stage_with((struct tokens_options){.env.timeout_ms = 200});
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 60, .delay_ms = 60000});
  int64_t start = clock_mono_ms();
  struct caller c = ask(&s);
  CU_ASSERT_TRUE(clock_mono_ms() - start < 30000); /* before the answer */
  CU_ASSERT_EQUAL(c.error.code, ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(c.error.message, "did not answer in time"));
  fake_set(s.fake, &(struct fake_answer){.cut_off = true});
  atomic_store(&ahead_ms, 2000);
  c = ask(&s);
  CU_ASSERT_EQUAL(c.error.code, ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(c.error.message, "could not be reached"));
  strike(&s);
}

static void nothing_listening_is_a_passing_failure(void)
{
  struct stage s = stage();
  credential_unref(s.credential);
  s.credential =
      credential_new_refresh_token("i", "s", "r", "http://127.0.0.1:1/token", NULL, false);
  CU_ASSERT_EQUAL(ask(&s).error.code, ERR_UNAVAILABLE);
  strike(&s);
}

static void garbage_answers_are_passing_failures(void)
{
  static const char *const bodies[] = {"",
                                       "not json",
                                       "[]",
                                       "null",
                                       "{\"access_token\":7}",
                                       "{\"access_token\":\"\"}",
                                       "{\"id_token\":\"x\",\"expires_in\":3599}",
                                       "{\"access_token\":\"a b\"}",
                                       "{\"access_token\":\"a\\r\\nX-Evil: 1\"}",
                                       "{\"access_token\":\"\\u00e9\"}",
                                       "{\"access_token\":\"a\",\"access_token\":\"b\"}",
                                       "{\"access_token\":\"a\",\"token_type\":\"mac\"}"};
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
    struct stage s = stage();
    answer(&s, 200, bodies[i]);
    struct caller c = ask(&s);
    CU_ASSERT_EQUAL(c.error.code, ERR_UNAVAILABLE);
    no_secret_in(&c.error);
    strike(&s);
  }
}

static void a_huge_answer_is_cut_off(void)
{
  struct stage s = stage();
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 60, .padding = 1 << 20});
  struct caller c = ask(&s);
  CU_ASSERT_EQUAL(c.error.code, ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(c.error.message, "64 KiB"));
  strike(&s);
}

static void an_answer_that_repeats_our_secrets_is_not_quoted(void)
{
  struct stage s = stage();
  answer(&s, 400,
         "{\"error\":\"invalid_grant\",\"error_description\":\"bad token the-refresh-token "
         "of the-client-secret\"}");
  struct caller c = ask(&s);
  CU_ASSERT_STRING_EQUAL(c.error.reason, "invalid_grant");
  no_secret_in(&c.error);
  strike(&s);
}

/* --------------------------------------------------------------------- odd answers */

static void expires_in_is_clamped_to_sense(void)
{
  static const struct {
    const char *json;
    int64_t life;
  } table[] = {
      {"3599", 3599},
      {"\"3599\"", 3599},
      {"1", 1},
      {"0", TOKEN_LIFE_UNKNOWN_S},
      {"-5", TOKEN_LIFE_UNKNOWN_S},
      {"null", TOKEN_LIFE_UNKNOWN_S},
      {"\"soon\"", TOKEN_LIFE_UNKNOWN_S},
      {"{}", TOKEN_LIFE_UNKNOWN_S},
      {"1e300", TOKEN_LIFE_MAX_S},
      {"86400000", TOKEN_LIFE_MAX_S},
      {"1e12", TOKEN_LIFE_MAX_S},
      {"\"1e12\"", TOKEN_LIFE_MAX_S},
      {"3599.7", 3599},
      {"0.5", TOKEN_LIFE_UNKNOWN_S},
      {"\"\"", TOKEN_LIFE_UNKNOWN_S},
      {"\"3599 s\"", TOKEN_LIFE_UNKNOWN_S},
      {"\"nan\"", TOKEN_LIFE_UNKNOWN_S},
      {"true", TOKEN_LIFE_UNKNOWN_S},
      {NULL, TOKEN_LIFE_UNKNOWN_S},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    AUTO_FREE char *body =
        table[i].json != NULL
            ? xasprintf("{\"access_token\":\"t\",\"expires_in\":%s}", table[i].json)
            : xstrdup("{\"access_token\":\"t\"}");
    const struct http_response r = {.status = 200, .body = body, .body_len = strlen(body)};
    struct token_reply reply;
    token_reply_read(&reply, &r, "h", GRANT_REFRESH_TOKEN, NULL, 0);
    CU_ASSERT_EQUAL(reply.outcome, TOKEN_OBTAINED);
    CU_ASSERT_EQUAL(reply.expires_in_s, table[i].life);
    token_reply_clear(&reply);
  }
}

static void a_short_lived_token_is_not_refreshed_all_the_time(void)
{
  struct stage s = stage();
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 60});
  for (int i = 0; i < 20; i++)
    CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-1");
  /* 60 s is below the five minutes ahead. A question behind our back would come before this one. */
  struct caller other;
  caller_init(&other);
  tokens_get(s.tokens, "other", s.credential, NULL, tokens_wait_id(s.tokens), on_ready, &other);
  caller_wait(&other);
  CU_ASSERT_EQUAL(fake_hits(s.fake), 2);
  atomic_store(&ahead_ms, 31000); /* half of its life is over */
  CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-1");
  wait_for_hits(&s, 3);
  strike(&s);
}

static void a_new_refresh_token_replaces_the_old(void)
{
  struct stage s = stage();
  answer(&s, 200,
         "{\"access_token\":\"t1\",\"expires_in\":3600,\"refresh_token\":\"the-second-one\"}");
  ask(&s);
  uint8_t first[SHA256_SIZE], second[SHA256_SIZE], access[SHA256_SIZE];
  sha256_of("the-refresh-token", 17, first);
  sha256_of("the-second-one", 14, second);
  sha256_of("t1", 2, access);
  CU_ASSERT_TRUE(tokens_holds(s.tokens, "acc", s.credential, second));
  CU_ASSERT_FALSE(tokens_holds(s.tokens, "acc", s.credential, access)); /* proves nothing */
  CU_ASSERT_FALSE(tokens_holds(s.tokens, "acc", s.credential, first));
  CU_ASSERT_TRUE(tokens_holds(s.tokens, "other", s.credential, first));
  answer(&s, 200, NULL);
  atomic_store(&ahead_ms, 3600 * 1000);
  CU_ASSERT_FALSE(tokens_holds(s.tokens, "acc", s.credential, access));
  ask(&s);
  char form[1024];
  fake_last_form(s.fake, form, sizeof(form));
  CU_ASSERT_PTR_NOT_NULL(strstr(form, "refresh_token=the-second-one&"));
  strike(&s);
}

static void a_rejected_token_is_replaced_once(void)
{
  struct stage s = stage();
  struct caller a = ask(&s);
  struct caller b = ask_rejecting(&s, a.sha256);
  CU_ASSERT_STRING_EQUAL(b.token, "token-2");
  /* A late report of the first one changes nothing. */
  CU_ASSERT_STRING_EQUAL(ask_rejecting(&s, a.sha256).token, "token-2");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 2);
  /* Nor does rejecting every token turn into a flood. */
  for (int i = 0; i < 20; i++)
    CU_ASSERT_STRING_EQUAL(ask_rejecting(&s, b.sha256).token, "token-2");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 2);
  atomic_store(&ahead_ms, 6000);
  CU_ASSERT_STRING_EQUAL(ask_rejecting(&s, b.sha256).token, "token-3");
  strike(&s);
}

static void the_override_wins_over_the_credentials_endpoint(void)
{
  struct fake_endpoint *other = fake_start();
  struct stage s = stage_with((struct tokens_options){.env.endpoint = fake_url(other)});
  ask(&s);
  CU_ASSERT_EQUAL(fake_hits(s.fake), 0);
  CU_ASSERT_EQUAL(fake_hits(other), 1);
  strike(&s);
  fake_stop(other);
}

static void stopping_answers_everybody_who_waits(void)
{
  struct stage s = stage();
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 60, .delay_ms = 500});
  struct caller c[3];
  for (int i = 0; i < 3; i++) {
    caller_init(&c[i]);
    tokens_get(s.tokens, "acc", s.credential, NULL, tokens_wait_id(s.tokens), on_ready, &c[i]);
  }
  http_client_free(s.http);
  s.http = NULL;
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_TRUE(c[i].called);
    CU_ASSERT_EQUAL(c[i].error.code, ERR_UNAVAILABLE);
  }
  strike(&s);
}

TEST_MAIN("auth tokens", TEST(a_token_is_asked_for_once_and_cached),
          TEST(the_old_token_is_served_while_it_is_refreshed),
          TEST(the_short_way_gives_only_a_token_that_needs_nothing),
          TEST(only_an_expired_token_makes_callers_wait),
          TEST(a_failing_refresh_leaves_the_old_token_until_it_expires),
          TEST(refresh_is_single_flight_under_64_threads), TEST(waiters_share_an_error_too),
          TEST(more_waiters_than_allowed_are_refused_at_once),
          TEST(a_caller_that_leaves_is_answered_and_the_others_go_on), TEST(invalid_grant_is_final),
          TEST(invalid_grant_ends_the_token_at_hand),
          TEST(invalid_client_blames_the_operator_not_the_dealer),
          TEST(passing_failures_back_off_and_heal),
          TEST(waits_grow_with_every_failure_up_to_the_cap), TEST(retry_after_is_respected),
          TEST(a_slow_or_broken_endpoint_is_given_up_in_time),
          TEST(nothing_listening_is_a_passing_failure), TEST(garbage_answers_are_passing_failures),
          TEST(a_huge_answer_is_cut_off), TEST(an_answer_that_repeats_our_secrets_is_not_quoted),
          TEST(expires_in_is_clamped_to_sense),
          TEST(a_short_lived_token_is_not_refreshed_all_the_time),
          TEST(a_new_refresh_token_replaces_the_old), TEST(a_rejected_token_is_replaced_once),
          TEST(the_override_wins_over_the_credentials_endpoint),
          TEST(stopping_answers_everybody_who_waits))
