/* Values into the members of a message. How protobuf-c lays out a message:
 * https://protobuf-c.github.io/protobuf-c/structProtobufCFieldDescriptor.html. */
#include "common/rpc/build.h"

#include <string.h>

bool build_begin(struct build *b, const ProtobufCMessageDescriptor *type, struct arena *arena)
{
  *b = (struct build){0};
  if (type->message_init == NULL)
    return false;
  b->message = arena_alloc(arena, type->sizeof_message);
  if (b->message != NULL)
    type->message_init(b->message);
  return b->message != NULL;
}

static void *member_at(const struct build *b, unsigned offset)
{
  return (char *)b->message + offset;
}

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
  case PROTOBUF_C_TYPE_STRING:
  case PROTOBUF_C_TYPE_MESSAGE:
    return sizeof(void *);
  case PROTOBUF_C_TYPE_BYTES:
    return sizeof(ProtobufCBinaryData);
  default:
    return 4;
  }
}

/* Fails where the field has values already: the list goes on after something else. */
bool build_list(struct build *b, const ProtobufCFieldDescriptor *field, size_t n,
                struct arena *arena)
{
  const size_t *count = member_at(b, field->quantifier_offset);
  if (n == 0 || *count > 0 || n > SIZE_MAX / sizeof(ProtobufCBinaryData))
    return false;
  void *items = arena_alloc(arena, n * size_of(field->type));
  if (items == NULL)
    return false;
  memcpy(member_at(b, field->offset), &items, sizeof(items));
  b->list = field;
  b->room = n;
  return true;
}

static void *next_item(struct build *b, const ProtobufCFieldDescriptor *field)
{
  char *items;
  size_t *count = member_at(b, field->quantifier_offset);
  if (b->list != field || b->room == 0)
    return NULL;
  b->room--;
  memcpy(&items, member_at(b, field->offset), sizeof(items));
  return items + (*count)++ * size_of(field->type);
}

/* Where the value goes, which counts as given; NULL: left to the library. */
static void *place(struct build *b, const ProtobufCFieldDescriptor *field)
{
  if (field->label == PROTOBUF_C_LABEL_REPEATED)
    return next_item(b, field);
  if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
    uint32_t *which = member_at(b, field->quantifier_offset);
    if (*which != 0)
      return NULL;
    *which = field->id;
  } else if (field->quantifier_offset != 0) {
    *(protobuf_c_boolean *)member_at(b, field->quantifier_offset) = 1;
  }
  return member_at(b, field->offset);
}

static uint64_t varint(const uint8_t *p, size_t n)
{
  uint64_t v = 0;
  for (size_t i = 0; i < n; i++)
    v |= (uint64_t)(p[i] & 0x7f) << (7 * i);
  return v;
}

static protobuf_c_boolean is_set(const uint8_t *p, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if ((p[i] & 0x7f) != 0)
      return 1;
  return 0;
}

static void store(void *to, ProtobufCType type, const uint8_t *p, size_t n)
{
  uint64_t v;
  switch (type) {
  case PROTOBUF_C_TYPE_FIXED32:
  case PROTOBUF_C_TYPE_SFIXED32:
  case PROTOBUF_C_TYPE_FLOAT:
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_SFIXED64:
  case PROTOBUF_C_TYPE_DOUBLE:
    memcpy(to, p, n); /* the wire and this machine are little-endian (below) */
    return;
  case PROTOBUF_C_TYPE_BOOL:
    *(protobuf_c_boolean *)to = is_set(p, n);
    return;
  case PROTOBUF_C_TYPE_SINT32:
    v = (uint32_t)varint(p, n);
    *(uint32_t *)to = (uint32_t)(v >> 1) ^ (0 - (uint32_t)(v & 1));
    return;
  case PROTOBUF_C_TYPE_SINT64:
    v = varint(p, n);
    *(uint64_t *)to = v >> 1 ^ (0 - (v & 1));
    return;
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_UINT64:
    *(uint64_t *)to = varint(p, n);
    return;
  default:
    *(uint32_t *)to = (uint32_t)varint(p, n);
  }
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "numbers of fixed size are swapped elsewhere");
_Static_assert(sizeof(protobuf_c_boolean) == 4, "as size_of() has it");

bool build_number(struct build *b, const ProtobufCFieldDescriptor *field, const uint8_t *p,
                  size_t n)
{
  void *to = place(b, field);
  if (to == NULL)
    return false;
  store(to, field->type, p, n);
  return true;
}

bool build_text(struct build *b, const ProtobufCFieldDescriptor *field, const uint8_t *p,
                size_t len, struct arena *arena)
{
  bool text = field->type == PROTOBUF_C_TYPE_STRING;
  void *to = place(b, field);
  uint8_t *copy = to == NULL ? NULL : arena_alloc(arena, len + 1);
  if (copy == NULL)
    return false;
  memcpy(copy, p, len);
  if (text)
    memcpy(to, &copy, sizeof(copy));
  else
    *(ProtobufCBinaryData *)to = (ProtobufCBinaryData){len, len > 0 ? copy : NULL};
  return true;
}

static size_t number_size(size_t fixed, const uint8_t *p)
{
  size_t n = 1;
  if (fixed > 0)
    return fixed;
  while ((p[n - 1] & 0x80) != 0)
    n++;
  return n;
}

/* Bytes of each number on the wire; 0 where they differ. */
static size_t fixed_size(ProtobufCType type)
{
  switch (type) {
  case PROTOBUF_C_TYPE_FIXED32:
  case PROTOBUF_C_TYPE_SFIXED32:
  case PROTOBUF_C_TYPE_FLOAT:
    return 4;
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_SFIXED64:
  case PROTOBUF_C_TYPE_DOUBLE:
    return 8;
  default:
    return 0;
  }
}

bool build_packed(struct build *b, const ProtobufCFieldDescriptor *field, const uint8_t *p,
                  size_t len, struct arena *arena)
{
  size_t fixed = fixed_size(field->type), n = fixed > 0 ? len / fixed : 0;
  for (size_t i = 0; fixed == 0 && i < len; i++)
    n += (p[i] & 0x80) == 0;
  if (len == 0)
    return true;
  if (!build_list(b, field, n, arena))
    return false;
  for (const uint8_t *end = p + len; p < end;) {
    size_t size = number_size(fixed, p);
    store(next_item(b, field), field->type, p, size);
    p += size;
  }
  return true;
}

bool build_child(struct build *child, struct build *b, const ProtobufCFieldDescriptor *field,
                 struct arena *arena)
{
  ProtobufCMessage *before = NULL;
  void *to = place(b, field);
  if (to != NULL && field->label != PROTOBUF_C_LABEL_REPEATED)
    memcpy(&before, to, sizeof(before));
  if (to == NULL || before != NULL || !build_begin(child, field->descriptor, arena))
    return false;
  memcpy(to, &child->message, sizeof(child->message));
  return true;
}
