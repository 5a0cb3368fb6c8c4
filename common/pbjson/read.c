/* proto3 JSON to protobuf-c messages in an arena. */
#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/pbjson/names.h"
#include "common/pbjson/pbjson.h"
#include "common/pbjson/read_value.h"
#include "common/pbjson/types.h"
#include "common/pbjson/wkt.h"

enum {
  NAME_LIST_BYTES = 400,
  /* A message level costs at most an object and a list, and a map an object more. */
  TEXT_MAX_DEPTH = 3 * PBJSON_MAX_DEPTH + 2,
};

static enum err_code read_message(const struct reader *r,
                                  const ProtobufCMessageDescriptor *descriptor, const cJSON *value,
                                  const struct json_path *path, unsigned depth,
                                  ProtobufCMessage **out);

static enum err_code read_value(const struct reader *r, const ProtobufCFieldDescriptor *field,
                                const cJSON *value, const struct json_path *path, unsigned depth,
                                void *at)
{
  if (field->type == PROTOBUF_C_TYPE_MESSAGE)
    return read_message(r, field->descriptor, value, path, depth + 1, at);
  return read_scalar(r, field, value, path, at);
}

/* Whether JSON's null is a value of the field and not its absence. */
static bool null_is_value(const ProtobufCFieldDescriptor *field)
{
  if (field->type == PROTOBUF_C_TYPE_MESSAGE)
    return wkt_of(field->descriptor) == WKT_VALUE;
  return wkt_is_null_value(field);
}

static enum err_code read_element(const struct reader *r, const ProtobufCFieldDescriptor *field,
                                  const cJSON *value, const struct json_path *path, unsigned depth,
                                  void *at)
{
  if (cJSON_IsNull(value) && !null_is_value(field))
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "null_item", path,
                           "null is not allowed here: leave the item out");
  return read_value(r, field, value, path, depth, at);
}

static enum err_code read_list(const struct reader *r, ProtobufCMessage *message,
                               const ProtobufCFieldDescriptor *field, const cJSON *value,
                               const struct json_path *path, unsigned depth)
{
  if (!cJSON_IsArray(value))
    return read_wrong_type(r, path, "list", value);
  size_t n = (size_t)cJSON_GetArraySize(value);
  size_t size = type_size(field->type);
  char *items = arena_alloc(r->arena, n * size);
  if (items == NULL)
    return read_too_large(r, path);
  size_t i = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, value)
  {
    struct json_path here = JSON_PATH_INDEX(path, i);
    enum err_code code = read_element(r, field, item, &here, depth, items + i * size);
    if (code != ERR_OK)
      return code;
    i++;
  }
  *(size_t *)field_at_mut(message, field->quantifier_offset) = n;
  *(void **)field_at_mut(message, field->offset) = n > 0 ? items : NULL;
  return ERR_OK;
}

static ProtobufCMessage *new_message(const struct reader *r,
                                     const ProtobufCMessageDescriptor *descriptor)
{
  ProtobufCMessage *message = arena_alloc(r->arena, descriptor->sizeof_message);
  if (message != NULL)
    protobuf_c_message_init(descriptor, message);
  return message;
}

static enum err_code read_entry(const struct reader *r, const ProtobufCMessageDescriptor *type,
                                const cJSON *value, const struct json_path *path, unsigned depth,
                                ProtobufCMessage **out)
{
  const ProtobufCFieldDescriptor *key_field = &type->fields[0];
  const ProtobufCFieldDescriptor *value_field = &type->fields[1];
  ProtobufCMessage *entry = new_message(r, type);
  if (entry == NULL)
    return read_too_large(r, path);
  enum err_code code =
      read_map_key(r, key_field, value->string, path, field_at_mut(entry, key_field->offset));
  if (code == ERR_OK)
    code = read_element(r, value_field, value, path, depth + 1,
                        field_at_mut(entry, value_field->offset));
  *out = entry;
  return code;
}

/* Two names in JSON may stand for one key (a value built by code, not parsed). */
static enum err_code check_keys(const struct reader *r, const cJSON *object,
                                ProtobufCMessage *const *entries, size_t n,
                                const struct json_path *path)
{
  AUTO_FREE bool *repeats = xcalloc(n + 1, sizeof(bool));
  if (map_mark_repeats(repeats, entries, n) == 0)
    return ERR_OK;
  size_t i = 0;
  const cJSON *item = object->child;
  while (!repeats[i++])
    item = item->next;
  struct json_path here = JSON_PATH_KEY(path, item->string);
  return json_path_error(r->e, ERR_INVALID_ARGUMENT, "duplicate_key", &here, "given twice");
}

static enum err_code read_map(const struct reader *r, ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field, const cJSON *value,
                              const struct json_path *path, unsigned depth)
{
  if (!cJSON_IsObject(value))
    return read_wrong_type(r, path, "object", value);
  size_t n = (size_t)cJSON_GetArraySize(value);
  ProtobufCMessage **entries = ARENA_ARRAY(r->arena, ProtobufCMessage *, n);
  if (entries == NULL)
    return read_too_large(r, path);
  size_t i = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, value)
  {
    struct json_path here = JSON_PATH_KEY(path, item->string);
    enum err_code code = read_entry(r, field->descriptor, item, &here, depth, &entries[i++]);
    if (code != ERR_OK)
      return code;
  }
  *(size_t *)field_at_mut(message, field->quantifier_offset) = n;
  *(ProtobufCMessage ***)field_at_mut(message, field->offset) = n > 0 ? entries : NULL;
  return check_keys(r, value, entries, n, path);
}

/* Names of the members of field's oneof: "string_filter, in_list_filter". */
static void put_oneof(struct buf *out, const ProtobufCMessageDescriptor *type,
                      const ProtobufCFieldDescriptor *field)
{
  for (unsigned i = 0; i < type->n_fields; i++) {
    const ProtobufCFieldDescriptor *other = &type->fields[i];
    if (field_in_oneof(other) && other->quantifier_offset == field->quantifier_offset)
      buf_printf(out, "%s%s", out->len > 0 ? ", " : "", other->name);
  }
}

/* Claims the oneof for field; refuses a second member. */
static enum err_code claim_oneof(const struct reader *r, ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field,
                                 const struct json_path *path)
{
  uint32_t *set = field_at_mut(message, field->quantifier_offset);
  if (*set == 0) {
    *set = field->id;
    return ERR_OK;
  }
  const ProtobufCFieldDescriptor *first =
      protobuf_c_message_descriptor_get_field(message->descriptor, *set);
  AUTO_BUF struct buf names = BUF_INIT(NAME_LIST_BYTES);
  put_oneof(&names, message->descriptor, field);
  return json_path_error(r->e, ERR_INVALID_ARGUMENT, "oneof_conflict", path,
                         "not together with %s: give only one of %s",
                         first != NULL ? first->name : "another member", buf_str(&names));
}

static enum err_code read_field(const struct reader *r, ProtobufCMessage *message,
                                const ProtobufCFieldDescriptor *field, const cJSON *value,
                                const struct json_path *path, unsigned depth)
{
  if (name_is_map(message->descriptor, field))
    return read_map(r, message, field, value, path, depth);
  if (field->label == PROTOBUF_C_LABEL_REPEATED)
    return read_list(r, message, field, value, path, depth);
  if (field_in_oneof(field)) {
    enum err_code code = claim_oneof(r, message, field, path);
    if (code != ERR_OK)
      return code;
  }
  if (field_has_flag(field))
    *(protobuf_c_boolean *)field_at_mut(message, field->quantifier_offset) = 1;
  return read_value(r, field, value, path, depth, field_at_mut(message, field->offset));
}

static bool has_upper_case(const char *s)
{
  for (; *s != '\0'; s++) {
    if (*s >= 'A' && *s <= 'Z')
      return true;
  }
  return false;
}

/* The closest name, in the caller's own case; all names when none is close. */
static void put_hint(struct buf *out, const ProtobufCMessageDescriptor *type, const char *key)
{
  struct nearest closest = {0};
  for (unsigned i = 0; i < type->n_fields; i++)
    nearest_offer(&closest, i, name_distance(key, type->fields[i].name));
  if (closest.n > 0) {
    const char *name = type->fields[closest.item[0]].name;
    buf_puts(out, "; did you mean ");
    if (has_upper_case(key))
      name_put_camel(out, name);
    else
      buf_puts(out, name);
    buf_putc(out, '?');
    return;
  }
  buf_puts(out, type->n_fields > 0 ? "; known fields: " : "; no fields are known here");
  for (unsigned i = 0; i < type->n_fields; i++) {
    if (out->len + strlen(type->fields[i].name) + 8 > NAME_LIST_BYTES) {
      buf_puts(out, ", ...");
      return;
    }
    buf_printf(out, "%s%s", i > 0 ? ", " : "", type->fields[i].name);
  }
}

static enum err_code unknown_field(const struct reader *r, const ProtobufCMessageDescriptor *type,
                                   const char *key, const struct json_path *path)
{
  if (r->options->ignore_unknown)
    return ERR_OK;
  AUTO_BUF struct buf hint = BUF_INIT(NAME_LIST_BYTES + 8);
  put_hint(&hint, type, key);
  return json_path_error(r->e, ERR_INVALID_ARGUMENT, "unknown_field", path, "unknown field%s",
                         buf_str(&hint));
}

/* One member of a JSON object. seen has a flag per field of the message. */
static enum err_code read_member(const struct reader *r, ProtobufCMessage *message,
                                 const cJSON *item, const struct json_path *path, unsigned depth,
                                 bool *seen)
{
  const ProtobufCMessageDescriptor *type = message->descriptor;
  struct json_path here = JSON_PATH_KEY(path, item->string);
  const ProtobufCFieldDescriptor *field = name_find_field(type, item->string);
  if (field == NULL)
    return unknown_field(r, type, item->string, &here);
  bool *given = &seen[field - type->fields];
  if (*given)
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "duplicate_field", &here,
                           "given twice (%s in snake_case or camelCase names one field)",
                           field->name);
  *given = true;
  bool single = field->label != PROTOBUF_C_LABEL_REPEATED;
  if (cJSON_IsNull(item) && !(single && null_is_value(field)))
    return ERR_OK;
  return read_field(r, message, field, item, &here, depth);
}

static enum err_code read_object(const struct reader *r, ProtobufCMessage *message,
                                 const cJSON *value, const struct json_path *path, unsigned depth)
{
  if (!cJSON_IsObject(value))
    return read_wrong_type(r, path, "object", value);
  bool *seen = ARENA_ARRAY(r->arena, bool, message->descriptor->n_fields);
  if (seen == NULL)
    return read_too_large(r, path);
  const cJSON *item;
  cJSON_ArrayForEach(item, value)
  {
    enum err_code code = read_member(r, message, item, path, depth, seen);
    if (code != ERR_OK)
      return code;
  }
  return ERR_OK;
}

static enum err_code read_timestamp(const struct reader *r, ProtobufCMessage *message,
                                    const cJSON *value, const struct json_path *path)
{
  Google__Protobuf__Timestamp *out = (Google__Protobuf__Timestamp *)message;
  struct wkt_time t;
  if (!cJSON_IsString(value))
    return read_wrong_type(r, path, "string", value);
  if (!wkt_timestamp_parse(&t, value->valuestring))
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "bad_timestamp", path,
                           "expected a time such as \"2026-01-31T23:59:59Z\"");
  out->seconds = t.seconds;
  out->nanos = t.nanos;
  return ERR_OK;
}

static enum err_code read_duration(const struct reader *r, ProtobufCMessage *message,
                                   const cJSON *value, const struct json_path *path)
{
  Google__Protobuf__Duration *out = (Google__Protobuf__Duration *)message;
  struct wkt_time t;
  if (!cJSON_IsString(value))
    return read_wrong_type(r, path, "string", value);
  if (!wkt_duration_parse(&t, value->valuestring))
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "bad_duration", path,
                           "expected a duration in seconds such as \"1.5s\"");
  out->seconds = t.seconds;
  out->nanos = t.nanos;
  return ERR_OK;
}

/* google.protobuf.Value: the member that fits the type of the JSON value. */
static enum err_code read_any_value(const struct reader *r, ProtobufCMessage *message,
                                    const cJSON *value, const struct json_path *path,
                                    unsigned depth)
{
  const char *name = "null_value";
  if (cJSON_IsNumber(value))
    name = "number_value";
  else if (cJSON_IsString(value))
    name = "string_value";
  else if (cJSON_IsBool(value))
    name = "bool_value";
  else if (cJSON_IsObject(value))
    name = "struct_value";
  else if (cJSON_IsArray(value))
    name = "list_value";
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
  return read_field(r, message, field, value, path, depth);
}

static enum err_code read_content(const struct reader *r, ProtobufCMessage *message,
                                  const cJSON *value, const struct json_path *path, unsigned depth)
{
  switch (wkt_of(message->descriptor)) {
  case WKT_TIMESTAMP:
    return read_timestamp(r, message, value, path);
  case WKT_DURATION:
    return read_duration(r, message, value, path);
  case WKT_STRUCT:
    return read_map(r, message, &message->descriptor->fields[0], value, path, depth);
  case WKT_LIST_VALUE:
    return read_list(r, message, &message->descriptor->fields[0], value, path, depth);
  case WKT_VALUE:
    return read_any_value(r, message, value, path, depth);
  case WKT_UNSUPPORTED:
    return json_path_error(r->e, ERR_UNIMPLEMENTED, "unsupported_type", path,
                           "%s has no JSON form here", message->descriptor->name);
  case WKT_NONE:
    break;
  }
  return read_object(r, message, value, path, depth);
}

static enum err_code read_message(const struct reader *r,
                                  const ProtobufCMessageDescriptor *descriptor, const cJSON *value,
                                  const struct json_path *path, unsigned depth,
                                  ProtobufCMessage **out)
{
  if (depth > PBJSON_MAX_DEPTH)
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "too_deep", path, "nested deeper than %d",
                           PBJSON_MAX_DEPTH);
  ProtobufCMessage *message = new_message(r, descriptor);
  if (message == NULL)
    return read_too_large(r, path);
  *out = message;
  return read_content(r, message, value, path, depth);
}

enum err_code pbjson_read(ProtobufCMessage **out, const ProtobufCMessageDescriptor *descriptor,
                          const cJSON *value, struct arena *arena,
                          const struct pbjson_read_options *options, struct err *e)
{
  static const struct pbjson_read_options defaults = {0};
  const struct reader r = {arena, options != NULL ? options : &defaults, e};
  ProtobufCMessage *message = NULL;
  enum err_code code = read_message(&r, descriptor, value, NULL, 1, &message);
  *out = code == ERR_OK ? message : NULL;
  return code;
}

enum err_code pbjson_read_text(ProtobufCMessage **out, const ProtobufCMessageDescriptor *descriptor,
                               const char *text, size_t len, struct arena *arena,
                               const struct pbjson_read_options *options, struct err *e)
{
  static const struct json_limits limits = {.max_depth = TEXT_MAX_DEPTH};
  AUTO_JSON cJSON *value = NULL;
  *out = NULL;
  enum err_code code = json_parse(&value, text, len, &limits, e);
  if (code != ERR_OK)
    return code;
  return pbjson_read(out, descriptor, value, arena, options, e);
}

static void *allocate(void *arena, size_t size)
{
  return arena_alloc(arena, size);
}

static void release(void *arena, void *memory)
{
  (void)arena;
  (void)memory;
}

ProtobufCAllocator pbjson_arena_allocator(struct arena *arena)
{
  return (ProtobufCAllocator){.alloc = allocate, .free = release, .allocator_data = arena};
}
