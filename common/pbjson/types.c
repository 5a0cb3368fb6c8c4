/* Layout of protobuf-c values, the well-known types by name, repeated keys of maps. */
#include "common/pbjson/types.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static const char wkt_prefix[] = "google.protobuf.";

static const struct {
  const char *name;
  enum wkt type;
} wkts[] = {
    {"Timestamp", WKT_TIMESTAMP},     {"Duration", WKT_DURATION},
    {"Struct", WKT_STRUCT},           {"Value", WKT_VALUE},
    {"ListValue", WKT_LIST_VALUE},    {"Any", WKT_UNSUPPORTED},
    {"FieldMask", WKT_UNSUPPORTED},   {"DoubleValue", WKT_UNSUPPORTED},
    {"FloatValue", WKT_UNSUPPORTED},  {"Int64Value", WKT_UNSUPPORTED},
    {"UInt64Value", WKT_UNSUPPORTED}, {"Int32Value", WKT_UNSUPPORTED},
    {"UInt32Value", WKT_UNSUPPORTED}, {"BoolValue", WKT_UNSUPPORTED},
    {"StringValue", WKT_UNSUPPORTED}, {"BytesValue", WKT_UNSUPPORTED},
};

enum wkt wkt_of(const ProtobufCMessageDescriptor *message)
{
  if (strncmp(message->name, wkt_prefix, sizeof(wkt_prefix) - 1) != 0)
    return WKT_NONE;
  for (size_t i = 0; i < ARRAY_LEN(wkts); i++) {
    if (strcmp(message->name + sizeof(wkt_prefix) - 1, wkts[i].name) == 0)
      return wkts[i].type;
  }
  return WKT_NONE;
}

bool wkt_is_null_value(const ProtobufCFieldDescriptor *field)
{
  if (field->type != PROTOBUF_C_TYPE_ENUM)
    return false;
  const ProtobufCEnumDescriptor *type = field->descriptor;
  return strcmp(type->name, "google.protobuf.NullValue") == 0;
}

size_t type_size(ProtobufCType type)
{
  switch (type) {
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_SINT64:
  case PROTOBUF_C_TYPE_SFIXED64:
  case PROTOBUF_C_TYPE_UINT64:
  case PROTOBUF_C_TYPE_FIXED64:
    return sizeof(uint64_t);
  case PROTOBUF_C_TYPE_FLOAT:
    return sizeof(float);
  case PROTOBUF_C_TYPE_DOUBLE:
    return sizeof(double);
  case PROTOBUF_C_TYPE_BOOL:
    return sizeof(protobuf_c_boolean);
  case PROTOBUF_C_TYPE_STRING:
    return sizeof(char *);
  case PROTOBUF_C_TYPE_BYTES:
    return sizeof(ProtobufCBinaryData);
  case PROTOBUF_C_TYPE_MESSAGE:
    return sizeof(ProtobufCMessage *);
  case PROTOBUF_C_TYPE_INT32:
  case PROTOBUF_C_TYPE_SINT32:
  case PROTOBUF_C_TYPE_SFIXED32:
  case PROTOBUF_C_TYPE_UINT32:
  case PROTOBUF_C_TYPE_FIXED32:
  case PROTOBUF_C_TYPE_ENUM:
    break;
  }
  return sizeof(uint32_t);
}

/* A key of a map entry and where the entry stands. */
struct keyed {
  const ProtobufCFieldDescriptor *field;
  const void *key;
  size_t index;
};

static int compare_keys(const struct keyed *a, const struct keyed *b)
{
  if (a->field->type != PROTOBUF_C_TYPE_STRING)
    return memcmp(a->key, b->key, type_size(a->field->type));
  const char *s = *(char *const *)a->key;
  const char *t = *(char *const *)b->key;
  return strcmp(s != NULL ? s : "", t != NULL ? t : "");
}

static int compare_keyed(const void *a, const void *b)
{
  const struct keyed *x = a;
  const struct keyed *y = b;
  int order = compare_keys(x, y);
  return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

size_t map_mark_repeats(bool *repeats, ProtobufCMessage *const *entries, size_t n)
{
  if (n < 2)
    return 0;
  AUTO_FREE struct keyed *sorted = xcalloc(n, sizeof(*sorted));
  for (size_t i = 0; i < n; i++) {
    const ProtobufCFieldDescriptor *field = &entries[i]->descriptor->fields[0];
    sorted[i] = (struct keyed){field, field_at(entries[i], field->offset), i};
  }
  qsort(sorted, n, sizeof(*sorted), compare_keyed);
  size_t found = 0;
  for (size_t i = 0; i + 1 < n; i++) {
    if (compare_keys(&sorted[i], &sorted[i + 1]) == 0) {
      repeats[sorted[i].index] = true;
      found++;
    }
  }
  return found;
}
