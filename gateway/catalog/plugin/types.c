/* Kinds of fields, and which messages contain which. */
#include "gateway/catalog/plugin/types.h"

#include <string.h>

#include "common/base/mem.h"

#define TYPE(name) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##name

static const struct {
  const char *name;
  enum kind kind;
} well_known[] = {
    {"google.protobuf.Timestamp", KIND_TIMESTAMP},  {"google.protobuf.Duration", KIND_DURATION},
    {"google.protobuf.Struct", KIND_STRUCT},        {"google.protobuf.Value", KIND_VALUE},
    {"google.protobuf.ListValue", KIND_LIST_VALUE}, {"google.protobuf.Empty", KIND_MESSAGE},
};

static enum kind message_kind(const struct message_info *message)
{
  for (size_t i = 0; i < ARRAY_LEN(well_known); i++) {
    if (strcmp(message->name, well_known[i].name) == 0)
      return well_known[i].kind;
  }
  return strncmp(message->name, "google.protobuf.", 16) == 0 ? KIND_UNSUPPORTED : KIND_MESSAGE;
}

const struct field_info *field_value(const struct field_info *field)
{
  return field->is_map ? &field->message->fields[1] : field;
}

enum kind field_kind(const struct field_info *field)
{
  field = field_value(field);
  if (field->message != NULL)
    return message_kind(field->message);
  if (field->enumeration != NULL)
    return strcmp(field->enumeration->name, "google.protobuf.NullValue") == 0 ? KIND_UNSUPPORTED
                                                                              : KIND_ENUM;
  switch (field->proto->type) {
  case TYPE(INT64):
  case TYPE(UINT64):
  case TYPE(SINT64):
  case TYPE(FIXED64):
  case TYPE(SFIXED64):
    return KIND_INTEGER64;
  case TYPE(DOUBLE):
  case TYPE(FLOAT):
    return KIND_NUMBER;
  case TYPE(BOOL):
    return KIND_BOOL;
  case TYPE(STRING):
    return KIND_STRING;
  case TYPE(BYTES):
    return KIND_BYTES;
  default:
    return KIND_INTEGER;
  }
}

bool field_is_unsigned(const struct field_info *field)
{
  switch (field_value(field)->proto->type) {
  case TYPE(UINT32):
  case TYPE(UINT64):
  case TYPE(FIXED32):
  case TYPE(FIXED64):
    return true;
  default:
    return false;
  }
}

static size_t message_index(const struct model *model, const struct message_info *message)
{
  for (size_t i = 0; i < model->n_messages; i++) {
    if (model->messages[i] == message)
      return i;
  }
  return 0;
}

/* Depth-first, every message once: seen stops at cycles. */
static bool reaches(const struct model *model, const struct message_info *from,
                    const struct message_info *to, bool *seen)
{
  bool *mark = &seen[message_index(model, from)];
  if (*mark)
    return false;
  *mark = true;
  for (size_t i = 0; i < from->proto->n_field; i++) {
    const struct message_info *next = from->fields[i].message;
    if (next != NULL && (next == to || reaches(model, next, to, seen)))
      return true;
  }
  return false;
}

bool message_reaches(const struct model *model, const struct message_info *from,
                     const struct message_info *to)
{
  AUTO_FREE bool *seen = xcalloc(model->n_messages, sizeof(bool));
  return reaches(model, from, to, seen);
}

bool enum_value_is_unset(const Google__Protobuf__EnumValueDescriptorProto *value)
{
  static const char suffix[] = "UNSPECIFIED";
  size_t len = strlen(value->name);
  return value->number == 0 && len >= sizeof(suffix) - 1 &&
         strcmp(value->name + len - (sizeof(suffix) - 1), suffix) == 0;
}
