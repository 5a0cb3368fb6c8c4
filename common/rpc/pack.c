/* Messages to wire format, backwards. The rules of the wire:
 * https://protobuf.dev/programming-guides/encoding/; which fields are left out is protobuf-c's. */
#include "common/rpc/pack.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LEN = 2, WIRE_32 = 5 };

static void put(struct pack *p, const ProtobufCMessage *message);

/* ------------------------------------------------------------------ bytes */

static void grow(struct pack *p, size_t n)
{
  size_t used = (size_t)(p->end - p->at), cap = 2 * (size_t)(p->end - p->begin);
  while (cap < used + n)
    cap *= 2;
  uint8_t *heap = xmalloc(cap);
  memcpy(heap + cap - used, p->at, used);
  pack_end(p);
  p->heap = p->begin = heap;
  p->end = heap + cap;
  p->at = p->end - used;
}

/* Where the n bytes in front go. */
static inline uint8_t *room(struct pack *p, size_t n)
{
  if ((size_t)(p->at - p->begin) < n)
    grow(p, n);
  return p->at -= n;
}

static void put_bytes(struct pack *p, const void *data, size_t len)
{
  if (len > 0)
    memcpy(room(p, len), data, len);
}

static void put_varint(struct pack *p, uint64_t v)
{
  size_t n = 1;
  for (uint64_t rest = v >> 7; rest > 0; rest >>= 7)
    n++;
  uint8_t *at = room(p, n);
  for (; v > 0x7f; v >>= 7)
    *at++ = (uint8_t)(v | 0x80);
  *at = (uint8_t)v;
}

static void put_tag(struct pack *p, uint32_t id, unsigned wire)
{
  put_varint(p, (uint64_t)id << 3 | wire);
}

/* The length of what was written since `before` bytes were there. */
static void put_length(struct pack *p, size_t before)
{
  put_varint(p, (size_t)(p->end - p->at) - before);
}

/* ------------------------------------------------------------------ numbers */

/* Bytes of a number in memory. */
static size_t size_of(ProtobufCType type)
{
  switch (type) {
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_SINT64:
  case PROTOBUF_C_TYPE_UINT64:
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_SFIXED64:
  case PROTOBUF_C_TYPE_DOUBLE:
    return 8;
  default:
    return 4;
  }
}

/* Writes a number and returns its wire type. */
static unsigned put_number(struct pack *p, ProtobufCType type, const void *at)
{
  uint32_t v32 = 0;
  uint64_t v64 = 0;
  memcpy(size_of(type) == 8 ? (void *)&v64 : (void *)&v32, at, size_of(type));
  switch (type) {
  case PROTOBUF_C_TYPE_FIXED32:
  case PROTOBUF_C_TYPE_SFIXED32:
  case PROTOBUF_C_TYPE_FLOAT:
    put_bytes(p, &v32, sizeof(v32));
    return WIRE_32;
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_SFIXED64:
  case PROTOBUF_C_TYPE_DOUBLE:
    put_bytes(p, &v64, sizeof(v64));
    return WIRE_64;
  case PROTOBUF_C_TYPE_BOOL:
    put_varint(p, v32 != 0);
    return WIRE_VARINT;
  case PROTOBUF_C_TYPE_UINT32:
    put_varint(p, v32);
    return WIRE_VARINT;
  case PROTOBUF_C_TYPE_SINT32:
    put_varint(p, v32 << 1 ^ (0 - (v32 >> 31)));
    return WIRE_VARINT;
  case PROTOBUF_C_TYPE_SINT64:
    put_varint(p, v64 << 1 ^ (0 - (v64 >> 63)));
    return WIRE_VARINT;
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_UINT64:
    put_varint(p, v64);
    return WIRE_VARINT;
  default: /* int32 and enums: a negative one as one of 64 bits */
    put_varint(p, (uint64_t)(int64_t)(int32_t)v32);
    return WIRE_VARINT;
  }
}

/* ------------------------------------------------------------------ fields */

static const void *pointer_at(const void *member)
{
  const void *p;
  memcpy(&p, member, sizeof(p));
  return p;
}

/* A value with its tag; no text and no message is an empty one. */
static void put_value(struct pack *p, const ProtobufCFieldDescriptor *field, const void *member)
{
  size_t before = (size_t)(p->end - p->at);
  unsigned wire = WIRE_LEN;
  if (field->type == PROTOBUF_C_TYPE_STRING) {
    const char *text = pointer_at(member);
    put_bytes(p, text, text != NULL ? strlen(text) : 0);
  } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
    const ProtobufCBinaryData *bytes = member;
    put_bytes(p, bytes->data, bytes->len);
  } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
    const ProtobufCMessage *inner = pointer_at(member);
    if (inner != NULL)
      put(p, inner);
  } else {
    wire = put_number(p, field->type, member);
  }
  if (wire == WIRE_LEN)
    put_length(p, before);
  put_tag(p, field->id, wire);
}

static size_t item_size(ProtobufCType type)
{
  if (type == PROTOBUF_C_TYPE_BYTES)
    return sizeof(ProtobufCBinaryData);
  bool pointer = type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_MESSAGE;
  return pointer ? sizeof(void *) : size_of(type);
}

static void put_list(struct pack *p, const ProtobufCFieldDescriptor *field, const char *items,
                     size_t n)
{
  size_t before = (size_t)(p->end - p->at), size = item_size(field->type);
  bool packed = (field->flags & PROTOBUF_C_FIELD_FLAG_PACKED) != 0;
  for (size_t i = n; i-- > 0;) {
    if (packed)
      put_number(p, field->type, items + i * size);
    else
      put_value(p, field, items + i * size);
  }
  if (packed && n > 0) {
    put_length(p, before);
    put_tag(p, field->id, WIRE_LEN);
  }
}

/* Whether a field without presence has the value that is not sent. */
static bool is_zero(const ProtobufCFieldDescriptor *field, const void *member)
{
  switch (field->type) {
  case PROTOBUF_C_TYPE_STRING: {
    const char *text = pointer_at(member);
    return text == NULL || text[0] == '\0';
  }
  case PROTOBUF_C_TYPE_BYTES:
    return ((const ProtobufCBinaryData *)member)->len == 0;
  case PROTOBUF_C_TYPE_MESSAGE:
    return pointer_at(member) == NULL;
  case PROTOBUF_C_TYPE_FLOAT:
    return *(const float *)member == 0;
  case PROTOBUF_C_TYPE_DOUBLE:
    return *(const double *)member == 0;
  default:
    return size_of(field->type) == 8 ? *(const uint64_t *)member == 0
                                     : *(const uint32_t *)member == 0;
  }
}

/* Whether a field of one value is sent; `quantifier` says which member of a oneof is set, or that
 * an optional field is. */
static bool is_sent(const ProtobufCFieldDescriptor *field, const void *member,
                    const void *quantifier)
{
  bool pointer = field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
  if (field->label == PROTOBUF_C_LABEL_REQUIRED)
    return true;
  bool oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
  if (!oneof && field->label == PROTOBUF_C_LABEL_NONE)
    return !is_zero(field, member);
  if (oneof && *(const uint32_t *)quantifier != field->id)
    return false;
  if (pointer)
    return pointer_at(member) != NULL && pointer_at(member) != field->default_value;
  return oneof || *(const protobuf_c_boolean *)quantifier != 0;
}

static void put_field(struct pack *p, const ProtobufCFieldDescriptor *field, const char *message)
{
  const void *member = message + field->offset, *quantifier = message + field->quantifier_offset;
  if (field->label == PROTOBUF_C_LABEL_REPEATED)
    put_list(p, field, pointer_at(member), *(const size_t *)quantifier);
  else if (is_sent(field, member, quantifier))
    put_value(p, field, member);
}

static void put(struct pack *p, const ProtobufCMessage *message)
{
  for (size_t i = message->n_unknown_fields; i-- > 0;) {
    const ProtobufCMessageUnknownField *field = &message->unknown_fields[i];
    put_bytes(p, field->data, field->len);
    put_tag(p, field->tag, (unsigned)field->wire_type);
  }
  for (unsigned i = message->descriptor->n_fields; i-- > 0;)
    put_field(p, &message->descriptor->fields[i], (const char *)message);
}

/* ------------------------------------------------------------------ whole messages */

void pack_message(struct pack *p, const ProtobufCMessage *message)
{
  p->heap = NULL;
  p->begin = p->stack;
  p->at = p->end = p->stack + sizeof(p->stack);
  put(p, message);
}

void pack_end(struct pack *p)
{
  mem_wipe(p->at, (size_t)(p->end - p->at));
  free(p->heap);
}
