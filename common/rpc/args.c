/* Channel arguments: one place for every limit and timer of the transport. */
#include "common/rpc/args.h"

#include <limits.h>

/* Calls go to all addresses of a name in turn, and only to servers whose health is
 * SERVING: that is what lets a server drain without losing a call. There is no
 * retryPolicy here: client_retry.c repeats what never reached a server, at a fifth less
 * cost per call than the core's retry filter. */
#define SERVICE_CONFIG                                                                             \
  "{\"loadBalancingConfig\":[{\"round_robin\":{}}],"                                               \
  "\"healthCheckConfig\":{\"serviceName\":\"\"}}"

enum {
  /* A process that hangs keeps its connections: together, how long it can cost its callers. */
  KEEPALIVE_MS = 10 * 1000,
  KEEPALIVE_TIMEOUT_MS = 3 * 1000,
  /* Less than KEEPALIVE_MS, with room for pings that a pause of the network brings together: the
   * server ends the connection with too_many_pings at the third that comes too early. */
  MIN_PING_INTERVAL_MS = 5 * 1000,
  RECONNECT_FIRST_MS = 100,
  RECONNECT_MAX_MS = 2 * 1000,
  /* How long one connection attempt may take. */
  CONNECT_TIMEOUT_MS = 1500,
  DNS_TIMEOUT_MS = 2 * 1000,
  /* The default of 30 s would keep the addresses of dead pods for that long. */
  DNS_INTERVAL_MS = 1000,
  MAX_STREAMS = 2048,
  MAX_METADATA_BYTES = 64 * 1024,
  /* Instead of probing the bandwidth, which costs a ping per burst. */
  LOOKAHEAD_BYTES = 1024 * 1024,
};

static void add_int(struct rpc_args *a, const char *key, size_t value)
{
  grpc_arg *arg = &a->items[a->args.num_args++];
  arg->type = GRPC_ARG_INTEGER;
  arg->key = (char *)(uintptr_t)key;
  arg->value.integer = value < INT_MAX ? (int)value : INT_MAX;
}

static void add_string(struct rpc_args *a, const char *key, const char *value)
{
  grpc_arg *arg = &a->items[a->args.num_args++];
  arg->type = GRPC_ARG_STRING;
  arg->key = (char *)(uintptr_t)key;
  arg->value.string = (char *)(uintptr_t)value;
}

static void add_common(struct rpc_args *a, size_t max_message_bytes)
{
  a->args = (grpc_channel_args){.args = a->items};
  add_int(a, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, max_message_bytes);
  add_int(a, GRPC_ARG_MAX_METADATA_SIZE, MAX_METADATA_BYTES);
  add_int(a, GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS);
  add_int(a, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS);
  add_int(a, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  add_int(a, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  add_int(a, GRPC_ARG_HTTP2_BDP_PROBE, 0);
  add_int(a, GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, LOOKAHEAD_BYTES);
  /* Neither sent nor accepted: a few compressed bytes can hide gigabytes. */
  add_int(a, GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  add_int(a, GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  add_int(a, GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1u << GRPC_COMPRESS_NONE);
  add_int(a, GRPC_ARG_ENABLE_CHANNELZ, 0);
}

void rpc_args_server(struct rpc_args *out, size_t max_message_bytes, uint32_t connection_age_ms)
{
  add_common(out, max_message_bytes);
  /* A second server on the port must fail, not share it. */
  add_int(out, GRPC_ARG_ALLOW_REUSEPORT, 0);
  add_int(out, GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, MIN_PING_INTERVAL_MS);
  add_int(out, GRPC_ARG_MAX_CONCURRENT_STREAMS, MAX_STREAMS);
  /* A client whose connection ends looks its name up again, and so finds new replicas while the old
   * ones still answer. Streams and calls under way stay on the old connection. */
  add_int(out, GRPC_ARG_MAX_CONNECTION_AGE_MS, connection_age_ms);
}

void rpc_args_client(struct rpc_args *out, size_t max_message_bytes)
{
  add_common(out, max_message_bytes);
  add_string(out, GRPC_ARG_SERVICE_CONFIG, SERVICE_CONFIG);
  /* Nobody but us decides this, least of all a DNS TXT record. */
  add_int(out, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  add_int(out, GRPC_ARG_ENABLE_RETRIES, 0);
  /* A proxy of the environment is for the way to Google, not between our services. */
  add_int(out, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  add_int(out, GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_FIRST_MS);
  add_int(out, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_TIMEOUT_MS);
  add_int(out, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_MAX_MS);
  add_int(out, GRPC_ARG_DNS_ARES_QUERY_TIMEOUT_MS, DNS_TIMEOUT_MS);
  add_int(out, GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, DNS_INTERVAL_MS);
}
