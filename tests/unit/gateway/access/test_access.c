/* Bearer to grant, in front of an auth-svc that answers when the test says so. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "gateway/access/access.h"
#include "tests/unit/harness.h"

enum { CALLERS = 64, WAIT_MS = 10000 };

/* The fake auth-svc. "good-LIFE" is granted for LIFE milliseconds, "down" is undecided, the
 * rest refused. */
static struct {
  struct rpc_server *server;
  atomic_int questions, holding;
  atomic_bool hold;
} auth;

static struct rpc_channel *channel;
static struct access *access_of;

static void pause_ms(long ms)
{
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void reply_grant(struct rpc_call *call, int64_t life_ms)
{
  Analytics__Auth__V1__Grant g = ANALYTICS__AUTH__V1__GRANT__INIT;
  Analytics__Auth__V1__AuthenticateResponse r = ANALYTICS__AUTH__V1__AUTHENTICATE_RESPONSE__INIT;
  g.subject = (char *)(uintptr_t) "ann";
  g.expires_at = (clock_unix_ms() + life_ms) / 1000;
  r.grant = &g;
  rpc_call_reply(call, &r.base);
}

static void authenticate(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  (void)service;
  const Analytics__Auth__V1__AuthenticateRequest *request = (const void *)message;
  const char *bearer = request->bearer_token;
  CU_ASSERT_TRUE(strncmp(request->client_address, "192.0.2.", 8) == 0 ||
                 strncmp(request->client_address, "2001:db8:0:", 11) == 0);
  struct err e;
  atomic_fetch_add(&auth.questions, 1);
  atomic_fetch_add(&auth.holding, 1);
  while (atomic_load(&auth.hold))
    pause_ms(1);
  atomic_fetch_sub(&auth.holding, 1);
  if (strncmp(bearer, "good-", 5) == 0) {
    reply_grant(call, strtoll(bearer + 5, NULL, 10));
    return;
  }
  if (strcmp(bearer, "down") == 0)
    err_set(&e, ERR_UNAVAILABLE, "keys_unavailable", "no keys");
  else if (strcmp(bearer, "unmapped") == 0)
    err_set(&e, ERR_PERMISSION_DENIED, "no_mapping", "bearer token: no rule fits");
  else if (strcmp(bearer, "misconfigured") == 0)
    err_set(&e, ERR_PERMISSION_DENIED, "misconfigured", "of the operator alone");
  else
    err_set(&e, ERR_UNAUTHENTICATED, "invalid_credentials", "no");
  rpc_call_finish(call, &e);
}

static void start_with(struct access_options with)
{
  static const struct rpc_method methods[] = {
      {"Authenticate", RPC_UNARY, RPC_ON_WORKER, authenticate}};
  const struct rpc_server_options server = {
      .listen = "127.0.0.1:0", .workers = 8, .drain_ms = 1, .grace_ms = 1000};
  char target[32];
  struct err e = {0};
  log_init("test", LOG_LEVEL_ERROR);
  rpc_init();
  atomic_store(&auth.questions, 0);
  atomic_store(&auth.hold, false);
  CU_ASSERT_EQUAL_FATAL(rpc_server_new(&auth.server, &server, &e), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_add(auth.server, &analytics__auth__v1__auth_service__descriptor,
                                       methods, 1, NULL, &e),
                        ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_start(auth.server, &e), ERR_OK);
  snprintf(target, sizeof(target), "127.0.0.1:%u", rpc_server_port(auth.server));
  const struct rpc_channel_options options = {.target = target, .name = "auth-svc"};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&channel, &options, &e), ERR_OK);
  with.auth = channel;
  with.enabled = true;
  access_of = access_new(&with);
}

static void start(size_t cache_max)
{
  start_with((struct access_options){.cache_max = cache_max});
}

static void stop(void)
{
  rpc_channel_free(channel);
  access_free(access_of);
  rpc_server_stop(auth.server);
  rpc_shutdown();
}

/* One caller and the answer it got. */
struct caller {
  const char *bearer, *client; /* NULL: 192.0.2.7 */
  atomic_int answers;
  enum access_outcome outcome;
  bool granted;
  char why[32]; /* "" for none */
};

static void on_answer(void *arg, enum access_outcome outcome, struct grant *grant, const char *why)
{
  struct caller *c = arg;
  c->outcome = outcome;
  c->granted = grant != NULL;
  snprintf(c->why, sizeof(c->why), "%s", why != NULL ? why : "");
  atomic_fetch_add(&c->answers, 1);
}

static void *call(void *arg)
{
  struct caller *c = arg;
  access_check(access_of, c->bearer, c->client != NULL ? c->client : "192.0.2.7", on_answer, c);
  return NULL;
}

static bool told(struct caller *c, enum access_outcome outcome)
{
  for (int i = 0; i < WAIT_MS && atomic_load(&c->answers) == 0; i++)
    pause_ms(1);
  return atomic_load(&c->answers) == 1 && c->outcome == outcome &&
         c->granted == (outcome == ACCESS_GRANTED);
}

/* One caller after the other. */
static bool ask_from(const char *client, const char *bearer, enum access_outcome outcome)
{
  struct caller *c = xcalloc(1, sizeof(*c)); /* kept when it times out: the answer may still come */
  c->bearer = bearer;
  c->client = client;
  call(c);
  bool right = told(c, outcome);
  if (atomic_load(&c->answers) > 0)
    free(c);
  return right;
}

static bool ask(const char *bearer, enum access_outcome outcome)
{
  return ask_from(NULL, bearer, outcome);
}

static void only_a_missing_rule_is_explained_to_the_caller(void)
{
  static const struct {
    const char *bearer, *why;
    enum access_outcome outcome;
  } table[] = {{"unmapped", "no rule fits", ACCESS_FORBIDDEN},
               {"misconfigured", "", ACCESS_FORBIDDEN},
               {"down", "", ACCESS_UNAVAILABLE},
               {"bad", "", ACCESS_INVALID},
               {"good-600000", "", ACCESS_GRANTED}};
  start(0);
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct caller *c = xcalloc(1, sizeof(*c));
    c->bearer = table[i].bearer;
    call(c);
    CU_ASSERT_TRUE_FATAL(told(c, table[i].outcome));
    CU_ASSERT_STRING_EQUAL(c->why, table[i].why);
    free(c);
  }
  stop();
}

/* All callers from threads of their own while auth-svc is silent, then its answer. */
static void crowd(struct caller callers[CALLERS], const char *const *bearers, size_t n_bearers)
{
  pthread_t threads[CALLERS];
  atomic_store(&auth.hold, true);
  for (size_t i = 0; i < CALLERS; i++) {
    callers[i] = (struct caller){.bearer = bearers[i % n_bearers]};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
  }
  for (size_t i = 0; i < CALLERS; i++)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < WAIT_MS && atomic_load(&auth.holding) < (int)n_bearers; i++)
    pause_ms(1);
  for (size_t i = 0; i < CALLERS; i++)
    CU_ASSERT_EQUAL(atomic_load(&callers[i].answers), 0);
  atomic_store(&auth.hold, false);
}

static void all_are_told(const char *bearer, enum access_outcome outcome)
{
  static struct caller callers[CALLERS];
  crowd(callers, &bearer, 1);
  for (size_t i = 0; i < CALLERS; i++)
    CU_ASSERT_TRUE(told(&callers[i], outcome));
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), 1);
}

static void one_question_serves_64_callers_with_one_bearer(void)
{
  start(0);
  all_are_told("good-60000", ACCESS_GRANTED);
  CU_ASSERT_TRUE(ask("good-60000", ACCESS_GRANTED));
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), 1);
  stop();
}

static void a_refusal_reaches_all_and_is_not_remembered(void)
{
  start(0);
  all_are_told("bad", ACCESS_INVALID);
  CU_ASSERT_TRUE(ask("bad", ACCESS_INVALID));
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), 2);
  stop();
}

static void trouble_reaches_all_and_is_not_remembered(void)
{
  start(0);
  all_are_told("down", ACCESS_UNAVAILABLE);
  CU_ASSERT_TRUE(ask("down", ACCESS_UNAVAILABLE));
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), 2);
  stop();
}

/* The answer to one is never another's. */
static void callers_with_other_bearers_have_other_answers(void)
{
  static const char *const bearers[] = {"good-60000", "bad", "good-60001", "bad2"};
  static struct caller callers[CALLERS];
  start(0);
  crowd(callers, bearers, ARRAY_LEN(bearers));
  for (size_t i = 0; i < CALLERS; i++)
    CU_ASSERT_TRUE(told(&callers[i], i % 2 == 0 ? ACCESS_GRANTED : ACCESS_INVALID));
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), (int)ARRAY_LEN(bearers));
  stop();
}

static void a_grant_is_remembered_no_longer_than_it_lives(void)
{
  start(0);
  CU_ASSERT_TRUE(ask("good-2000", ACCESS_GRANTED));
  CU_ASSERT_TRUE(ask("good-2000", ACCESS_GRANTED));
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), 1);
  pause_ms(2010);
  CU_ASSERT_TRUE(ask("good-2000", ACCESS_GRANTED));
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), 2);
  CU_ASSERT_TRUE(ask("good-0", ACCESS_INVALID));      /* this second: over */
  CU_ASSERT_TRUE(ask("good--60000", ACCESS_INVALID)); /* auth-svc's clock may be another's */
  stop();
}

static void the_cache_keeps_to_its_cap(void)
{
  static const char *const bearers[] = {"good-60001", "good-60002", "good-60003", "good-60004"};
  start(3);
  for (size_t i = 0; i < ARRAY_LEN(bearers); i++)
    CU_ASSERT_TRUE(ask(bearers[i], ACCESS_GRANTED));
  CU_ASSERT_TRUE(ask(bearers[3], ACCESS_GRANTED));
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), 4);
  CU_ASSERT_TRUE(ask(bearers[0], ACCESS_GRANTED)); /* made room */
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), 5);
  stop();
}

static void no_bearer_is_no_question(void)
{
  start(0);
  CU_ASSERT_TRUE(ask(NULL, ACCESS_MISSING));
  CU_ASSERT_TRUE(ask("", ACCESS_MISSING));
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), 0);
  stop();
}

/* Questions that cannot be asked, and those that end with the channel. */
static int64_t share_now;

static int64_t share_clock(void)
{
  return share_now;
}

static void strangers_of_one_address_use_up_their_minute_and_nobody_elses(void)
{
  struct shares *addresses = shares_new(
      &(struct share_limits){.requests_per_minute = 4, .addresses = true, .now_ms = share_clock});
  start_with((struct access_options){.addresses = addresses});
  CU_ASSERT_TRUE(ask("good-60000", ACCESS_GRANTED)); /* a stranger's until it is accepted */
  CU_ASSERT_TRUE(ask("bad-1", ACCESS_INVALID));
  CU_ASSERT_TRUE(ask("bad-1", ACCESS_INVALID));
  CU_ASSERT_TRUE(ask("bad-2", ACCESS_INVALID));
  CU_ASSERT_TRUE(ask("bad-3", ACCESS_TOO_MANY));
  CU_ASSERT_TRUE(ask("good-70000", ACCESS_TOO_MANY));
  CU_ASSERT_TRUE(ask("good-60000", ACCESS_GRANTED));
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), 4);
  CU_ASSERT_TRUE(ask_from("192.0.2.8", "good-70000", ACCESS_GRANTED));
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), 5);
  share_now += 15000; /* a quarter of a minute: one more */
  CU_ASSERT_TRUE(ask("bad-3", ACCESS_INVALID));
  CU_ASSERT_TRUE(ask("bad-3", ACCESS_TOO_MANY));
  stop();
  shares_free(addresses);
}

/* Whatever strangers send, and from wherever: what is kept of them has a bound. Hosts of one
 * network of IPv6 are one stranger. */
static void strangers_of_ever_other_addresses_are_kept_up_to_a_bound(void)
{
  enum { STRANGERS = 120, KEPT = 50 };
  struct shares *addresses = shares_new(&(struct share_limits){
      .requests_per_minute = 2, .addresses = true, .principals = KEPT, .now_ms = share_clock});
  char address[64];
  start_with((struct access_options){.addresses = addresses});
  for (int i = 0; i < STRANGERS; i++) {
    snprintf(address, sizeof(address), "2001:db8:0:%x::1", i);
    CU_ASSERT_TRUE(ask_from(address, "bad", ACCESS_INVALID));
    CU_ASSERT_EQUAL(shares_count(addresses), (size_t)(i < KEPT ? i + 1 : KEPT));
  }
  CU_ASSERT_TRUE(ask_from("2001:db8:0:77::2", "bad", ACCESS_INVALID)); /* the last one's network */
  CU_ASSERT_TRUE(ask_from("2001:db8:0:77::3", "bad", ACCESS_TOO_MANY));
  CU_ASSERT_EQUAL(shares_count(addresses), KEPT);
  CU_ASSERT_EQUAL(atomic_load(&auth.questions), STRANGERS + 1);
  stop();
  shares_free(addresses);
}

static void a_bearer_that_was_accepted_is_no_strangers_when_it_is_asked_again(void)
{
  struct shares *addresses = shares_new(
      &(struct share_limits){.requests_per_minute = 1, .addresses = true, .now_ms = share_clock});
  start_with((struct access_options){.addresses = addresses, .cache_ms = 1});
  CU_ASSERT_TRUE(ask("good-60000", ACCESS_GRANTED));
  for (int again = 2; again < 5; again++) {
    pause_ms(2); /* the grant is forgotten after one */
    CU_ASSERT_TRUE(ask("good-60000", ACCESS_GRANTED));
    CU_ASSERT_EQUAL(atomic_load(&auth.questions), again);
  }
  CU_ASSERT_TRUE(ask("bad-1", ACCESS_TOO_MANY));
  stop();
  shares_free(addresses);
}

static void the_end_of_the_channel_answers_all(void)
{
  static struct caller callers[CALLERS];
  static const char *const bearers[] = {"good-60000", "bad"};
  start(0);
  atomic_store(&auth.hold, true);
  for (size_t i = 0; i < CALLERS; i++) {
    callers[i] = (struct caller){.bearer = bearers[i % 2]};
    call(&callers[i]);
  }
  rpc_channel_free(channel);
  atomic_store(&auth.hold, false);
  for (size_t i = 0; i < CALLERS; i++)
    CU_ASSERT_TRUE(told(&callers[i], ACCESS_UNAVAILABLE));
  access_free(access_of);
  rpc_server_stop(auth.server);
  rpc_shutdown();
}

TEST_MAIN("gateway_access", TEST(only_a_missing_rule_is_explained_to_the_caller),
          TEST(one_question_serves_64_callers_with_one_bearer),
          TEST(a_refusal_reaches_all_and_is_not_remembered),
          TEST(trouble_reaches_all_and_is_not_remembered),
          TEST(callers_with_other_bearers_have_other_answers),
          TEST(a_grant_is_remembered_no_longer_than_it_lives), TEST(the_cache_keeps_to_its_cap),
          TEST(no_bearer_is_no_question),
          TEST(strangers_of_one_address_use_up_their_minute_and_nobody_elses),
          TEST(strangers_of_ever_other_addresses_are_kept_up_to_a_bound),
          TEST(a_bearer_that_was_accepted_is_no_strangers_when_it_is_asked_again),
          TEST(the_end_of_the_channel_answers_all))
