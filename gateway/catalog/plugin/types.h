/* What a field's type means to JSON, to schemas and to literals alike. */
#ifndef AMCP_CATALOG_PLUGIN_TYPES_H
#define AMCP_CATALOG_PLUGIN_TYPES_H

#include "gateway/catalog/plugin/model.h"

enum kind {
  KIND_INTEGER,   /* up to 32 bits */
  KIND_INTEGER64, /* a string in JSON that we write */
  KIND_NUMBER,
  KIND_BOOL,
  KIND_STRING,
  KIND_BYTES,
  KIND_ENUM,
  KIND_TIMESTAMP,
  KIND_DURATION,
  KIND_STRUCT,
  KIND_VALUE,
  KIND_LIST_VALUE,
  KIND_MESSAGE,
  KIND_UNSUPPORTED,
};

/* Of one value of the field: an item when it is a list, an entry when it is a map. */
enum kind field_kind(const struct field_info *field);
bool field_is_unsigned(const struct field_info *field);
static inline bool kind_is_numeric(enum kind kind)
{
  return kind == KIND_INTEGER || kind == KIND_INTEGER64 || kind == KIND_NUMBER;
}

/* The value field of a map's entry; the field itself when it is not a map. */
const struct field_info *field_value(const struct field_info *field);

/* Whether a message can contain a message of another type, at any depth. */
bool message_reaches(const struct model *model, const struct message_info *from,
                     const struct message_info *to);

/* Whether an enum's value stands for "not set" by its name: ..._UNSPECIFIED, 0. */
bool enum_value_is_unset(const Google__Protobuf__EnumValueDescriptorProto *value);

#endif
