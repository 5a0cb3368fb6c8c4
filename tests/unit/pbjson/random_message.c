/* Random messages of any type, driven by its descriptor. */
#include "tests/unit/pbjson/random_message.h"

#include <float.h>
#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/struct.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/names.h"
#include "common/pbjson/types.h"

uint64_t random_next(struct random *r)
{
  uint64_t z = (r->state += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

uint32_t random_below(struct random *r, uint32_t n)
{
  return (uint32_t)((random_next(r) >> 32) * n >> 32);
}

/* Any bits, or one of the values at a border. */
static uint64_t random_bits(struct random *r)
{
  static const uint64_t borders[] = {
      0,
      1,
      UINT64_MAX,
      INT64_MAX,
      (uint64_t)INT64_MAX + 1,
      INT32_MAX,
      (uint64_t)INT32_MIN,
      UINT32_MAX,
      (1ULL << 53) - 1,
      1ULL << 53,
      (1ULL << 53) + 1,
  };
  if (random_below(r, 2) == 0)
    return borders[random_below(r, ARRAY_LEN(borders))];
  return random_next(r) >> random_below(r, 64);
}

/* No -0.0: protobuf-c takes it for "not set" and drops it from the wire. */
static double random_double(struct random *r)
{
  static const double borders[] = {0,       0.1,      1e22,     1e21,    5e-324,
                                   DBL_MIN, DBL_MAX,  -DBL_MAX, 1.0 / 3, 123456789012345678.0,
                                   NAN,     INFINITY, -INFINITY};
  if (random_below(r, 3) == 0)
    return borders[random_below(r, ARRAY_LEN(borders))];
  uint64_t bits = random_next(r);
  double d;
  memcpy(&d, &bits, sizeof(d));
  return isfinite(d) ? d : (double)(int64_t)bits / 1000;
}

static float random_float(struct random *r)
{
  static const float borders[] = {0,      0.1F,        FLT_MIN, FLT_MAX,  -FLT_MAX,
                                  1e-45F, 16777216.0F, NAN,     INFINITY, -INFINITY};
  if (random_below(r, 3) == 0)
    return borders[random_below(r, ARRAY_LEN(borders))];
  uint32_t bits = (uint32_t)random_next(r);
  float f;
  memcpy(&f, &bits, sizeof(f));
  return isfinite(f) ? f : (float)(int32_t)bits / 1000;
}

static const char *random_character(struct random *r)
{
  static const char *const characters[] = {
      "a",    "Z",    "_",    "0",      " ",      "\"",     "\\",         "/", "\b", "\n", "\t",
      "\x01", "\x1f", "\x7f", "\u00e4", "\u20ac", "\u2028", "\U0001F697", "<", "{",  "}",  "null",
  };
  return characters[random_below(r, ARRAY_LEN(characters))];
}

/* salt makes map keys distinct. */
static char *random_string(struct random *r, struct arena *arena, size_t salt)
{
  char text[160] = "";
  size_t len = 0;
  for (uint32_t n = random_below(r, 12); n > 0; n--) {
    const char *c = random_character(r);
    memcpy(text + len, c, strlen(c) + 1);
    len += strlen(c);
  }
  return salt > 0 ? arena_printf(arena, "%s%zu", text, salt) : arena_strdup(arena, text);
}

static ProtobufCBinaryData random_bytes(struct random *r, struct arena *arena)
{
  ProtobufCBinaryData b = {.len = random_below(r, 9)};
  b.data = arena_alloc(arena, b.len);
  for (size_t i = 0; i < b.len; i++)
    b.data[i] = (uint8_t)random_next(r);
  return b;
}

static int random_enum(struct random *r, const ProtobufCEnumDescriptor *type)
{
  if (strcmp(type->name, "google.protobuf.NullValue") == 0)
    return 0;
  if (random_below(r, 8) == 0)
    return (int)random_bits(r); /* proto3 enums are open */
  return type->values[random_below(r, type->n_values)].value;
}

static void random_scalar(struct random *r, const ProtobufCFieldDescriptor *field, void *at,
                          struct arena *arena, size_t salt)
{
  uint64_t bits = random_bits(r);
  switch (field->type) {
  case PROTOBUF_C_TYPE_FLOAT:
    *(float *)at = random_float(r);
    return;
  case PROTOBUF_C_TYPE_DOUBLE:
    *(double *)at = random_double(r);
    return;
  case PROTOBUF_C_TYPE_BOOL:
    *(protobuf_c_boolean *)at = (protobuf_c_boolean)random_below(r, 2);
    return;
  case PROTOBUF_C_TYPE_ENUM:
    *(int *)at = random_enum(r, field->descriptor);
    return;
  case PROTOBUF_C_TYPE_STRING:
    *(char **)at = random_string(r, arena, salt);
    return;
  case PROTOBUF_C_TYPE_BYTES:
    *(ProtobufCBinaryData *)at = random_bytes(r, arena);
    return;
  default:
    memcpy(at, &bits, type_size(field->type)); /* little-endian, as on every target */
  }
}

static void random_value(struct random *r, const ProtobufCFieldDescriptor *field, void *at,
                         struct arena *arena, unsigned depth)
{
  if (field->type == PROTOBUF_C_TYPE_MESSAGE)
    *(ProtobufCMessage **)at = random_message(r, field->descriptor, arena, depth - 1);
  else
    random_scalar(r, field, at, arena, 0);
}

static void random_list(struct random *r, ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field, struct arena *arena, unsigned depth)
{
  size_t n = random_below(r, 4);
  char *items = arena_alloc(arena, n * type_size(field->type));
  for (size_t i = 0; i < n; i++)
    random_value(r, field, items + i * type_size(field->type), arena, depth);
  *(size_t *)field_at_mut(message, field->quantifier_offset) = n;
  *(void **)field_at_mut(message, field->offset) = n > 0 ? items : NULL;
}

/* A key no other entry has: numbers count up from a border, booleans take turns. */
static void random_key(struct random *r, const ProtobufCFieldDescriptor *field, void *at,
                       struct arena *arena, uint64_t start, size_t i)
{
  uint64_t bits = start + i;
  if (field->type == PROTOBUF_C_TYPE_STRING)
    random_scalar(r, field, at, arena, i + 1);
  else if (field->type == PROTOBUF_C_TYPE_BOOL)
    *(protobuf_c_boolean *)at = (protobuf_c_boolean)(i & 1);
  else
    memcpy(at, &bits, type_size(field->type));
}

static void random_map(struct random *r, ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field, struct arena *arena, unsigned depth)
{
  const ProtobufCMessageDescriptor *type = field->descriptor;
  const ProtobufCFieldDescriptor *key = &type->fields[0];
  const ProtobufCFieldDescriptor *value = &type->fields[1];
  size_t n = random_below(r, 3);
  uint64_t start = random_bits(r);
  ProtobufCMessage **entries = ARENA_ARRAY(arena, ProtobufCMessage *, n);
  for (size_t i = 0; i < n; i++) {
    entries[i] = arena_alloc(arena, type->sizeof_message);
    protobuf_c_message_init(type, entries[i]);
    random_key(r, key, field_at_mut(entries[i], key->offset), arena, start, i);
    random_value(r, value, field_at_mut(entries[i], value->offset), arena, depth - 1);
  }
  *(size_t *)field_at_mut(message, field->quantifier_offset) = n;
  *(ProtobufCMessage ***)field_at_mut(message, field->offset) = n > 0 ? entries : NULL;
}

static void random_field(struct random *r, ProtobufCMessage *message,
                         const ProtobufCFieldDescriptor *field, struct arena *arena, unsigned depth)
{
  if (name_is_map(message->descriptor, field)) {
    random_map(r, message, field, arena, depth);
    return;
  }
  if (field->label == PROTOBUF_C_LABEL_REPEATED) {
    random_list(r, message, field, arena, depth);
    return;
  }
  if (field_in_oneof(field)) {
    uint32_t *set = field_at_mut(message, field->quantifier_offset);
    if (*set != 0)
      return;
    *set = field->id;
  }
  if (field_has_flag(field))
    *(protobuf_c_boolean *)field_at_mut(message, field->quantifier_offset) = 1;
  random_value(r, field, field_at_mut(message, field->offset), arena, depth);
}

static void random_timestamp(struct random *r, ProtobufCMessage *message)
{
  Google__Protobuf__Timestamp *t = (Google__Protobuf__Timestamp *)message;
  static const uint64_t span = 253402300799 + 62135596800 + 1;
  static const int32_t nanos[] = {0, 500000000, 1000, 1, 999999999};
  t->seconds = (int64_t)(random_next(r) % span) - 62135596800;
  t->nanos = nanos[random_below(r, ARRAY_LEN(nanos))];
}

static void random_duration(struct random *r, ProtobufCMessage *message)
{
  Google__Protobuf__Duration *d = (Google__Protobuf__Duration *)message;
  static const int32_t nanos[] = {0, 500000000, 1000, 1, 999999999};
  d->seconds = (int64_t)(random_next(r) % 315576000000ULL) >> random_below(r, 40);
  d->nanos = nanos[random_below(r, ARRAY_LEN(nanos))];
  if (random_below(r, 2) == 0) {
    d->seconds = -d->seconds;
    d->nanos = -d->nanos;
  }
}

/* A Value always has a kind, and no NaN: neither has a JSON form. */
static void random_any(struct random *r, ProtobufCMessage *message, struct arena *arena,
                       unsigned depth)
{
  Google__Protobuf__Value *value = (Google__Protobuf__Value *)message;
  uint32_t kinds = depth > 2 ? 6 : 4;
  const ProtobufCFieldDescriptor *field = &message->descriptor->fields[random_below(r, kinds)];
  random_field(r, message, field, arena, depth);
  if (value->kind_case == GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE &&
      !isfinite(value->number_value))
    value->number_value = 42.5;
}

ProtobufCMessage *random_message(struct random *r, const ProtobufCMessageDescriptor *type,
                                 struct arena *arena, unsigned depth)
{
  ProtobufCMessage *message = arena_alloc(arena, type->sizeof_message);
  protobuf_c_message_init(type, message);
  switch (wkt_of(type)) {
  case WKT_TIMESTAMP:
    random_timestamp(r, message);
    return message;
  case WKT_DURATION:
    random_duration(r, message);
    return message;
  case WKT_VALUE:
    random_any(r, message, arena, depth);
    return message;
  default:
    break;
  }
  for (unsigned i = 0; i < type->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &type->fields[i];
    bool fits = depth > 3 || field->type != PROTOBUF_C_TYPE_MESSAGE;
    if (field->label == PROTOBUF_C_LABEL_REQUIRED || (fits && random_below(r, 3) == 0))
      random_field(r, message, field, arena, depth);
  }
  return message;
}
