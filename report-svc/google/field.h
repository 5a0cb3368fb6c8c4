/* Fields of messages by name, for what handles the answers of many methods in one way. The field
 * must exist in the message and have the named type. Nothing is copied. */
#ifndef AMCP_REPORT_FIELD_H
#define AMCP_REPORT_FIELD_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

/* A repeated field of messages. */
struct ga4_list {
  ProtobufCMessage **items;
  size_t n;
};

const char *ga4_text(const ProtobufCMessage *message, const char *name);
struct ga4_list ga4_list(const ProtobufCMessage *message, const char *name);
void ga4_set_list(ProtobufCMessage *message, const char *name, struct ga4_list list);

/* A message inside a message; NULL when it is not set. */
const ProtobufCMessage *ga4_message(const ProtobufCMessage *message, const char *name);
/* Sets a text. */
void ga4_set_text(ProtobufCMessage *message, const char *name, char *text);
/* Copies lists of the same name and type from one message to another. */
void ga4_copy_list(ProtobufCMessage *to, const ProtobufCMessage *from, const char *name);

#endif
