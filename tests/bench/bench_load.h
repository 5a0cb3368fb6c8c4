/* Keeps a number of unary calls in flight for some seconds and counts their latencies. */
#ifndef AMCP_BENCH_LOAD_H
#define AMCP_BENCH_LOAD_H

#include "common/rpc/rpc.h"

struct bench_load {
  struct rpc_channel *channel;
  const ProtobufCServiceDescriptor *service;
  const char *method;
  const struct rpc_client_options *options; /* of each call; may be NULL */
  size_t in_flight;
  int seconds; /* measured, after half a second of warm-up */
  /* The next request of a flight (0 to in_flight - 1), valid until its next. Called on one
   * thread at a time for each flight. */
  const ProtobufCMessage *(*request)(void *user, size_t flight);
  bool (*is_right)(const ProtobufCMessage *answer);
  void *user;
};

/* Blocks until the last call landed and prints "calls/s p50_us p99_us". Any failed call or
 * wrong answer ends the run: figures of errors are none. */
enum err_code bench_load_run(const struct bench_load *load, struct err *e);

#endif
