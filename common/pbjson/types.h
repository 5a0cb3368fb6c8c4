/* Inside the room: how fields lie in protobuf-c structs, and the well-known types. */
#ifndef AMCP_PBJSON_TYPES_H
#define AMCP_PBJSON_TYPES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Message types with a JSON form of their own. */
enum wkt {
  WKT_NONE,
  WKT_TIMESTAMP,
  WKT_DURATION,
  WKT_STRUCT,
  WKT_VALUE,
  WKT_LIST_VALUE,
  WKT_UNSUPPORTED, /* Any, FieldMask, the wrappers: have forms this room does not know */
};
enum wkt wkt_of(const ProtobufCMessageDescriptor *message);
/* The enum whose only value is JSON's null. */
bool wkt_is_null_value(const ProtobufCFieldDescriptor *field);

/* Bytes of one value of a type in a struct or in the array of a repeated field. */
size_t type_size(ProtobufCType type);

static inline bool field_in_oneof(const ProtobufCFieldDescriptor *field)
{
  return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}
/* Whether a has_ flag belongs to the field (proto2 optional). */
static inline bool field_has_flag(const ProtobufCFieldDescriptor *field)
{
  return field->label == PROTOBUF_C_LABEL_OPTIONAL && !field_in_oneof(field) &&
         field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE;
}

static inline const void *field_at(const ProtobufCMessage *message, size_t offset)
{
  return (const char *)message + offset;
}
static inline void *field_at_mut(ProtobufCMessage *message, size_t offset)
{
  return (char *)message + offset;
}

/* Marks entries of a map whose key occurs again: in repeats[i], when an entry after i has
 * the same key. Returns how many. entries has n pointers to entry messages. */
size_t map_mark_repeats(bool *repeats, ProtobufCMessage *const *entries, size_t n);

#endif
