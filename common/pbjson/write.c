/* protobuf-c messages to proto3 JSON. */
#include <string.h>

#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/pbjson/names.h"
#include "common/pbjson/number.h"
#include "common/pbjson/path.h"
#include "common/pbjson/pbjson.h"
#include "common/pbjson/types.h"
#include "common/pbjson/wkt.h"

struct writer {
  struct buf *out;
  const struct pbjson_write_options *options;
  struct err *e;
};

static enum err_code write_message(struct writer *w, const ProtobufCMessage *message,
                                   const struct json_path *path, unsigned depth);

static enum err_code write_string(struct writer *w, const char *s, const struct json_path *path)
{
  size_t len = s != NULL ? strlen(s) : 0;
  if (!utf8_valid(len > 0 ? s : "", len))
    return json_path_error(w->e, ERR_INTERNAL, "invalid_utf8", path,
                           "the string is not UTF-8 and cannot be written as JSON");
  buf_put_json_string(w->out, len > 0 ? s : "", len);
  return ERR_OK;
}

static enum err_code write_bytes(struct writer *w, const ProtobufCBinaryData *bytes)
{
  buf_putc(w->out, '"');
  base64_encode(w->out, bytes->data, bytes->len);
  buf_putc(w->out, '"');
  return ERR_OK;
}

/* Text without anything to escape. */
static void write_quoted(struct writer *w, const char *text)
{
  buf_putc(w->out, '"');
  buf_puts(w->out, text);
  buf_putc(w->out, '"');
}

/* A number of at most 32 bits. */
static void write_narrow(struct writer *w, int64_t number)
{
  buf_put_whole(w->out, number < 0, (uint64_t)(number < 0 ? -number : number));
}

static enum err_code write_enum(struct writer *w, const ProtobufCFieldDescriptor *field, int number)
{
  const ProtobufCEnumValue *value = NULL;
  if (wkt_is_null_value(field)) {
    buf_puts(w->out, "null");
    return ERR_OK;
  }
  if (!w->options->enums_as_numbers)
    value = protobuf_c_enum_descriptor_get_value(field->descriptor, number);
  if (value != NULL)
    write_quoted(w, value->name);
  else
    write_narrow(w, number);
  return ERR_OK;
}

/* `bits`: the number, negative ones in two's complement. */
static void write_whole(struct writer *w, bool negative, uint64_t bits)
{
  uint64_t magnitude = negative ? -bits : bits;
  bool bare = w->options->whole_numbers && magnitude <= (uint64_t)1 << 53;
  const char *quote = bare ? "" : "\"";
  buf_puts(w->out, quote);
  buf_put_whole(w->out, negative, magnitude);
  buf_puts(w->out, quote);
}

/* One value that lies at `at`. Failed appends stay in the buffer's `failed`. */
static enum err_code write_value(struct writer *w, const ProtobufCFieldDescriptor *field,
                                 const void *at, const struct json_path *path, unsigned depth)
{
  switch (field->type) {
  case PROTOBUF_C_TYPE_INT32:
  case PROTOBUF_C_TYPE_SINT32:
  case PROTOBUF_C_TYPE_SFIXED32:
    write_narrow(w, *(const int32_t *)at);
    return ERR_OK;
  case PROTOBUF_C_TYPE_UINT32:
  case PROTOBUF_C_TYPE_FIXED32:
    write_narrow(w, *(const uint32_t *)at);
    return ERR_OK;
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_SINT64:
  case PROTOBUF_C_TYPE_SFIXED64:
    write_whole(w, *(const int64_t *)at < 0, (uint64_t) * (const int64_t *)at);
    return ERR_OK;
  case PROTOBUF_C_TYPE_UINT64:
  case PROTOBUF_C_TYPE_FIXED64:
    write_whole(w, false, *(const uint64_t *)at);
    return ERR_OK;
  case PROTOBUF_C_TYPE_FLOAT:
    number_put_float(w->out, *(const float *)at);
    return ERR_OK;
  case PROTOBUF_C_TYPE_DOUBLE:
    number_put_double(w->out, *(const double *)at);
    return ERR_OK;
  case PROTOBUF_C_TYPE_BOOL:
    buf_puts(w->out, *(const protobuf_c_boolean *)at ? "true" : "false");
    return ERR_OK;
  case PROTOBUF_C_TYPE_ENUM:
    return write_enum(w, field, *(const int *)at);
  case PROTOBUF_C_TYPE_STRING:
    return write_string(w, *(char *const *)at, path);
  case PROTOBUF_C_TYPE_BYTES:
    return write_bytes(w, at);
  case PROTOBUF_C_TYPE_MESSAGE:
    break;
  }
  return write_message(w, *(ProtobufCMessage *const *)at, path, depth + 1);
}

static enum err_code write_list(struct writer *w, const ProtobufCMessage *message,
                                const ProtobufCFieldDescriptor *field, const struct json_path *path,
                                unsigned depth)
{
  size_t n = *(const size_t *)field_at(message, field->quantifier_offset);
  const char *items = *(char *const *)field_at(message, field->offset);
  buf_putc(w->out, '[');
  for (size_t i = 0; i < n && !w->out->failed; i++) {
    struct json_path here = JSON_PATH_INDEX(path, i);
    if (i > 0)
      buf_putc(w->out, ',');
    enum err_code code = write_value(w, field, items + i * type_size(field->type), &here, depth);
    if (code != ERR_OK)
      return code;
  }
  buf_putc(w->out, ']');
  return ERR_OK;
}

/* A map's key as a JSON name: numbers and booleans in quotes. */
static enum err_code write_key(struct writer *w, const ProtobufCFieldDescriptor *field,
                               const void *at, const struct json_path *path)
{
  bool quoted = field->type == PROTOBUF_C_TYPE_STRING || type_size(field->type) == 8;
  if (!quoted)
    buf_putc(w->out, '"');
  enum err_code code = write_value(w, field, at, path, 0);
  buf_puts(w->out, quoted ? ":" : "\":");
  return code;
}

/* An entry without a value on the wire stands for an empty message. */
static enum err_code write_empty(struct writer *w, const ProtobufCMessageDescriptor *descriptor,
                                 const struct json_path *path, unsigned depth)
{
  AUTO_FREE ProtobufCMessage *empty = xcalloc(1, descriptor->sizeof_message);
  protobuf_c_message_init(descriptor, empty);
  return write_message(w, empty, path, depth);
}

static enum err_code write_entry(struct writer *w, const ProtobufCMessage *entry,
                                 const struct json_path *path, unsigned depth)
{
  const ProtobufCFieldDescriptor *key = &entry->descriptor->fields[0];
  const ProtobufCFieldDescriptor *value = &entry->descriptor->fields[1];
  const void *key_at = field_at(entry, key->offset);
  const char *name = key->type == PROTOBUF_C_TYPE_STRING ? *(char *const *)key_at : "key";
  struct json_path here = JSON_PATH_KEY(path, name != NULL ? name : "");
  enum err_code code = write_key(w, key, key_at, &here);
  if (code != ERR_OK)
    return code;
  const void *value_at = field_at(entry, value->offset);
  if (value->type != PROTOBUF_C_TYPE_MESSAGE || *(ProtobufCMessage *const *)value_at != NULL)
    return write_value(w, value, value_at, &here, depth + 1);
  return write_empty(w, value->descriptor, &here, depth + 2);
}

/* On the wire a key may occur twice and the last one counts; JSON must not repeat it. */
static enum err_code write_map(struct writer *w, const ProtobufCMessage *message,
                               const ProtobufCFieldDescriptor *field, const struct json_path *path,
                               unsigned depth)
{
  size_t n = *(const size_t *)field_at(message, field->quantifier_offset);
  ProtobufCMessage *const *entries = *(ProtobufCMessage * *const *)field_at(message, field->offset);
  AUTO_FREE bool *repeats = xcalloc(n + 1, sizeof(bool));
  map_mark_repeats(repeats, entries, n);
  bool first = true;
  buf_putc(w->out, '{');
  for (size_t i = 0; i < n && !w->out->failed; i++) {
    if (repeats[i])
      continue;
    if (!first)
      buf_putc(w->out, ',');
    first = false;
    enum err_code code = write_entry(w, entries[i], path, depth);
    if (code != ERR_OK)
      return code;
  }
  buf_putc(w->out, '}');
  return ERR_OK;
}

/* What protobuf-c's packing takes for "not set" in proto3. */
static bool is_zero(const ProtobufCFieldDescriptor *field, const void *at)
{
  switch (field->type) {
  case PROTOBUF_C_TYPE_STRING:
    return *(char *const *)at == NULL || **(char *const *)at == '\0';
  case PROTOBUF_C_TYPE_BYTES:
    return ((const ProtobufCBinaryData *)at)->len == 0;
  case PROTOBUF_C_TYPE_MESSAGE:
    return *(ProtobufCMessage *const *)at == NULL;
  case PROTOBUF_C_TYPE_DOUBLE:
    return *(const double *)at == 0;
  case PROTOBUF_C_TYPE_FLOAT:
    return *(const float *)at == 0;
  default:
    return type_size(field->type) == 8 ? *(const uint64_t *)at == 0 : *(const uint32_t *)at == 0;
  }
}

static bool field_is_empty(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                           unsigned depth);

static bool is_pointer(const ProtobufCFieldDescriptor *field)
{
  return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
}

/* Whether nothing would be left of a message without its empty fields. */
static bool message_is_empty(const ProtobufCMessage *message, unsigned depth)
{
  if (message == NULL || wkt_of(message->descriptor) != WKT_NONE)
    return message == NULL;
  for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
    if (!field_is_empty(message, &message->descriptor->fields[i], depth + 1))
      return false;
  }
  return true;
}

/* A number or a boolean without presence is never empty: an absent count is not a zero. */
static bool field_is_empty(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                           unsigned depth)
{
  const void *at = field_at(message, field->offset);
  const void *quantifier = field_at(message, field->quantifier_offset);
  if (depth > PBJSON_MAX_DEPTH)
    return false;
  if (field->label == PROTOBUF_C_LABEL_REPEATED)
    return *(const size_t *)quantifier == 0;
  if (field_in_oneof(field) && *(const uint32_t *)quantifier != field->id)
    return true;
  if (field->type == PROTOBUF_C_TYPE_MESSAGE)
    return message_is_empty(*(ProtobufCMessage *const *)at, depth);
  bool empties = field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES ||
                 field->type == PROTOBUF_C_TYPE_ENUM;
  return empties && is_zero(field, at);
}

bool pbjson_field_is_empty(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
  return field_is_empty(message, field, 0);
}

static bool is_written(const struct writer *w, const ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field)
{
  if (w->options->omit_empty && field_is_empty(message, field, 0))
    return false;
  const void *at = field_at(message, field->offset);
  const void *quantifier = field_at(message, field->quantifier_offset);
  bool null = is_pointer(field) && *(void *const *)at == NULL;
  if (field->label == PROTOBUF_C_LABEL_REPEATED)
    return *(const size_t *)quantifier > 0 || w->options->emit_defaults;
  if (field_in_oneof(field))
    return *(const uint32_t *)quantifier == field->id && !null;
  if (null && (field->type == PROTOBUF_C_TYPE_MESSAGE || field->label != PROTOBUF_C_LABEL_NONE))
    return false;
  if (field_has_flag(field))
    return *(const protobuf_c_boolean *)quantifier != 0;
  if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
    return *(const void *const *)at != field->default_value;
  return field->label == PROTOBUF_C_LABEL_REQUIRED || w->options->emit_defaults ||
         !is_zero(field, at);
}

static void write_name(struct writer *w, const char *name)
{
  buf_putc(w->out, '"');
  if (w->options->names == PBJSON_CAMEL_CASE)
    name_put_camel(w->out, name);
  else
    buf_puts(w->out, name);
  buf_puts(w->out, "\":");
}

static enum err_code write_field(struct writer *w, const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field,
                                 const struct json_path *path, unsigned depth)
{
  if (name_is_map(message->descriptor, field))
    return write_map(w, message, field, path, depth);
  if (field->label == PROTOBUF_C_LABEL_REPEATED)
    return write_list(w, message, field, path, depth);
  return write_value(w, field, field_at(message, field->offset), path, depth);
}

static enum err_code write_object(struct writer *w, const ProtobufCMessage *message,
                                  const struct json_path *path, unsigned depth)
{
  bool first = true;
  buf_putc(w->out, '{');
  for (unsigned i = 0; i < message->descriptor->n_fields && !w->out->failed; i++) {
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
    if (!is_written(w, message, field))
      continue;
    if (!first)
      buf_putc(w->out, ',');
    first = false;
    write_name(w, field->name);
    struct json_path here = JSON_PATH_KEY(path, field->name);
    enum err_code code = write_field(w, message, field, &here, depth);
    if (code != ERR_OK)
      return code;
  }
  buf_putc(w->out, '}');
  return ERR_OK;
}

static enum err_code write_timestamp(struct writer *w, const ProtobufCMessage *message,
                                     const struct json_path *path)
{
  const Google__Protobuf__Timestamp *t = (const Google__Protobuf__Timestamp *)message;
  char text[WKT_TEXT];
  if (!wkt_timestamp_format(text, (struct wkt_time){t->seconds, t->nanos}))
    return json_path_error(w->e, ERR_OUT_OF_RANGE, "out_of_range", path,
                           "the time is outside the years 1 to 9999");
  write_quoted(w, text);
  return ERR_OK;
}

static enum err_code write_duration(struct writer *w, const ProtobufCMessage *message,
                                    const struct json_path *path)
{
  const Google__Protobuf__Duration *d = (const Google__Protobuf__Duration *)message;
  char text[WKT_TEXT];
  if (!wkt_duration_format(text, (struct wkt_time){d->seconds, d->nanos}))
    return json_path_error(w->e, ERR_OUT_OF_RANGE, "out_of_range", path,
                           "the duration is longer than 10000 years or has mixed signs");
  write_quoted(w, text);
  return ERR_OK;
}

/* google.protobuf.Value: its one member, bare. JSON has no number for NaN. */
static enum err_code write_any_value(struct writer *w, const ProtobufCMessage *message,
                                     const struct json_path *path, unsigned depth)
{
  for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
    if (!is_written(w, message, field))
      continue;
    const void *at = field_at(message, field->offset);
    if (field->type == PROTOBUF_C_TYPE_DOUBLE && !__builtin_isfinite(*(const double *)at))
      return json_path_error(w->e, ERR_OUT_OF_RANGE, "out_of_range", path,
                             "a Value cannot hold NaN or Infinity in JSON");
    return write_value(w, field, at, path, depth);
  }
  buf_puts(w->out, "null");
  return ERR_OK;
}

static enum err_code write_message(struct writer *w, const ProtobufCMessage *message,
                                   const struct json_path *path, unsigned depth)
{
  if (depth > PBJSON_MAX_DEPTH)
    return json_path_error(w->e, ERR_INVALID_ARGUMENT, "too_deep", path,
                           "messages nested deeper than %d", PBJSON_MAX_DEPTH);
  switch (wkt_of(message->descriptor)) {
  case WKT_TIMESTAMP:
    return write_timestamp(w, message, path);
  case WKT_DURATION:
    return write_duration(w, message, path);
  case WKT_STRUCT:
    return write_map(w, message, &message->descriptor->fields[0], path, depth);
  case WKT_LIST_VALUE:
    return write_list(w, message, &message->descriptor->fields[0], path, depth);
  case WKT_VALUE:
    return write_any_value(w, message, path, depth);
  case WKT_UNSUPPORTED:
    return json_path_error(w->e, ERR_UNIMPLEMENTED, "unsupported_type", path,
                           "%s has no JSON form here", message->descriptor->name);
  case WKT_NONE:
    break;
  }
  return write_object(w, message, path, depth);
}

static enum err_code ended(const struct writer *w, enum err_code code,
                           const ProtobufCMessage *message)
{
  if (code == ERR_OK && w->out->failed)
    return err_set(w->e, ERR_RESOURCE_EXHAUSTED, "too_large",
                   "the JSON form of %s is larger than %zu bytes", message->descriptor->name,
                   w->out->max);
  return code;
}

static const struct pbjson_write_options default_options = {0};

enum err_code pbjson_write(struct buf *out, const ProtobufCMessage *message,
                           const struct pbjson_write_options *options, struct err *e)
{
  struct writer w = {out, options != NULL ? options : &default_options, e};
  return ended(&w, write_message(&w, message, NULL, 1), message);
}

enum err_code pbjson_write_field(struct buf *out, const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field,
                                 const struct pbjson_write_options *options, struct err *e)
{
  struct writer w = {out, options != NULL ? options : &default_options, e};
  struct json_path path = JSON_PATH_KEY(NULL, field->name);
  return ended(&w, write_field(&w, message, field, &path, 1), message);
}
