/* Random messages of any type, driven by its descriptor. */
#ifndef AMCP_TESTS_PBJSON_RANDOM_MESSAGE_H
#define AMCP_TESTS_PBJSON_RANDOM_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "common/base/arena.h"

/* State of splitmix64; the seed is its first value. */
struct random {
  uint64_t state;
};
uint64_t random_next(struct random *r);
/* From 0 to n - 1. */
uint32_t random_below(struct random *r, uint32_t n);

/* A message with random content at most depth messages deep. Values lie where their JSON
 * form is defined: times within their ranges, map keys distinct, strings UTF-8. */
ProtobufCMessage *random_message(struct random *r, const ProtobufCMessageDescriptor *type,
                                 struct arena *arena, unsigned depth);

#endif
