/* Servers that hang: connections stay open, nothing is answered. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/relay.h"
#include "tests/unit/rpc/echo_service.h"
#include "tests/unit/side.h"

enum { ATTEMPT_MS = 200 };

/* Two servers; the first is reached through a relay, by which it hangs. */
static struct echo hanging, healthy;
static struct rpc_server *servers[2];
static struct relay *relay;
static struct rpc_channel *channel;

static void open_channel(const char *target)
{
  struct rpc_channel_options o = {.target = target, .name = "echo-svc"};
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&channel, &o, &e), ERR_OK);
}

static void begin(bool with_healthy)
{
  char target[96];
  memset(&hanging, 0, sizeof(hanging));
  memset(&healthy, 0, sizeof(healthy));
  rpc_init();
  servers[0] = echo_start(&hanging, NULL);
  servers[1] = with_healthy ? echo_start(&healthy, NULL) : NULL;
  relay = relay_start(rpc_server_port(servers[0]));
  if (with_healthy)
    snprintf(target, sizeof(target), "ipv4:127.0.0.1:%u,%s", relay_port(relay),
             echo_address(servers[1]));
  else
    snprintf(target, sizeof(target), "127.0.0.1:%u", relay_port(relay));
  open_channel(target);
}

static void end(void)
{
  rpc_channel_free(channel);
  relay_hold(relay, false);
  rpc_server_stop(servers[0]);
  rpc_server_stop(servers[1]);
  relay_stop(relay);
  rpc_shutdown();
}

/* Calls until both servers have answered one. */
static void reach(struct echo *one, struct echo *other)
{
  struct err e;
  for (int i = 0; i < 500 && (one->served == 0 || other->served == 0); i++) {
    CU_ASSERT_EQUAL(echo_say(channel, "Say", "x", NULL, &e), ERR_OK);
    pause_ms(2);
  }
  CU_ASSERT_TRUE_FATAL(one->served > 0 && other->served > 0);
}

static void a_call_goes_to_another_server_when_one_hangs(void)
{
  begin(true);
  reach(&hanging, &healthy);
  relay_hold(relay, true);
  struct rpc_client_options o = {.attempt_ms = ATTEMPT_MS};
  struct err e;
  int waited = 0;
  for (int i = 0; i < 6; i++) {
    int64_t started = clock_mono_ms();
    CU_ASSERT_EQUAL(echo_say(channel, "Say", "x", &o, &e), ERR_OK);
    waited += clock_mono_ms() - started >= ATTEMPT_MS - 10;
  }
  CU_ASSERT_TRUE(waited > 0); /* some met the one that hangs */
  end();
}

static void a_server_that_hangs_is_named_after_three_attempts(void)
{
  begin(false);
  reach(&hanging, &hanging);
  relay_hold(relay, true);
  struct rpc_client_options o = {.attempt_ms = ATTEMPT_MS};
  struct err e;
  int64_t started = clock_mono_ms();
  CU_ASSERT_EQUAL(echo_say(channel, "Say", "x", &o, &e), ERR_UNAVAILABLE);
  int64_t took = clock_mono_ms() - started;
  CU_ASSERT_TRUE(took >= 3 * ATTEMPT_MS - 10 && took < 4000);
  CU_ASSERT_STRING_EQUAL(e.reason, RPC_REASON_UNREACHABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "echo-svc"));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "did not answer 3 attempts"));
  end();
}

static void a_call_is_answered_when_the_server_goes_on(void)
{
  begin(false);
  reach(&hanging, &hanging);
  relay_hold(relay, true);
  struct outcome o = OUTCOME_INIT;
  SayRequest request = SAY_REQUEST;
  request.text = TEXT("x");
  struct rpc_client_options options = {.attempt_ms = 2000};
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_client_start(NULL, channel, ECHO_SERVICE, "Say", RPC_UNARY,
                                         &request.base, &options, &outcome_callbacks, &o, &e),
                        ERR_OK);
  relay_hold(relay, false);
  CU_ASSERT_TRUE(outcome_wait(&o));
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  end();
}

/* The limit is for the first sign of an answer: a long stream may take its time. */
static void a_stream_that_has_begun_has_no_limit(void)
{
  begin(false);
  struct outcome o = OUTCOME_INIT;
  o.pause_after = 1;
  CountRequest request = AMCP__TEST__V1__COUNT_REQUEST__INIT;
  request.count = 3;
  struct rpc_client_options options = {.attempt_ms = ATTEMPT_MS};
  struct rpc_client_call *call;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_client_start(&call, channel, ECHO_SERVICE, "Count",
                                         RPC_SERVER_STREAMING, &request.base, &options,
                                         &outcome_callbacks, &o, &e),
                        ERR_OK);
  pause_ms(2 * ATTEMPT_MS);
  pthread_mutex_lock(&o.lock);
  o.pause_after = 0;
  pthread_mutex_unlock(&o.lock);
  rpc_client_resume(call);
  CU_ASSERT_TRUE(outcome_wait(&o));
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL(o.messages, 3);
  rpc_client_release(call);
  end();
}

static void calls_that_wait_for_a_hanging_server_end_with_their_channel(void)
{
  begin(false);
  reach(&hanging, &hanging);
  relay_hold(relay, true);
  enum { CALLS = 8 };
  struct outcome o[CALLS];
  SayRequest request = SAY_REQUEST;
  request.text = TEXT("x");
  struct err e = {0};
  for (size_t i = 0; i < CALLS; i++) {
    struct rpc_client_options options = {.attempt_ms = (uint32_t)(20 + 40 * i)};
    o[i] = (struct outcome)OUTCOME_INIT;
    rpc_client_start(NULL, channel, ECHO_SERVICE, "Say", RPC_UNARY, &request.base, &options,
                     &outcome_callbacks, &o[i], &e);
  }
  pause_ms(150); /* some have been given up by now */
  rpc_channel_free(TAKE_PTR(channel));
  for (size_t i = 0; i < CALLS; i++) {
    CU_ASSERT_EQUAL(o[i].done, 1);
    CU_ASSERT_TRUE(o[i].status.code == ERR_CANCELLED || o[i].status.code == ERR_UNAVAILABLE);
  }
  end();
}

TEST_MAIN_SIDE_BY_SIDE("rpc servers that hang", TEST(a_call_goes_to_another_server_when_one_hangs),
                       TEST(a_server_that_hangs_is_named_after_three_attempts),
                       TEST(a_call_is_answered_when_the_server_goes_on),
                       TEST(a_stream_that_has_begun_has_no_limit),
                       TEST(calls_that_wait_for_a_hanging_server_end_with_their_channel))
