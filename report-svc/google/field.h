/* Fields of messages by name, for what handles the answers of many methods in one way. The field
 * must exist in the message and have the named type. Nothing is copied. */
#ifndef AMCP_REPORT_FIELD_H
#define AMCP_REPORT_FIELD_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

/* A repeated field of messages. */
struct field_list {
  ProtobufCMessage **items;
  size_t n;
};

const char *field_text(const ProtobufCMessage *message, const char *name);
struct field_list field_list(const ProtobufCMessage *message, const char *name);
void field_set_list(ProtobufCMessage *message, const char *name, struct field_list list);

#endif
