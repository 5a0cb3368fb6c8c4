/* The echo of bench_raw_echo through common/rpc: messages, guard, metrics, health. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bench_echo.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/rpc/rpc.h"
#include "tests/bench/bench_stats.h"

typedef Amcp__Bench__V1__EchoMessage EchoMessage;
#define SERVICE (&amcp__bench__v1__bench__descriptor)
enum { PAYLOAD = 16, WARM_UP_MS = 500 };

static void echo(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  (void)service;
  rpc_call_reply(call, request);
}

static int complain(const struct err *e)
{
  fprintf(stderr, "%s\n", e->message);
  return 1;
}

static int run_server(void)
{
  static const struct rpc_method methods[] = {{"Echo", RPC_UNARY, RPC_ON_POLLER, echo}};
  struct rpc_server_options options = {.listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 100};
  struct rpc_server *s;
  struct err e = {0};
  if (rpc_server_new(&s, &options, &e) != ERR_OK)
    return complain(&e);
  if (rpc_server_add(s, SERVICE, methods, 1, NULL, &e) != ERR_OK ||
      rpc_server_start(s, &e) != ERR_OK) {
    rpc_server_stop(s);
    return complain(&e);
  }
  bench_say_port(rpc_server_port(s));
  bench_wait_for_end();
  rpc_server_stop(s);
  return 0;
}

/* All calls of the client; on the poller, except for the end. */
struct bench {
  struct rpc_channel *channel;
  struct bench_stats *stats;
  EchoMessage request;
  size_t in_flight, flying;
  int64_t warm_ms, end_ms;
  bool measuring, printed, failed;
  struct err first_error;
  pthread_mutex_t lock;
  pthread_cond_t over;
  bool done;
};

struct flight {
  struct bench *bench;
  int64_t started_ns;
};

static bool on_message(void *user, const ProtobufCMessage *message);
static void on_done(void *user, const struct err *status);
static const struct rpc_client_callbacks callbacks = {on_message, on_done};

static bool take_off(struct flight *f)
{
  struct bench *b = f->bench;
  f->started_ns = clock_mono_ns();
  return rpc_client_start(NULL, b->channel, SERVICE, "Echo", RPC_UNARY, &b->request.base, NULL,
                          &callbacks, f, &b->first_error) == ERR_OK;
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct flight *f = user;
  if (((const EchoMessage *)message)->payload.len != PAYLOAD)
    f->bench->failed = true;
  return true;
}

static void land_last(struct bench *b)
{
  pthread_mutex_lock(&b->lock);
  b->done = true;
  pthread_cond_signal(&b->over);
  pthread_mutex_unlock(&b->lock);
}

static void on_done(void *user, const struct err *status)
{
  struct flight *f = user;
  struct bench *b = f->bench;
  int64_t now = clock_mono_ns();
  if (status->code != ERR_OK && !b->failed) {
    b->failed = true;
    b->first_error = *status;
  }
  bool over = b->failed || now / 1000000 >= b->end_ms;
  if (!b->measuring && now / 1000000 >= b->warm_ms) {
    b->measuring = true;
    bench_stats_restart(b->stats);
  } else if (!over) {
    bench_stats_add(b->stats, now - f->started_ns);
  }
  if (!over && take_off(f))
    return;
  if (!b->printed)
    bench_stats_print(b->stats);
  b->printed = true;
  if (--b->flying == 0)
    land_last(b);
}

static int run_client(const struct bench_args *args)
{
  struct bench b = {.lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER};
  b.request = (EchoMessage)AMCP__BENCH__V1__ECHO_MESSAGE__INIT;
  uint8_t payload[PAYLOAD] = "0123456789abcde";
  b.request.payload = (ProtobufCBinaryData){.len = PAYLOAD, .data = payload};
  struct rpc_channel_options options = {.target = args->address, .name = "bench"};
  if (rpc_channel_new(&b.channel, &options, &b.first_error) != ERR_OK)
    return complain(&b.first_error);
  b.stats = bench_stats_new();
  bench_stats_restart(b.stats);
  b.in_flight = b.flying = args->in_flight;
  b.warm_ms = clock_mono_ms() + WARM_UP_MS;
  b.end_ms = b.warm_ms + args->seconds * 1000;
  struct flight *flights = xcalloc(args->in_flight, sizeof(*flights));
  for (size_t i = 0; i < args->in_flight; i++) {
    flights[i].bench = &b;
    if (!take_off(&flights[i]))
      return complain(&b.first_error);
  }
  pthread_mutex_lock(&b.lock);
  while (!b.done)
    pthread_cond_wait(&b.over, &b.lock);
  pthread_mutex_unlock(&b.lock);
  rpc_channel_free(b.channel);
  bench_stats_free(b.stats);
  free(flights);
  return b.failed ? complain(&b.first_error) : 0;
}

int main(int argc, char **argv)
{
  struct bench_args args;
  int status;
  if (!bench_args_parse(&args, argc, argv, &status))
    return status;
  rpc_init();
  status = args.server ? run_server() : run_client(&args);
  rpc_shutdown();
  return status;
}
