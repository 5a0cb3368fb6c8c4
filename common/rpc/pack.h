/* Packs messages from their end to their beginning, so that the length of a part is known when its
 * place in front of the part comes, and nothing is measured before. The same bytes as
 * protobuf_c_message_pack() writes, in two thirds of the instructions. Private to common/rpc. */
#ifndef AMCP_RPC_PACK_H
#define AMCP_RPC_PACK_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

enum { PACK_STACK = 4096 };

/* Bytes that grow towards lower addresses. They may hold secrets: pack_end() overwrites them. */
struct pack {
  uint8_t *begin, *at, *end; /* written: from at to end */
  uint8_t *heap;             /* NULL: they are in `stack` */
  uint8_t stack[PACK_STACK];
};

/* Afterwards the packed message stands from p->at to p->end. */
void pack_message(struct pack *p, const ProtobufCMessage *message);
void pack_end(struct pack *p);

#endif
