/* Fields of messages by name. */
#include "report-svc/google/field.h"

#include <string.h>

static const ProtobufCFieldDescriptor *find(const ProtobufCMessage *message, const char *name)
{
  return protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
}

const char *ga4_text(const ProtobufCMessage *message, const char *name)
{
  const char *text;
  memcpy(&text, (const char *)message + find(message, name)->offset, sizeof(text));
  return text;
}

struct ga4_list ga4_list(const ProtobufCMessage *message, const char *name)
{
  const ProtobufCFieldDescriptor *f = find(message, name);
  struct ga4_list list;
  memcpy(&list.n, (const char *)message + f->quantifier_offset, sizeof(list.n));
  memcpy(&list.items, (const char *)message + f->offset, sizeof(list.items));
  return list;
}

void ga4_set_list(ProtobufCMessage *message, const char *name, struct ga4_list list)
{
  const ProtobufCFieldDescriptor *f = find(message, name);
  memcpy((char *)message + f->quantifier_offset, &list.n, sizeof(list.n));
  memcpy((char *)message + f->offset, &list.items, sizeof(list.items));
}

void ga4_set_text(ProtobufCMessage *message, const char *name, char *text)
{
  memcpy((char *)message + find(message, name)->offset, &text, sizeof(text));
}

void ga4_copy_list(ProtobufCMessage *to, const ProtobufCMessage *from, const char *name)
{
  ga4_set_list(to, name, ga4_list(from, name));
}

const ProtobufCMessage *ga4_message(const ProtobufCMessage *message, const char *name)
{
  const ProtobufCMessage *inner;
  memcpy(&inner, (const char *)message + find(message, name)->offset, sizeof(inner));
  return inner;
}
