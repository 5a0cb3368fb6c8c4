/* Messages to and from the library's byte buffers. Private to common/rpc. */
#ifndef AMCP_RPC_MESSAGE_H
#define AMCP_RPC_MESSAGE_H

#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/error.h"

/* Packs into a new slice; the caller unrefs it. */
grpc_slice rpc_pack_slice(const ProtobufCMessage *message);
/* Packs into a new byte buffer; the caller destroys it. */
grpc_byte_buffer *rpc_pack(const ProtobufCMessage *message);

/* The bytes as one slice, which the caller unrefs. */
grpc_slice rpc_gather(grpc_byte_buffer *bytes);

/* An unpacked message and where its memory is. */
struct rpc_unpacked {
  ProtobufCMessage *message;
  bool on_heap;      /* in blocks of its own; else an arena holds it */
  struct arena *own; /* of this message alone; NULL for none */
};

/* Checks (guard.h) and unpacks. With an arena, small messages go there; without one, and
 * for large ones, memory comes from malloc(), at most max bytes. ERR_INVALID_ARGUMENT when
 * the bytes are not such a message, ERR_RESOURCE_EXHAUSTED when its parts need more than
 * max. */
enum err_code rpc_unpack(struct rpc_unpacked *out, const ProtobufCMessageDescriptor *descriptor,
                         grpc_byte_buffer *bytes, struct arena *arena, size_t max, struct err *e);
/* The same into an arena of the message's own: for one that is read and dropped as a whole. */
enum err_code rpc_unpack_whole(struct rpc_unpacked *out,
                               const ProtobufCMessageDescriptor *descriptor,
                               grpc_byte_buffer *bytes, size_t max, struct err *e);
/* Overwrites and frees what is not in the caller's arena. */
void rpc_unpacked_free(struct rpc_unpacked *u);

#endif
