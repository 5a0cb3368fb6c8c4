/* Server streaming: order, backpressure, pause, the end. */
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/rpc/echo_service.h"

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

enum { MODE_WAIT = 0, MODE_WRITABLE = 1 };

static struct rpc_client_call *count(struct outcome *o, uint32_t n, uint32_t bytes, uint32_t mode)
{
  CountRequest request = AMCP__TEST__V1__COUNT_REQUEST__INIT;
  request.count = n;
  request.bytes = bytes;
  request.mode = mode;
  struct rpc_client_call *call;
  struct err e = {0};
  enum err_code code = rpc_client_start(&call, channel, ECHO_SERVICE, "Count", RPC_SERVER_STREAMING,
                                        &request.base, NULL, &outcome_callbacks, o, &e);
  CU_ASSERT_EQUAL_FATAL(code, ERR_OK);
  return call;
}

static void all_messages_arrive_in_order(void)
{
  begin();
  for (uint32_t mode = MODE_WAIT; mode <= MODE_WRITABLE; mode++) {
    struct outcome o = OUTCOME_INIT;
    struct rpc_client_call *call = count(&o, 5000, 100, mode);
    CU_ASSERT_TRUE(outcome_wait(&o));
    CU_ASSERT_EQUAL(o.status.code, ERR_OK);
    CU_ASSERT_EQUAL(o.messages, 5000);
    CU_ASSERT_EQUAL(o.bytes, 500000);
    CU_ASSERT_TRUE(o.in_order);
    rpc_client_release(call);
  }
  end();
}

static void a_stream_without_messages_ends_well(void)
{
  begin();
  struct outcome o = OUTCOME_INIT;
  rpc_client_release(count(&o, 0, 0, MODE_WRITABLE));
  CU_ASSERT_TRUE(outcome_wait(&o));
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL(o.messages, 0);
  end();
}

static int messages_of(struct outcome *o)
{
  pthread_mutex_lock(&o->lock);
  int n = o->messages;
  pthread_mutex_unlock(&o->lock);
  return n;
}

/* The value once it has not changed for a while; -1 when it never stops. */
static int settled(atomic_int *value)
{
  int last = -1, same = 0;
  for (int i = 0; i < 100 && same < 6; i++) {
    int now = atomic_load(value);
    same = now == last && now > 0 ? same + 1 : 0;
    last = now;
    pause_ms(50);
  }
  return same == 6 ? last : -1;
}

/* The reader pauses: the sender must stop, not buffer without end. */
static void a_slow_reader_stops_the_sender(void)
{
  begin();
  for (uint32_t mode = MODE_WAIT; mode <= MODE_WRITABLE; mode++) {
    atomic_store(&echo.sent, 0);
    atomic_store(&echo.full, 0);
    struct outcome o = OUTCOME_INIT;
    o.pause_after = 1;
    struct rpc_client_call *call = count(&o, 400, 64 * 1024, mode);
    int sent = settled(&echo.sent);
    CU_ASSERT_TRUE(sent > 16 && sent < 160);
    CU_ASSERT_EQUAL(messages_of(&o), 1);
    if (mode == MODE_WRITABLE)
      CU_ASSERT_TRUE(atomic_load(&echo.full) > 0);
    pthread_mutex_lock(&o.lock);
    o.pause_after = 0;
    pthread_mutex_unlock(&o.lock);
    rpc_client_resume(call);
    CU_ASSERT_TRUE(outcome_wait(&o));
    CU_ASSERT_EQUAL(o.messages, 400);
    CU_ASSERT_TRUE(o.in_order);
    rpc_client_release(call);
  }
  end();
}

/* Every message pauses the stream and another thread resumes it. */
static void pause_and_resume_lose_nothing(void)
{
  begin();
  struct outcome o = OUTCOME_INIT;
  o.pause_after = 1;
  struct rpc_client_call *call = count(&o, 300, 1000, MODE_WRITABLE);
  for (int seen = 0;;) {
    pthread_mutex_lock(&o.lock);
    while (o.messages == seen && o.done == 0)
      pthread_cond_wait(&o.changed, &o.lock);
    seen = o.messages;
    bool done = o.done > 0;
    pthread_mutex_unlock(&o.lock);
    if (done)
      break;
    rpc_client_resume(call);
  }
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL(o.messages, 300);
  CU_ASSERT_TRUE(o.in_order);
  rpc_client_release(call);
  end();
}

static void a_cancelled_stream_frees_its_sender(void)
{
  begin();
  for (uint32_t mode = MODE_WAIT; mode <= MODE_WRITABLE; mode++) {
    struct outcome o = OUTCOME_INIT;
    o.pause_after = 1;
    struct rpc_client_call *call = count(&o, 1000, 64 * 1024, mode);
    pause_ms(200); /* the sender waits for room now */
    rpc_client_cancel(call);
    CU_ASSERT_TRUE(outcome_wait(&o));
    CU_ASSERT_EQUAL(o.status.code, ERR_CANCELLED);
    CU_ASSERT_TRUE(wait_for(&echo.counts_over, (int)mode + 1));
    rpc_client_release(call);
  }
  end();
}

static void many_streams_run_side_by_side(void)
{
  begin();
  enum { N = 40 };
  struct outcome o[N];
  for (size_t i = 0; i < N; i++) {
    o[i] = (struct outcome)OUTCOME_INIT;
    rpc_client_release(count(&o[i], 200, 2000, i % 2));
  }
  for (size_t i = 0; i < N; i++) {
    CU_ASSERT_TRUE(outcome_wait(&o[i]));
    CU_ASSERT_EQUAL(o[i].messages, 200);
    CU_ASSERT_TRUE(o[i].in_order);
  }
  end();
}

TEST_MAIN("rpc streams", TEST(all_messages_arrive_in_order),
          TEST(a_stream_without_messages_ends_well), TEST(a_slow_reader_stops_the_sender),
          TEST(pause_and_resume_lose_nothing), TEST(a_cancelled_stream_frees_its_sender),
          TEST(many_streams_run_side_by_side))
