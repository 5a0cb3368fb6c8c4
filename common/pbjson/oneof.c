/* Reads and sets messages in a oneof through the type's descriptor. */
#include "common/pbjson/oneof.h"

#include <string.h>

#include "common/pbjson/types.h"

static const ProtobufCFieldDescriptor *find_member(const ProtobufCMessage *message,
                                                   const char *name)
{
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
  bool fits = field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE && field_in_oneof(field);
  return fits ? field : NULL;
}

const ProtobufCMessage *oneof_get(const ProtobufCMessage *message, const char *member)
{
  const ProtobufCFieldDescriptor *field = find_member(message, member);
  if (field == NULL)
    return NULL;
  uint32_t set;
  memcpy(&set, field_at(message, field->quantifier_offset), sizeof(set));
  if (set != field->id)
    return NULL;
  const ProtobufCMessage *value;
  memcpy(&value, field_at(message, field->offset), sizeof(value));
  return value;
}

bool oneof_set(ProtobufCMessage *message, const char *member, ProtobufCMessage *value)
{
  const ProtobufCFieldDescriptor *field = find_member(message, member);
  if (field == NULL || field->descriptor != value->descriptor)
    return false;
  uint32_t set = field->id;
  memcpy(field_at_mut(message, field->quantifier_offset), &set, sizeof(set));
  memcpy(field_at_mut(message, field->offset), &value, sizeof(value));
  return true;
}
