/* Deadlines, cancellation, servers that are down, restarts. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/rpc/echo_service.h"
#include "tests/unit/side.h"

static struct echo echo;
static struct rpc_server *server;
static struct rpc_channel *channel;

static void begin(void)
{
  memset(&echo, 0, sizeof(echo));
  rpc_init();
  server = echo_start(&echo, NULL);
  channel = echo_connect(server);
}

static void end(void)
{
  rpc_channel_free(channel);
  rpc_server_stop(server);
  rpc_shutdown();
}

static struct rpc_client_call *start(struct outcome *o, const char *method,
                                     const struct rpc_client_options *options)
{
  SayRequest request = SAY_REQUEST;
  request.text = TEXT("Hang");
  struct rpc_client_call *call;
  struct err e = {0};
  enum err_code code = rpc_client_start(&call, channel, ECHO_SERVICE, method, RPC_UNARY,
                                        &request.base, options, &outcome_callbacks, o, &e);
  CU_ASSERT_EQUAL_FATAL(code, ERR_OK);
  return call;
}

/* So that a call with a deadline arrives before it on a busy machine, too. */
static void connect_first(struct rpc_channel *ch)
{
  struct err e;
  CU_ASSERT_EQUAL(echo_say(ch, "Say", "x", NULL, &e), ERR_OK);
}

static void a_deadline_ends_the_call_on_both_sides(void)
{
  begin();
  struct err e;
  connect_first(channel);
  struct rpc_client_options o = {.timeout_ms = 1000};
  int64_t started = clock_mono_ms();
  CU_ASSERT_EQUAL(echo_say(channel, "Hang", "x", &o, &e), ERR_DEADLINE_EXCEEDED);
  int64_t took = clock_mono_ms() - started;
  CU_ASSERT_TRUE(took >= 990 && took < 15000);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "echo-svc"));
  CU_ASSERT_TRUE(wait_for(&echo.cancelled, 1));
  end();
}

static void a_client_cancel_reaches_on_cancel(void)
{
  begin();
  struct outcome o = OUTCOME_INIT;
  struct rpc_client_call *call = start(&o, "Hang", NULL);
  CU_ASSERT_TRUE(wait_for(&echo.hanging, 1));
  rpc_client_cancel(call);
  CU_ASSERT_TRUE(outcome_wait(&o));
  CU_ASSERT_EQUAL(o.status.code, ERR_CANCELLED);
  CU_ASSERT_TRUE(wait_for(&echo.cancelled, 1));
  rpc_client_cancel(call); /* after the end: nothing */
  rpc_client_release(call);
  CU_ASSERT_EQUAL(o.done, 1);
  end();
}

static void a_parents_cancellation_cancels_its_child(void)
{
  begin();
  echo.relay = echo_connect(server);
  struct outcome o = OUTCOME_INIT;
  struct rpc_client_call *call = start(&o, "Relay", NULL);
  CU_ASSERT_TRUE(wait_for(&echo.hanging, 1));
  rpc_client_cancel(call);
  CU_ASSERT_TRUE(outcome_wait(&o));
  CU_ASSERT_TRUE(wait_for(&echo.cancelled, 1));
  rpc_client_release(call);
  rpc_channel_free(echo.relay);
  end();
}

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void a_parents_deadline_and_metadata_reach_its_child(void)
{
  begin();
  echo.relay = echo_connect(server);
  const struct rpc_metadata md[] = {{RPC_META_TRACEPARENT, PARENT, sizeof(PARENT) - 1},
                                    {RPC_META_GRANT, "\x01\x00\x02", 3}};
  struct rpc_client_options o = {.timeout_ms = 1000, .metadata = md, .n_metadata = 2};
  struct err e;
  connect_first(channel);
  connect_first(echo.relay);
  int64_t started = clock_mono_ms();
  CU_ASSERT_EQUAL(echo_say(channel, "Relay", "Hang", &o, &e), ERR_DEADLINE_EXCEEDED);
  CU_ASSERT_TRUE(wait_for(&echo.cancelled, 1));
  CU_ASSERT_TRUE(clock_mono_ms() - started < 15000);

  o.timeout_ms = 7000;
  SayRequest request = SAY_REQUEST;
  request.text = TEXT("Describe");
  ProtobufCMessage *response;
  /* Relay answers with what Describe gave it: the same bytes, another message type. */
  CU_ASSERT_EQUAL_FATAL(
      rpc_client_call_sync(&response, channel, ECHO_SERVICE, "Relay", &request.base, &o, &e),
      ERR_OK);
  size_t size = protobuf_c_message_get_packed_size(response);
  AUTO_FREE uint8_t *bytes = xmalloc(size);
  protobuf_c_message_pack(response, bytes);
  DescribeResponse *d = amcp__test__v1__describe_response__unpack(NULL, size, bytes);
  CU_ASSERT_PTR_NOT_NULL_FATAL(d);
  CU_ASSERT_STRING_EQUAL(d->traceparent, PARENT);
  CU_ASSERT_EQUAL(d->grant.len, 3);
  CU_ASSERT_TRUE(d->remaining_ms > 4000 && d->remaining_ms <= 7100);
  protobuf_c_message_free_unpacked(&d->base, NULL);
  protobuf_c_message_free_unpacked(response, NULL);
  rpc_channel_free(echo.relay);
  end();
}

static void a_dead_backend_is_named_within_seconds_and_recovers(void)
{
  begin();
  struct err e;
  CU_ASSERT_EQUAL(echo_say(channel, "Say", "x", NULL, &e), ERR_OK);
  char address[64];
  snprintf(address, sizeof(address), "%s", echo_address(server));
  rpc_server_stop(server);
  for (int i = 0; i < 2; i++) {
    int64_t started = clock_mono_ms();
    CU_ASSERT_EQUAL(echo_say(channel, "Say", "x", NULL, &e), ERR_UNAVAILABLE);
    CU_ASSERT_TRUE(clock_mono_ms() - started < 10000);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "echo-svc"));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, address));
    CU_ASSERT_STRING_EQUAL(e.reason, "unreachable");
  }
  struct rpc_server_options o = {.listen = address};
  server = echo_start(&echo, &o);
  CU_ASSERT_EQUAL(echo_say(channel, "Say", "x", NULL, &e), ERR_OK);
  end();
}

/* The kernel accepts, nobody answers: a process that hangs. */
static void a_silent_server_is_reported_within_seconds(void)
{
  begin();
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(in);
  CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&in, size), 0);
  CU_ASSERT_EQUAL_FATAL(listen(fd, 64), 0);
  getsockname(fd, (struct sockaddr *)&in, &size);
  char address[64];
  snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(in.sin_port));
  struct rpc_channel_options o = {.target = address, .name = "silent-svc"};
  struct rpc_channel *silent;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&silent, &o, &e), ERR_OK);
  int64_t started = clock_mono_ms();
  CU_ASSERT_EQUAL(echo_say(silent, "Say", "x", NULL, &e), ERR_UNAVAILABLE);
  CU_ASSERT_TRUE(clock_mono_ms() - started < 12000);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "silent-svc"));
  rpc_channel_free(silent);
  close(fd);
  end();
}

static void an_unknown_host_is_reported_within_seconds(void)
{
  begin();
  struct rpc_channel_options o = {.target = "dns:///no-such-host.invalid:50051",
                                  .name = "lost-svc"};
  struct rpc_channel *lost;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&lost, &o, &e), ERR_OK);
  int64_t started = clock_mono_ms();
  CU_ASSERT_EQUAL(echo_say(lost, "Say", "x", NULL, &e), ERR_UNAVAILABLE);
  CU_ASSERT_TRUE(clock_mono_ms() - started < 15000);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "no-such-host.invalid"));
  rpc_channel_free(lost);
  end();
}

static void a_call_survives_a_short_restart(void)
{
  begin();
  struct err e;
  CU_ASSERT_EQUAL(echo_say(channel, "Say", "x", NULL, &e), ERR_OK);
  char address[64];
  snprintf(address, sizeof(address), "%s", echo_address(server));
  rpc_server_stop(server);
  struct outcome o = OUTCOME_INIT;
  struct rpc_client_call *call = start(&o, "Say", NULL);
  pause_ms(600);
  struct rpc_server_options options = {.listen = address};
  server = echo_start(&echo, &options);
  CU_ASSERT_TRUE(outcome_wait(&o));
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  rpc_client_release(call);
  end();
}

static void a_call_that_waits_for_a_dead_backend_can_be_cancelled(void)
{
  begin();
  rpc_server_stop(server);
  struct outcome o = OUTCOME_INIT;
  struct rpc_client_call *call = start(&o, "Say", NULL);
  pause_ms(300);
  int64_t started = clock_mono_ms();
  rpc_client_cancel(call);
  CU_ASSERT_TRUE(outcome_wait(&o));
  CU_ASSERT_EQUAL(o.status.code, ERR_CANCELLED);
  CU_ASSERT_TRUE(clock_mono_ms() - started < 15000);
  rpc_client_release(call);
  server = NULL;
  end();
}

static void freeing_a_channel_ends_its_calls(void)
{
  begin();
  struct outcome o[5];
  struct rpc_client_call *calls[5];
  for (size_t i = 0; i < 5; i++) {
    o[i] = (struct outcome)OUTCOME_INIT;
    calls[i] = start(&o[i], "Hang", NULL);
  }
  CU_ASSERT_TRUE(wait_for(&echo.hanging, 5));
  rpc_channel_free(channel);
  channel = NULL;
  for (size_t i = 0; i < 5; i++) {
    CU_ASSERT_EQUAL(o[i].done, 1);
    CU_ASSERT_EQUAL(o[i].status.code, ERR_CANCELLED);
    rpc_client_cancel(calls[i]);
    rpc_client_release(calls[i]);
  }
  end();
}

static void a_busy_port_is_an_error_with_the_address(void)
{
  begin();
  struct rpc_server_options o = {.listen = echo_address(server)};
  struct rpc_server *second;
  struct err e = {0};
  CU_ASSERT_EQUAL(rpc_server_new(&second, &o, &e), ERR_OK);
  CU_ASSERT_EQUAL(rpc_server_start(second, &e), ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, o.listen));
  rpc_server_stop(second);
  end();
}

static void stop_cancels_what_outlives_the_grace_period(void)
{
  memset(&echo, 0, sizeof(echo));
  rpc_init();
  struct rpc_server_options options = {.grace_ms = 200};
  server = echo_start(&echo, &options);
  channel = echo_connect(server);
  struct outcome hanging = OUTCOME_INIT;
  struct rpc_client_call *call = start(&hanging, "Hang", NULL);
  CU_ASSERT_TRUE(wait_for(&echo.hanging, 1));
  int64_t started = clock_mono_ms();
  rpc_server_stop(server);
  int64_t took = clock_mono_ms() - started;
  CU_ASSERT_TRUE(took >= 200 && took < 15000);
  CU_ASSERT_EQUAL(atomic_load(&echo.cancelled), 1);
  CU_ASSERT_TRUE(outcome_wait(&hanging));
  CU_ASSERT_NOT_EQUAL(hanging.status.code, ERR_OK);
  rpc_client_release(call);
  server = NULL;
  end();
}

static void stop_lets_calls_under_way_finish(void)
{
  begin();
  SayRequest request = SAY_REQUEST;
  request.text = TEXT("slow");
  request.delay_ms = 400;
  struct outcome o = OUTCOME_INIT;
  struct err e = {0};
  rpc_client_start(NULL, channel, ECHO_SERVICE, "SaySlowly", RPC_UNARY, &request.base, NULL,
                   &outcome_callbacks, &o, &e);
  CU_ASSERT_TRUE(wait_for(&echo.served, 1));
  rpc_server_stop(server);
  CU_ASSERT_TRUE(outcome_wait(&o));
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  server = NULL;
  end();
}

/* Calls without a pause while two servers are replaced one after the other. */
struct load {
  struct rpc_channel *channel;
  atomic_bool stop;
  atomic_int good, bad;
  struct err first_error;
};

static void *keep_calling(void *arg)
{
  struct load *l = arg;
  while (!atomic_load(&l->stop)) {
    struct err e;
    if (echo_say(l->channel, "SaySlowly", "x", NULL, &e) == ERR_OK)
      atomic_fetch_add(&l->good, 1);
    else if (atomic_fetch_add(&l->bad, 1) == 0)
      l->first_error = e;
    pause_ms(1);
  }
  return NULL;
}

static void a_rolling_restart_of_two_servers_loses_no_call(void)
{
  memset(&echo, 0, sizeof(echo));
  rpc_init();
  char addresses[2][64], target[160];
  struct rpc_server *servers[2];
  for (size_t i = 0; i < 2; i++) {
    servers[i] = echo_start(&echo, &(struct rpc_server_options){.drain_ms = 300});
    snprintf(addresses[i], sizeof(addresses[i]), "%s", echo_address(servers[i]));
  }
  snprintf(target, sizeof(target), "ipv4:%s,%s", addresses[0], addresses[1]);
  struct rpc_channel_options options = {.target = target, .name = "echo-svc"};
  struct err e = {0};
  struct load load = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&load.channel, &options, &e), ERR_OK);
  enum { THREADS = 6 };
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, keep_calling, &load);
  for (int round = 0; round < 2; round++)
    for (size_t i = 0; i < 2; i++) {
      pause_ms(150);
      rpc_server_stop(servers[i]);
      pause_ms(100);
      struct rpc_server_options o = {.listen = addresses[i], .drain_ms = 300};
      servers[i] = echo_start(&echo, &o);
    }
  pause_ms(200);
  atomic_store(&load.stop, true);
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  CU_ASSERT_EQUAL(atomic_load(&load.bad), 0);
  CU_ASSERT_TRUE(atomic_load(&load.good) > 200);
  if (atomic_load(&load.bad) > 0)
    printf("\n    %d lost, first: %s\n", atomic_load(&load.bad), load.first_error.message);
  rpc_channel_free(load.channel);
  for (size_t i = 0; i < 2; i++)
    rpc_server_stop(servers[i]);
  rpc_shutdown();
}

TEST_MAIN_SIDE_BY_SIDE(
    "rpc outages", TEST(a_deadline_ends_the_call_on_both_sides),
    TEST(a_client_cancel_reaches_on_cancel), TEST(a_parents_cancellation_cancels_its_child),
    TEST(a_parents_deadline_and_metadata_reach_its_child),
    TEST(a_dead_backend_is_named_within_seconds_and_recovers),
    TEST(a_silent_server_is_reported_within_seconds),
    TEST(an_unknown_host_is_reported_within_seconds), TEST(a_call_survives_a_short_restart),
    TEST(a_call_that_waits_for_a_dead_backend_can_be_cancelled),
    TEST(freeing_a_channel_ends_its_calls), TEST(a_busy_port_is_an_error_with_the_address),
    TEST(stop_cancels_what_outlives_the_grace_period), TEST(stop_lets_calls_under_way_finish),
    TEST(a_rolling_restart_of_two_servers_loses_no_call))
