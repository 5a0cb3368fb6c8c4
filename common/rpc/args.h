/* Channel arguments of our servers and clients. Private to common/rpc. */
#ifndef AMCP_RPC_ARGS_H
#define AMCP_RPC_ARGS_H

#include <grpc/grpc.h>

enum { RPC_ARGS_MAX = 24 };

/* Values are strings of static life and integers, so this may be dropped after use. */
struct rpc_args {
  grpc_arg items[RPC_ARGS_MAX];
  grpc_channel_args args;
};

/* max_message_bytes limits what is received; connections end gracefully after connection_age_ms. */
void rpc_args_server(struct rpc_args *out, size_t max_message_bytes, uint32_t connection_age_ms);
void rpc_args_client(struct rpc_args *out, size_t max_message_bytes);

#endif
