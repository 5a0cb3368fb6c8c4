/* rpc_call_on_cancel: once, on the poller, never too late, and taken back for sure. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/rpc/echo_service.h"

/* A handler of this file's own: hands its call to the test. */
struct seat {
  pthread_mutex_t lock;
  struct rpc_call *call;
  atomic_int arrived;
};

static struct seat seat = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct rpc_server *server;
static struct rpc_channel *channel;

static void take_seat(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  (void)request;
  struct seat *s = service;
  pthread_mutex_lock(&s->lock);
  s->call = call;
  pthread_mutex_unlock(&s->lock);
  atomic_fetch_add(&s->arrived, 1);
}

static void begin(void)
{
  static const struct rpc_method methods[] = {{"Say", RPC_UNARY, RPC_ON_POLLER, take_seat}};
  atomic_store(&seat.arrived, 0);
  rpc_init();
  struct rpc_server_options o = {.listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 2000};
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_server_new(&server, &o, &e), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_add(server, ECHO_SERVICE, methods, 1, &seat, &e), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_start(server, &e), ERR_OK);
  channel = echo_connect(server);
}

static void end(void)
{
  rpc_channel_free(channel);
  rpc_server_stop(server);
  rpc_shutdown();
}

/* Starts a call and waits until the handler has it. */
static struct rpc_call *arrive(struct rpc_client_call **client, struct outcome *o, int n)
{
  SayRequest request = SAY_REQUEST;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_client_start(client, channel, ECHO_SERVICE, "Say", RPC_UNARY,
                                         &request.base, NULL, &outcome_callbacks, o, &e),
                        ERR_OK);
  CU_ASSERT_TRUE_FATAL(wait_for(&seat.arrived, n));
  pthread_mutex_lock(&seat.lock);
  struct rpc_call *call = seat.call;
  pthread_mutex_unlock(&seat.lock);
  return call;
}

static void add_one(void *arg)
{
  atomic_fetch_add((atomic_int *)arg, 1);
}

static void a_late_callback_runs_at_once(void)
{
  begin();
  struct outcome o = OUTCOME_INIT;
  struct rpc_client_call *client;
  struct rpc_call *call = arrive(&client, &o, 1);
  CU_ASSERT_FALSE(rpc_call_cancelled(call));
  rpc_client_cancel(client);
  for (int i = 0; i < 1000 && !rpc_call_cancelled(call); i++)
    pause_ms(5);
  CU_ASSERT_TRUE(rpc_call_cancelled(call));
  atomic_int runs = 0;
  rpc_call_on_cancel(call, add_one, &runs);
  CU_ASSERT_TRUE(wait_for(&runs, 1));
  pause_ms(20);
  CU_ASSERT_EQUAL(atomic_load(&runs), 1);
  rpc_call_finish(call, NULL);
  CU_ASSERT_TRUE(outcome_wait(&o));
  rpc_client_release(client);
  end();
}

static void a_callback_taken_back_does_not_run(void)
{
  begin();
  struct outcome o = OUTCOME_INIT;
  struct rpc_client_call *client;
  struct rpc_call *call = arrive(&client, &o, 1);
  atomic_int runs = 0;
  rpc_call_on_cancel(call, add_one, &runs);
  rpc_call_on_cancel(call, NULL, NULL);
  rpc_client_cancel(client);
  CU_ASSERT_TRUE(outcome_wait(&o));
  pause_ms(100);
  CU_ASSERT_EQUAL(atomic_load(&runs), 0);
  rpc_call_finish(call, NULL);
  rpc_client_release(client);
  end();
}

static void no_callback_after_a_good_end(void)
{
  begin();
  struct outcome o = OUTCOME_INIT;
  struct rpc_client_call *client;
  struct rpc_call *call = arrive(&client, &o, 1);
  atomic_int runs = 0;
  rpc_call_on_cancel(call, add_one, &runs);
  SayResponse response = AMCP__TEST__V1__SAY_RESPONSE__INIT;
  rpc_call_reply(call, &response.base);
  CU_ASSERT_TRUE(outcome_wait(&o));
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  rpc_client_release(client);
  end();
  CU_ASSERT_EQUAL(atomic_load(&runs), 0);
}

struct slow {
  atomic_int entered, left;
};

static void take_a_while(void *arg)
{
  struct slow *s = arg;
  atomic_fetch_add(&s->entered, 1);
  pause_ms(150);
  atomic_fetch_add(&s->left, 1);
}

/* Taking back, and finishing, wait for a callback that runs: its argument may go then. */
static void taking_back_waits_for_a_running_callback(void)
{
  begin();
  for (int round = 0; round < 2; round++) {
    struct outcome o = OUTCOME_INIT;
    struct rpc_client_call *client;
    struct rpc_call *call = arrive(&client, &o, round + 1);
    struct slow slow = {0};
    rpc_call_on_cancel(call, take_a_while, &slow);
    rpc_client_cancel(client);
    CU_ASSERT_TRUE(wait_for(&slow.entered, 1));
    if (round == 0)
      rpc_call_on_cancel(call, NULL, NULL);
    else
      rpc_call_finish(call, NULL);
    CU_ASSERT_EQUAL(atomic_load(&slow.left), 1);
    if (round == 0)
      rpc_call_finish(call, NULL);
    CU_ASSERT_TRUE(outcome_wait(&o));
    rpc_client_release(client);
  }
  end();
}

/* Reply and cancellation at the same time, many times: the callback's argument is freed
 * right after the reply, so a late callback would be seen by the sanitizers. */
struct race {
  struct rpc_client_call *client;
  atomic_int go;
};

static void *cancel_at_go(void *arg)
{
  struct race *r = arg;
  while (atomic_load(&r->go) == 0)
    ;
  rpc_client_cancel(r->client);
  return NULL;
}

static void reply_and_cancel_may_race(void)
{
  begin();
  enum { ROUNDS = 300 };
  int cancelled = 0;
  for (int i = 0; i < ROUNDS; i++) {
    struct outcome o = OUTCOME_INIT;
    struct race race = {0};
    struct rpc_call *call = arrive(&race.client, &o, i + 1);
    atomic_int *runs = xcalloc(1, sizeof(*runs));
    rpc_call_on_cancel(call, add_one, runs);
    pthread_t thread;
    pthread_create(&thread, NULL, cancel_at_go, &race);
    atomic_store(&race.go, 1);
    for (int spin = 0; spin < i * 100; spin++)
      __asm__ volatile("");
    SayResponse response = AMCP__TEST__V1__SAY_RESPONSE__INIT;
    rpc_call_reply(call, &response.base);
    CU_ASSERT_TRUE(atomic_load(runs) <= 1);
    free(runs);
    pthread_join(thread, NULL);
    CU_ASSERT_TRUE_FATAL(outcome_wait(&o));
    cancelled += o.status.code == ERR_CANCELLED;
    rpc_client_release(race.client);
  }
  CU_ASSERT_TRUE(cancelled > 0);
  end();
}

TEST_MAIN("rpc cancellation", TEST(a_late_callback_runs_at_once),
          TEST(a_callback_taken_back_does_not_run), TEST(no_callback_after_a_good_end),
          TEST(taking_back_waits_for_a_running_callback), TEST(reply_and_cancel_may_race))
