/* The life of access tokens when nobody asks, when the configuration changes, when clocks
 * jump, and when the refresh token is replaced. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "auth-svc/token/tokens.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "tests/unit/auth/support/fake_endpoint.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

/* ------------------------------------------------------------------------- the stage */

static atomic_llong ahead_ms;      /* how far the test has turned the monotonic clock */
static atomic_llong wall_ahead_ms; /* and the one on the wall, on top of that */

/* Each look at what is due reads the clock. */
static pthread_mutex_t look_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t looked = PTHREAD_COND_INITIALIZER;
static long looks;

static int64_t test_clock(void)
{
  pthread_mutex_lock(&look_lock);
  looks++;
  pthread_cond_broadcast(&looked);
  pthread_mutex_unlock(&look_lock);
  return clock_mono_ms() + atomic_load(&ahead_ms);
}

static int64_t test_wall(void)
{
  return clock_unix_ms() + atomic_load(&ahead_ms) + atomic_load(&wall_ahead_ms);
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
  struct token_store *store;
  struct credential *credential;
};

static struct credential *credential_at(const struct stage *s, const char *refresh_token,
                                        uint64_t generation)
{
  struct credential *c = credential_new_refresh_token(
      "the-client-id", "the-client-secret", refresh_token, fake_url(s->fake), NULL, false);
  c->generation = generation;
  return c;
}

static struct stage stage_with(struct tokens_options options)
{
  struct stage s = {.fake = fake_start(), .store = options.store};
  const struct http_client_options http = {.user_agent = "test"};
  CU_ASSERT_EQUAL_FATAL(http_client_new(&s.http, &http, NULL), ERR_OK);
  options.env.http = s.http;
  options.mono_ms = test_clock;
  options.unix_ms = test_wall;
  options.on_refresh = on_refresh;
  options.tick_ms = 5;
  atomic_store(&ahead_ms, 0);
  atomic_store(&wall_ahead_ms, 0);
  atomic_store(&answered, 0);
  s.tokens = tokens_new(&options);
  s.credential = credential_at(&s, "the-refresh-token", 1);
  tokens_start_background(s.tokens);
  return s;
}

static struct stage stage(void)
{
  return stage_with((struct tokens_options){.backoff_base_ms = 5000});
}

static void strike(struct stage *s)
{
  http_client_free(s->http);
  token_store_close(s->store);
  tokens_free(s->tokens);
  credential_unref(s->credential);
  fake_stop(s->fake);
}

static void answer(struct stage *s, int status, const char *body)
{
  fake_set(s->fake, &(struct fake_answer){.status = status, .body = body, .expires_in = 3600});
}

struct caller {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool called;
  struct err error;
  char token[64];
  int64_t expires_at;
};

static void on_ready(void *user, const struct token_result *r)
{
  struct caller *c = user;
  pthread_mutex_lock(&c->lock);
  c->error = r->error;
  snprintf(c->token, sizeof(c->token), "%s", secret_text(r->access_token));
  c->expires_at = r->expires_at;
  c->called = true;
  pthread_cond_broadcast(&c->changed);
  pthread_mutex_unlock(&c->lock);
}

static void start(struct stage *s, const char *account, struct credential *credential,
                  struct caller *c)
{
  *c = (struct caller){0};
  pthread_mutex_init(&c->lock, NULL);
  pthread_cond_init(&c->changed, NULL);
  tokens_get(s->tokens, account, credential, NULL, tokens_wait_id(s->tokens), on_ready, c);
}

static void caller_wait(struct caller *c)
{
  pthread_mutex_lock(&c->lock);
  while (!c->called)
    pthread_cond_wait(&c->changed, &c->lock);
  pthread_mutex_unlock(&c->lock);
}

static struct caller ask_with(struct stage *s, const char *account, struct credential *credential)
{
  struct caller c;
  start(s, account, credential, &c);
  caller_wait(&c);
  return c;
}

static struct caller ask(struct stage *s)
{
  return ask_with(s, "acc", s->credential);
}

static void wait_for_hits(struct stage *s, int n)
{
  CU_ASSERT_TRUE(fake_wait_hits(s->fake, n));
  CU_ASSERT_EQUAL(fake_hits(s->fake), n);
}

/* Several looks at what is due, while nobody else reads the clock. */
static void let_ticks_pass(void)
{
  pthread_mutex_lock(&look_lock);
  for (long until = looks + 12; looks < until;)
    pthread_cond_wait(&looked, &look_lock);
  pthread_mutex_unlock(&look_lock);
}

static void wait_for_token(struct stage *s, const char *token)
{
  int64_t end = clock_mono_ms() + 20000;
  struct caller c = ask(s);
  while (strcmp(c.token, token) != 0 && clock_mono_ms() < end && sched_yield() == 0)
    c = ask(s);
  CU_ASSERT_STRING_EQUAL(c.token, token);
}

/* The only credential of a configuration, by name. */
struct one_account {
  const char *account_id;
  struct credential *credential;
};

static struct credential *find(void *user, const char *account_id)
{
  const struct one_account *a = user;
  return a->account_id != NULL && strcmp(a->account_id, account_id) == 0 ? a->credential : NULL;
}

static struct tokens_changes configure(struct stage *s, uint64_t generation, const char *account_id,
                                       struct credential *credential)
{
  struct tokens_changes changes;
  struct one_account a = {account_id, credential};
  tokens_configure(s->tokens, generation, find, &a, &changes);
  return changes;
}

static void metric_shows(const char *line)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  metrics_render(&text);
  if (strstr(buf_str(&text), line) == NULL)
    printf("\n  no %s in\n%s\n", line, buf_str(&text));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&text), line));
}

/* --------------------------------------------------------------------- ahead of time */

static void an_account_in_use_is_refreshed_without_a_caller(void)
{
  struct stage s = stage();
  ask(&s);
  atomic_store(&ahead_ms, (3600 - 361) * 1000);
  let_ticks_pass();
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  atomic_store(&ahead_ms, (3600 - 299) * 1000);
  wait_for_hits(&s, 2);
  wait_for_token(&s, "token-2");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 2);
  strike(&s);
}

static void an_account_that_nobody_uses_is_left_alone(void)
{
  struct stage s = stage_with((struct tokens_options){.in_use_s = 600});
  ask(&s);
  atomic_store(&ahead_ms, 3590 * 1000);
  let_ticks_pass();
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  strike(&s);
}

static void accounts_that_began_together_do_not_stay_together(void)
{
  enum { ACCOUNTS = 60, STEPS = 6 };
  struct stage s = stage();
  char account[16];
  for (int i = 0; i < ACCOUNTS; i++) {
    snprintf(account, sizeof(account), "a%02d", i);
    CU_ASSERT_EQUAL(ask_with(&s, account, s.credential).error.code, ERR_OK);
  }
  int last = ACCOUNTS, most = 0;
  for (int step = 1; step <= STEPS; step++) {
    /* From six minutes to five before the end. */
    atomic_store(&ahead_ms, (3600 - 361 + 10 * step) * 1000);
    let_ticks_pass();
    int now = fake_hits(s.fake);
    most = now - last > most ? now - last : most;
    last = now;
  }
  atomic_store(&ahead_ms, (3600 - 299) * 1000);
  wait_for_hits(&s, 2 * ACCOUNTS);
  CU_ASSERT_TRUE(most < ACCOUNTS / 2);
  strike(&s);
}

static void a_passing_failure_behind_the_scenes_costs_nobody_anything(void)
{
  struct stage s = stage();
  ask(&s);
  answer(&s, 503, "{}");
  atomic_store(&ahead_ms, (3600 - 250) * 1000);
  wait_for_hits(&s, 2);
  let_ticks_pass();
  CU_ASSERT_EQUAL(fake_hits(s.fake), 2); /* backoff */
  CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-1");
  answer(&s, 200, NULL);
  atomic_fetch_add(&ahead_ms, 5001);
  wait_for_hits(&s, 3);
  wait_for_token(&s, "token-3");
  strike(&s);
}

static void consent_withdrawn_behind_the_scenes_is_final(void)
{
  struct stage s = stage();
  AUTO_BUF struct buf detail = BUF_INIT(4096);
  ask(&s);
  answer(&s, 400, "{\"error\":\"invalid_grant\"}");
  atomic_store(&ahead_ms, (3600 - 250) * 1000);
  wait_for_hits(&s, 2);
  int64_t end = clock_mono_ms() + 20000;
  while (world_needing_consent(s.tokens) == 0 && clock_mono_ms() < end)
    sched_yield();
  metric_shows("auth_accounts{state=\"needs_reconsent\"} 1");
  metric_shows("auth_accounts{state=\"ok\"} 0");
  atomic_fetch_add(&ahead_ms, 86400 * 1000);
  let_ticks_pass();
  CU_ASSERT_STRING_EQUAL(ask(&s).error.reason, "invalid_grant");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 2);
  tokens_describe(s.tokens, &detail);
  CU_ASSERT_STRING_EQUAL(buf_str(&detail),
                         "warn accounts: 1 need re-consent; the log names them\n");
  strike(&s);
  metric_shows("auth_accounts{state=\"needs_reconsent\"} 0");
}

static void an_operators_fault_is_asked_about_rarely(void)
{
  struct stage s = stage();
  answer(&s, 401, "{\"error\":\"invalid_client\"}");
  CU_ASSERT_STRING_EQUAL(ask(&s).error.reason, "invalid_client");
  metric_shows("auth_accounts{state=\"misconfigured\"} 1");
  atomic_store(&ahead_ms, 299 * 1000);
  let_ticks_pass();
  CU_ASSERT_STRING_EQUAL(ask(&s).error.reason, "invalid_client");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  atomic_store(&ahead_ms, 601 * 1000);
  wait_for_hits(&s, 2);
  strike(&s);
}

/* --------------------------------------------------------------------- configuration */

static void needed_consent_outlives_a_reload_but_not_a_new_credential(void)
{
  struct stage s = stage();
  answer(&s, 400, "{\"error\":\"invalid_grant\"}");
  CU_ASSERT_STRING_EQUAL(ask(&s).error.reason, "invalid_grant");
  struct credential *same = credential_at(&s, "the-refresh-token", 2);
  struct credential *other = credential_at(&s, "another-one", 3);
  answer(&s, 200, NULL);
  CU_ASSERT_EQUAL(configure(&s, 2, "acc", same).changed, 0);
  let_ticks_pass();
  CU_ASSERT_STRING_EQUAL(ask_with(&s, "acc", same).error.reason, "invalid_grant");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  CU_ASSERT_EQUAL(configure(&s, 3, "acc", other).changed, 1);
  CU_ASSERT_EQUAL(world_needing_consent(s.tokens), 0);
  CU_ASSERT_STRING_EQUAL(ask_with(&s, "acc", other).token, "token-2");
  credential_unref(same);
  credential_unref(other);
  strike(&s);
}

static void a_reload_lets_an_operators_fault_be_tried_again(void)
{
  struct stage s = stage();
  answer(&s, 401, "{\"error\":\"invalid_client\"}");
  CU_ASSERT_STRING_EQUAL(ask(&s).error.reason, "invalid_client");
  struct credential *same = credential_at(&s, "the-refresh-token", 2);
  answer(&s, 200, NULL);
  configure(&s, 2, "acc", same);
  CU_ASSERT_STRING_EQUAL(ask_with(&s, "acc", same).token, "token-2");
  credential_unref(same);
  strike(&s);
}

static void an_unchanged_credential_keeps_its_token(void)
{
  struct stage s = stage();
  ask(&s);
  struct credential *same = credential_at(&s, "the-refresh-token", 2);
  configure(&s, 2, "acc", same);
  CU_ASSERT_STRING_EQUAL(ask_with(&s, "acc", same).token, "token-1");
  CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-1"); /* a request of the old snapshot too */
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  credential_unref(same);
  strike(&s);
}

static void a_removed_account_loses_its_token_at_once(void)
{
  struct stage s = stage();
  struct token_result held = {0};
  ask(&s);
  CU_ASSERT_TRUE(tokens_try(s.tokens, "acc", s.credential, &held));
  CU_ASSERT_STRING_EQUAL(secret_text(held.access_token), "token-1");
  secret_unref(held.access_token);
  CU_ASSERT_EQUAL(configure(&s, 2, NULL, NULL).removed, 1);
  CU_ASSERT_FALSE(tokens_try(s.tokens, "acc", s.credential, &held));
  struct caller c = ask(&s);
  CU_ASSERT_EQUAL(c.error.code, ERR_ABORTED);
  CU_ASSERT_STRING_EQUAL(c.error.reason, "configuration_changed");
  atomic_store(&ahead_ms, 3590 * 1000);
  let_ticks_pass();
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  strike(&s);
}

static void an_account_removed_during_its_refresh_answers_those_who_wait(void)
{
  struct stage s = stage();
  struct caller c;
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600, .delay_ms = 150});
  start(&s, "acc", s.credential, &c);
  wait_for_hits(&s, 1);
  configure(&s, 2, NULL, NULL);
  CU_ASSERT_TRUE(c.called);
  CU_ASSERT_STRING_EQUAL(c.error.reason, "configuration_changed");
  int64_t end = clock_mono_ms() + 20000;
  while (atomic_load(&answered) == 0 && clock_mono_ms() < end)
    sched_yield();
  CU_ASSERT_EQUAL(atomic_load(&answered), 1); /* to nobody */
  CU_ASSERT_EQUAL(ask(&s).error.code, ERR_ABORTED);
  struct credential *again = credential_at(&s, "the-refresh-token", 3);
  configure(&s, 3, "acc", again);
  CU_ASSERT_STRING_EQUAL(ask_with(&s, "acc", again).token, "token-2");
  credential_unref(again);
  strike(&s);
}

static void an_old_snapshot_cannot_bring_an_old_credential_back(void)
{
  struct stage s = stage();
  ask(&s);
  struct credential *new_one = credential_at(&s, "another-one", 2);
  /* A request with the new snapshot may come before the tokens heard of it. */
  CU_ASSERT_STRING_EQUAL(ask_with(&s, "acc", new_one).token, "token-2");
  CU_ASSERT_STRING_EQUAL(ask(&s).error.reason, "configuration_changed");
  configure(&s, 2, "acc", new_one);
  CU_ASSERT_STRING_EQUAL(ask(&s).error.reason, "configuration_changed");
  CU_ASSERT_STRING_EQUAL(ask_with(&s, "acc", new_one).token, "token-2");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 2);
  credential_unref(new_one);
  strike(&s);
}

static void a_credential_that_changes_during_a_refresh_gets_a_token_of_its_own(void)
{
  struct stage s = stage();
  struct caller before, after;
  char form[1024];
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600, .delay_ms = 150});
  struct credential *new_one = credential_at(&s, "another-one", 2);
  start(&s, "acc", s.credential, &before);
  wait_for_hits(&s, 1);
  configure(&s, 2, "acc", new_one);
  start(&s, "acc", new_one, &after);
  caller_wait(&after);
  caller_wait(&before);
  CU_ASSERT_STRING_EQUAL(before.error.reason, "configuration_changed");
  CU_ASSERT_STRING_EQUAL(after.token, "token-2");
  fake_last_form(s.fake, form, sizeof(form));
  CU_ASSERT_PTR_NOT_NULL(strstr(form, "refresh_token=another-one"));
  credential_unref(new_one);
  strike(&s);
}

/* ---------------------------------------------------------------------------- clocks */

static void a_clock_on_the_wall_that_jumps_ends_no_token(void)
{
  static const int64_t jumps_s[] = {0, 86400, -86400, -3, 7200};
  struct stage s = stage();
  ask(&s);
  for (size_t i = 0; i < ARRAY_LEN(jumps_s); i++) {
    atomic_store(&wall_ahead_ms, jumps_s[i] * 1000);
    struct caller c = ask(&s);
    int64_t now = test_wall() / 1000;
    CU_ASSERT_STRING_EQUAL(c.token, "token-1");
    /* The expiry given out is on the wall's clock as it is now. */
    CU_ASSERT_TRUE(c.expires_at > now + 3500 && c.expires_at <= now + 3600);
  }
  let_ticks_pass();
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  strike(&s);
}

static void a_slow_answer_costs_the_token_life(void)
{
  struct stage s = stage();
  struct caller c;
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600, .delay_ms = 100});
  start(&s, "acc", s.credential, &c);
  wait_for_hits(&s, 1);
  atomic_store(&ahead_ms, 2000 * 1000);
  caller_wait(&c);
  int64_t left = c.expires_at - test_wall() / 1000;
  CU_ASSERT_TRUE(left > 1500 && left <= 1600);
  strike(&s);
}

static void an_answer_slower_than_its_tokens_life_is_not_handed_out_as_good(void)
{
  struct stage s = stage();
  struct caller c;
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 60, .delay_ms = 100});
  start(&s, "acc", s.credential, &c);
  wait_for_hits(&s, 1);
  atomic_store(&ahead_ms, 61 * 1000);
  caller_wait(&c);
  CU_ASSERT_EQUAL(c.error.code, ERR_UNAVAILABLE);
  CU_ASSERT_STRING_EQUAL(c.token, "");
  answer(&s, 200, NULL);
  CU_ASSERT_STRING_EQUAL(ask(&s).token, "token-2");
  strike(&s);
}

/* ------------------------------------------------------------- a new refresh token */

static struct token_store *store_in(const char *dir)
{
  struct token_store *store = NULL;
  const struct token_store_options options = {.dir = dir};
  CU_ASSERT_EQUAL_FATAL(token_store_open(&store, &options, NULL), ERR_OK);
  return store;
}

#define ROTATED(n)                                                                                 \
  "{\"access_token\":\"t" n "\",\"expires_in\":3600,\"refresh_token\":\"refresh-" n "\"}"

static void a_replaced_refresh_token_is_used_after_a_restart(void)
{
  AUTO_FREE char *dir = folder_make();
  char form[1024];
  uint8_t first[SHA256_SIZE], second[SHA256_SIZE];
  struct stage s = stage_with((struct tokens_options){.store = store_in(dir)});
  sha256_of("the-refresh-token", 17, first);
  sha256_of("refresh-1", 9, second);
  answer(&s, 200, ROTATED("1"));
  CU_ASSERT_STRING_EQUAL(ask(&s).token, "t1");
  /* Another cache over the same store, as after a restart. */
  token_store_close(s.store);
  s.store = store_in(dir);
  const struct tokens_options options = {.env.http = s.http, .store = s.store};
  struct tokens *later = tokens_new(&options);
  CU_ASSERT_TRUE(tokens_holds(later, "acc", s.credential, second));
  CU_ASSERT_FALSE(tokens_holds(later, "acc", s.credential, first));
  answer(&s, 200, ROTATED("2"));
  struct caller c;
  pthread_mutex_init(&c.lock, NULL);
  pthread_cond_init(&c.changed, NULL);
  c.called = false;
  tokens_get(later, "acc", s.credential, NULL, tokens_wait_id(later), on_ready, &c);
  caller_wait(&c);
  CU_ASSERT_STRING_EQUAL(c.token, "t2");
  fake_last_form(s.fake, form, sizeof(form));
  CU_ASSERT_PTR_NOT_NULL(strstr(form, "refresh_token=refresh-1&"));
  http_client_free(s.http);
  s.http = NULL;
  tokens_free(later);
  strike(&s);
  folder_remove(dir);
}

static void an_access_token_waits_until_its_refresh_token_is_stored(void)
{
  AUTO_FREE char *dir = folder_make();
  struct rlimit limit;
  struct stage s = stage_with((struct tokens_options){.store = store_in(dir)});
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = 64; /* stands for a full disk */
  setrlimit(RLIMIT_FSIZE, &limit);
  answer(&s, 200, ROTATED("1"));
  struct caller c = ask(&s);
  CU_ASSERT_EQUAL(c.error.code, ERR_UNAVAILABLE);
  CU_ASSERT_STRING_EQUAL(c.error.reason, "state_not_stored");
  CU_ASSERT_PTR_NOT_NULL(strstr(c.error.message, "AUTH_STATE_DIR"));
  CU_ASSERT_STRING_EQUAL(ask(&s).error.reason, "state_not_stored"); /* at once */
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1); /* the old one is not asked with again */
  limit.rlim_cur = RLIM_INFINITY;
  setrlimit(RLIMIT_FSIZE, &limit);
  wait_for_token(&s, "t1");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  strike(&s);
  folder_remove(dir);
}

static void the_same_refresh_token_again_is_no_replacement(void)
{
  AUTO_FREE char *dir = folder_make();
  AUTO_BUF struct buf detail = BUF_INIT(1024);
  struct stage s = stage_with((struct tokens_options){.store = store_in(dir)});
  answer(&s, 200,
         "{\"access_token\":\"t1\",\"expires_in\":3600,\"refresh_token\":\"the-refresh-token\"}");
  CU_ASSERT_STRING_EQUAL(ask(&s).token, "t1");
  token_store_describe(s.store, &detail);
  CU_ASSERT_STRING_EQUAL(buf_str(&detail), "ok state: 0 replaced refresh tokens kept\n");
  strike(&s);
  folder_remove(dir);
}

TEST_MAIN("auth token life", TEST(an_account_in_use_is_refreshed_without_a_caller),
          TEST(an_account_that_nobody_uses_is_left_alone),
          TEST(accounts_that_began_together_do_not_stay_together),
          TEST(a_passing_failure_behind_the_scenes_costs_nobody_anything),
          TEST(consent_withdrawn_behind_the_scenes_is_final),
          TEST(an_operators_fault_is_asked_about_rarely),
          TEST(needed_consent_outlives_a_reload_but_not_a_new_credential),
          TEST(a_reload_lets_an_operators_fault_be_tried_again),
          TEST(an_unchanged_credential_keeps_its_token),
          TEST(a_removed_account_loses_its_token_at_once),
          TEST(an_account_removed_during_its_refresh_answers_those_who_wait),
          TEST(an_old_snapshot_cannot_bring_an_old_credential_back),
          TEST(a_credential_that_changes_during_a_refresh_gets_a_token_of_its_own),
          TEST(a_clock_on_the_wall_that_jumps_ends_no_token),
          TEST(a_slow_answer_costs_the_token_life),
          TEST(an_answer_slower_than_its_tokens_life_is_not_handed_out_as_good),
          TEST(a_replaced_refresh_token_is_used_after_a_restart),
          TEST(an_access_token_waits_until_its_refresh_token_is_stored),
          TEST(the_same_refresh_token_again_is_no_replacement))
