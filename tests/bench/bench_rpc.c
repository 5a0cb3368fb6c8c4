/* The echo of bench_raw_echo through common/rpc: messages, guard, metrics, health. */
#include <stdio.h>

#include "bench_echo.pb-c.h"
#include "tests/bench/bench_load.h"
#include "tests/bench/bench_stats.h"

typedef Amcp__Bench__V1__EchoMessage EchoMessage;
#define SERVICE (&amcp__bench__v1__bench__descriptor)
enum { PAYLOAD = 16 };

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

static const ProtobufCMessage *next_request(void *user, size_t flight)
{
  (void)flight;
  return user;
}

static bool is_echo(const ProtobufCMessage *answer)
{
  return ((const EchoMessage *)answer)->payload.len == PAYLOAD;
}

static int run_client(const struct bench_args *args)
{
  EchoMessage request = AMCP__BENCH__V1__ECHO_MESSAGE__INIT;
  uint8_t payload[PAYLOAD] = "0123456789abcde";
  request.payload = (ProtobufCBinaryData){.len = PAYLOAD, .data = payload};
  struct rpc_channel_options options = {.target = args->address, .name = "bench"};
  struct bench_load load = {.service = SERVICE,
                            .method = "Echo",
                            .in_flight = args->in_flight,
                            .seconds = args->seconds,
                            .request = next_request,
                            .is_right = is_echo,
                            .user = &request};
  struct err e = {0};
  if (rpc_channel_new(&load.channel, &options, &e) == ERR_OK)
    bench_load_run(&load, &e);
  rpc_channel_free(load.channel);
  return e.code == ERR_OK ? 0 : complain(&e);
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
