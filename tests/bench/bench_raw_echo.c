/* The least that a gRPC echo can be: the core's own calls, one completion queue and one
 * thread on each side, the library's default arguments. The measure for common/rpc. */
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/bench/bench_stats.h"

#define METHOD "/amcp.bench.v1.Bench/Echo"
enum { SLOTS = 64, PAYLOAD = 16, WARM_UP_MS = 500 };

/* A request slot of the server: waits for a call, then answers it. */
struct slot {
  grpc_call *call;
  gpr_timespec deadline;
  grpc_metadata_array metadata;
  grpc_byte_buffer *payload;
  int cancelled;
  bool answering;
};

struct raw_server {
  grpc_server *core;
  grpc_completion_queue *cq;
  void *method;
};

static void request(struct raw_server *s, struct slot *slot)
{
  *slot = (struct slot){0};
  grpc_metadata_array_init(&slot->metadata);
  grpc_server_request_registered_call(s->core, s->method, &slot->call, &slot->deadline,
                                      &slot->metadata, &slot->payload, s->cq, s->cq, slot);
}

static void answer(struct slot *slot)
{
  grpc_op ops[4];
  memset(ops, 0, sizeof(ops));
  ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
  ops[1].op = GRPC_OP_SEND_MESSAGE;
  ops[1].data.send_message.send_message = slot->payload;
  ops[2].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
  ops[2].data.send_status_from_server.status = GRPC_STATUS_OK;
  ops[3].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
  ops[3].data.recv_close_on_server.cancelled = &slot->cancelled;
  slot->answering = true;
  grpc_call_start_batch(slot->call, ops, 4, slot, NULL);
}

static void release(struct slot *slot)
{
  if (slot->payload != NULL)
    grpc_byte_buffer_destroy(slot->payload);
  grpc_metadata_array_destroy(&slot->metadata);
  if (slot->call != NULL)
    grpc_call_unref(slot->call);
}

static void *serve(void *arg)
{
  struct raw_server *s = arg;
  for (;;) {
    grpc_event ev = grpc_completion_queue_next(s->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    if (ev.type == GRPC_QUEUE_SHUTDOWN)
      return NULL;
    struct slot *slot = ev.tag;
    if (slot == NULL)
      continue; /* the server is down */
    if (!slot->answering && ev.success) {
      answer(slot);
      continue;
    }
    bool again = slot->answering;
    release(slot);
    if (again)
      request(s, slot);
  }
}

static int run_server(void)
{
  static struct slot slots[SLOTS];
  struct raw_server s = {.core = grpc_server_create(NULL, NULL),
                         .cq = grpc_completion_queue_create_for_next(NULL)};
  grpc_server_register_completion_queue(s.core, s.cq, NULL);
  s.method = grpc_server_register_method(s.core, METHOD, NULL,
                                         GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
  grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
  int port = grpc_server_add_http2_port(s.core, "127.0.0.1:0", credentials);
  grpc_server_credentials_release(credentials);
  grpc_server_start(s.core);
  for (size_t i = 0; i < SLOTS; i++)
    request(&s, &slots[i]);
  pthread_t thread;
  pthread_create(&thread, NULL, serve, &s);
  bench_say_port((unsigned)port);
  bench_wait_for_end();
  grpc_completion_queue *down = grpc_completion_queue_create_for_pluck(NULL);
  grpc_server_shutdown_and_notify(s.core, down, NULL);
  grpc_server_cancel_all_calls(s.core);
  grpc_completion_queue_pluck(down, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
  grpc_completion_queue_shutdown(down);
  grpc_completion_queue_destroy(down);
  grpc_completion_queue_shutdown(s.cq);
  pthread_join(thread, NULL);
  grpc_server_destroy(s.core);
  grpc_completion_queue_destroy(s.cq);
  return 0;
}

/* One of the client's calls in flight. */
struct flight {
  grpc_call *call;
  grpc_metadata_array initial, trailing;
  grpc_byte_buffer *response;
  grpc_byte_buffer *request;
  grpc_status_code status;
  grpc_slice details;
  int64_t started_ns;
};

struct raw_client {
  grpc_channel *channel;
  grpc_completion_queue *cq;
  void *method;
};

static void take_off(struct raw_client *c, struct flight *f, grpc_slice payload)
{
  *f = (struct flight){.started_ns = clock_mono_ns()};
  gpr_timespec deadline =
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(30, GPR_TIMESPAN));
  f->call = grpc_channel_create_registered_call(c->channel, NULL, GRPC_PROPAGATE_DEFAULTS, c->cq,
                                                c->method, deadline, NULL);
  grpc_metadata_array_init(&f->initial);
  grpc_metadata_array_init(&f->trailing);
  f->request = grpc_raw_byte_buffer_create(&payload, 1);
  grpc_op ops[6];
  memset(ops, 0, sizeof(ops));
  ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
  ops[1].op = GRPC_OP_SEND_MESSAGE;
  ops[1].data.send_message.send_message = f->request;
  ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
  ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
  ops[3].data.recv_initial_metadata.recv_initial_metadata = &f->initial;
  ops[4].op = GRPC_OP_RECV_MESSAGE;
  ops[4].data.recv_message.recv_message = &f->response;
  ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
  ops[5].data.recv_status_on_client.trailing_metadata = &f->trailing;
  ops[5].data.recv_status_on_client.status = &f->status;
  ops[5].data.recv_status_on_client.status_details = &f->details;
  grpc_call_start_batch(f->call, ops, 6, f, NULL);
}

static bool land(struct flight *f)
{
  bool good = f->status == GRPC_STATUS_OK && f->response != NULL &&
              grpc_byte_buffer_length(f->response) == PAYLOAD;
  grpc_byte_buffer_destroy(f->request);
  if (f->response != NULL)
    grpc_byte_buffer_destroy(f->response);
  grpc_metadata_array_destroy(&f->initial);
  grpc_metadata_array_destroy(&f->trailing);
  grpc_slice_unref(f->details);
  grpc_call_unref(f->call);
  return good;
}

/* Keeps the calls in flight for the time. False when one failed. */
static bool fly(struct raw_client *c, const struct bench_args *args, struct bench_stats *stats)
{
  grpc_slice payload = grpc_slice_from_static_buffer("0123456789abcdef", PAYLOAD);
  struct flight *flights = xcalloc(args->in_flight, sizeof(*flights));
  bench_stats_restart(stats);
  int64_t warm = clock_mono_ms() + WARM_UP_MS, end = warm + args->seconds * 1000;
  bool good = true, measuring = false;
  size_t flying = args->in_flight;
  for (size_t i = 0; i < args->in_flight; i++)
    take_off(c, &flights[i], payload);
  while (flying > 0) {
    grpc_event ev = grpc_completion_queue_next(c->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    struct flight *f = ev.tag;
    int64_t now = clock_mono_ns();
    good = land(f) && good;
    if (!measuring && now / 1000000 >= warm) {
      measuring = true;
      bench_stats_restart(stats);
    } else if (now / 1000000 < end) {
      bench_stats_add(stats, now - f->started_ns);
    } else {
      if (flying-- == args->in_flight)
        bench_stats_print(stats);
      continue;
    }
    take_off(c, f, payload);
  }
  free(flights);
  return good;
}

static int run_client(const struct bench_args *args)
{
  grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
  struct raw_client c = {.channel = grpc_channel_create(args->address, credentials, NULL),
                         .cq = grpc_completion_queue_create_for_next(NULL)};
  grpc_channel_credentials_release(credentials);
  c.method = grpc_channel_register_call(c.channel, METHOD, NULL, NULL);
  struct bench_stats *stats = bench_stats_new();
  bool good = fly(&c, args, stats);
  if (!good)
    fprintf(stderr, "a call to %s failed: is the server running there?\n", args->address);
  bench_stats_free(stats);
  grpc_channel_destroy(c.channel);
  grpc_completion_queue_shutdown(c.cq);
  grpc_completion_queue_next(c.cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
  grpc_completion_queue_destroy(c.cq);
  return good ? 0 : 1;
}

int main(int argc, char **argv)
{
  struct bench_args args;
  int status;
  if (!bench_args_parse(&args, argc, argv, &status))
    return status;
  grpc_init();
  status = args.server ? run_server() : run_client(&args);
  grpc_shutdown_blocking();
  return status;
}
