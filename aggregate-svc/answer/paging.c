/* Counts the text of messages and fills pages with them. */
#include "aggregate-svc/answer/paging.h"

#include <stdio.h>
#include <string.h>

#include "common/pbjson/types.h"

enum {
  SEPARATOR = 1,
  FLAG = 3,
  DEPTH_MAX = 8,
  LABELS = 200,       /* "Period:", names of facts and tables, how to ask for the next page */
  COVERAGE_MAX = 700, /* names five dealers that failed */
};

static size_t message_bytes(const ProtobufCMessage *m, size_t depth);

static size_t number_bytes(double x)
{
  char text[32];
  return (size_t)snprintf(text, sizeof(text), "%.4g", x);
}

static size_t text_bytes(const char *text)
{
  return text == NULL || text[0] == '\0' ? 1 : strlen(text);
}

static size_t enum_bytes(const ProtobufCEnumDescriptor *d, int value)
{
  const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(d, value);
  return v == NULL || value == 0 ? 1 : strlen(v->name);
}

/* One value, at `at` in its message or list. */
static size_t value_bytes(const ProtobufCFieldDescriptor *f, const void *at, size_t depth)
{
  const ProtobufCMessage *inner;
  const char *text;
  double x;
  int64_t wide;
  int32_t narrow;
  switch (f->type) {
  case PROTOBUF_C_TYPE_MESSAGE:
    memcpy(&inner, at, sizeof(inner));
    return inner == NULL ? 0 : message_bytes(inner, depth + 1);
  case PROTOBUF_C_TYPE_STRING:
    memcpy(&text, at, sizeof(text));
    return text_bytes(text) + SEPARATOR;
  case PROTOBUF_C_TYPE_DOUBLE:
    memcpy(&x, at, sizeof(x));
    return number_bytes(x) + SEPARATOR;
  case PROTOBUF_C_TYPE_INT64:
    memcpy(&wide, at, sizeof(wide));
    return number_bytes((double)wide) + SEPARATOR;
  case PROTOBUF_C_TYPE_INT32:
    memcpy(&narrow, at, sizeof(narrow));
    return number_bytes(narrow) + SEPARATOR;
  case PROTOBUF_C_TYPE_ENUM:
    memcpy(&narrow, at, sizeof(narrow));
    return enum_bytes(f->descriptor, narrow) + SEPARATOR;
  default:
    return FLAG;
  }
}

static size_t size_of(const ProtobufCFieldDescriptor *f)
{
  switch (f->type) {
  case PROTOBUF_C_TYPE_MESSAGE:
  case PROTOBUF_C_TYPE_STRING:
    return sizeof(void *);
  case PROTOBUF_C_TYPE_DOUBLE:
  case PROTOBUF_C_TYPE_INT64:
    return sizeof(int64_t);
  default:
    return sizeof(int32_t);
  }
}

static size_t list_bytes(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t depth)
{
  size_t n = *(const size_t *)field_at(m, f->quantifier_offset), bytes = 0;
  const char *items = *(const char *const *)field_at(m, f->offset);
  for (size_t i = 0; i < n; i++)
    bytes += value_bytes(f, items + i * size_of(f), depth);
  return bytes;
}

static size_t field_bytes(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                          size_t depth)
{
  if (f->label == PROTOBUF_C_LABEL_REPEATED)
    return list_bytes(m, f, depth);
  bool set = !field_in_oneof(f) || *(const uint32_t *)field_at(m, f->quantifier_offset) == f->id;
  return set ? value_bytes(f, field_at(m, f->offset), depth) : 1 + SEPARATOR;
}

static size_t message_bytes(const ProtobufCMessage *m, size_t depth)
{
  size_t bytes = 0;
  for (unsigned i = 0; depth < DEPTH_MAX && i < m->descriptor->n_fields; i++)
    bytes += field_bytes(m, &m->descriptor->fields[i], depth);
  return bytes;
}

size_t paging_text_bytes(const ProtobufCMessage *m)
{
  return message_bytes(m, 0);
}

size_t paging_head_bytes(const ProtobufCMessage *result)
{
  size_t bytes = LABELS;
  for (unsigned i = 0; i < result->descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *f = &result->descriptor->fields[i];
    size_t own = field_bytes(result, f, 0);
    bool cut = strcmp(f->name, "coverage") == 0 && own > COVERAGE_MAX;
    bytes += cut ? COVERAGE_MAX : own;
  }
  return bytes;
}

size_t paging_left(size_t max_text, size_t used)
{
  return used < max_text ? max_text - used : 0;
}

bool paging_take(struct paging *p, size_t bytes)
{
  if (p->limit > 0 ? p->n == p->limit : p->n > 0 && bytes > p->left)
    return false;
  p->left = paging_left(p->left, bytes);
  p->n++;
  return true;
}

int32_t paging_next(const struct paging *p, size_t all)
{
  size_t next = p->offset + p->n;
  return p->offset < all && next < all ? (int32_t)next : 0;
}
