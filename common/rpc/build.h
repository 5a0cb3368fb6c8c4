/* Makes the message while the guard walks its bytes, which saves walking them again: the plain part
 * of what protobuf_c_message_unpack() does, and the same result. What is rare (a field that the
 * descriptor does not know, one message in two pieces, a list that others interrupt, a second
 * member of a oneof) is left to the library. Private to common/rpc. */
#ifndef AMCP_RPC_BUILD_H
#define AMCP_RPC_BUILD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"

/* One message that is being made, and the list in it that grows. */
struct build {
  ProtobufCMessage *message;
  const ProtobufCFieldDescriptor *list; /* NULL: none was begun */
  size_t room;                          /* items that its array still takes */
};

/* Begins a message in the arena. Each function here returns false for what is left to the library;
 * what it has made until then stays in the arena, unused. */
bool build_begin(struct build *b, const ProtobufCMessageDescriptor *type, struct arena *arena);

/* Whether the next value of a repeated field begins a list, whose length build_list() needs. */
static inline bool build_needs_list(const struct build *b, const ProtobufCFieldDescriptor *field)
{
  return field->label == PROTOBUF_C_LABEL_REPEATED && (b->list != field || b->room == 0);
}
/* Begins a list of n values, which come one by one. */
bool build_list(struct build *b, const ProtobufCFieldDescriptor *field, size_t n,
                struct arena *arena);

/* A number of n bytes on the wire. */
bool build_number(struct build *b, const ProtobufCFieldDescriptor *field, const uint8_t *p,
                  size_t n);
/* A text, or bytes. */
bool build_text(struct build *b, const ProtobufCFieldDescriptor *field, const uint8_t *p,
                size_t len, struct arena *arena);
/* A whole list of numbers in one piece, that was checked to hold whole numbers. */
bool build_packed(struct build *b, const ProtobufCFieldDescriptor *field, const uint8_t *p,
                  size_t len, struct arena *arena);
/* Begins the message that is the field's value. */
bool build_child(struct build *child, struct build *b, const ProtobufCFieldDescriptor *field,
                 struct arena *arena);

#endif
