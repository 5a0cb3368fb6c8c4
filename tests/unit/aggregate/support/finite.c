/* Walks a message by its descriptor. */
#include "tests/unit/aggregate/support/finite.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static bool is_plain(double v)
{
  return isfinite(v) && !(v == 0 && signbit(v));
}

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
  return field->type == PROTOBUF_C_TYPE_DOUBLE  ? sizeof(double)
         : field->type == PROTOBUF_C_TYPE_FLOAT ? sizeof(float)
                                                : sizeof(ProtobufCMessage *);
}

static bool value_is_finite(const ProtobufCFieldDescriptor *field, const void *at)
{
  switch (field->type) {
  case PROTOBUF_C_TYPE_DOUBLE:
    return is_plain(*(const double *)at);
  case PROTOBUF_C_TYPE_FLOAT:
    return is_plain((double)*(const float *)at);
  case PROTOBUF_C_TYPE_MESSAGE: {
    const ProtobufCMessage *part = *(ProtobufCMessage *const *)at;
    return part == NULL || all_numbers_are_finite(part);
  }
  default:
    return true;
  }
}

static bool is_set(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *field)
{
  bool oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
  uint32_t chosen;
  memcpy(&chosen, (const char *)m + field->quantifier_offset, sizeof(chosen));
  return !oneof || chosen == field->id;
}

static bool field_is_finite(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *field)
{
  const char *at = (const char *)m + field->offset;
  if (field->label != PROTOBUF_C_LABEL_REPEATED)
    return !is_set(m, field) || value_is_finite(field, at);
  size_t n;
  memcpy(&n, (const char *)m + field->quantifier_offset, sizeof(n));
  const char *items = *(const char *const *)at;
  bool numbers_or_parts = field->type == PROTOBUF_C_TYPE_DOUBLE ||
                          field->type == PROTOBUF_C_TYPE_FLOAT ||
                          field->type == PROTOBUF_C_TYPE_MESSAGE;
  for (size_t i = 0; numbers_or_parts && i < n; i++)
    if (!value_is_finite(field, items + i * element_size(field)))
      return false;
  return true;
}

bool all_numbers_are_finite(const ProtobufCMessage *m)
{
  for (unsigned i = 0; i < m->descriptor->n_fields; i++)
    if (!field_is_finite(m, &m->descriptor->fields[i]))
      return false;
  return true;
}
