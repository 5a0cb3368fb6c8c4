/* Scalars from JSON: numbers with their ranges, strings, bytes, booleans, enums. */
#include "common/pbjson/read_value.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/pbjson/borrow.h"
#include "common/pbjson/names.h"
#include "common/pbjson/number.h"
#include "common/pbjson/types.h"

/* 2^53: from here on a double cannot distinguish neighbouring whole numbers, so
 * 9007199254740993 has already become this number when it arrives. */
static const double double_whole_limit = 9007199254740992.0;

enum { ENUM_LIST_BYTES = 400 };

enum err_code read_wrong_type(const struct reader *r, const struct json_path *path,
                              const char *expected, const cJSON *got)
{
  return json_path_error(r->e, ERR_INVALID_ARGUMENT, "wrong_type", path, "expected %s, got %s",
                         expected, json_type_name(got));
}

enum err_code read_too_large(const struct reader *r, const struct json_path *path)
{
  return json_path_error(r->e, ERR_RESOURCE_EXHAUSTED, "too_large", path,
                         "the message is too large: send less in one request");
}

/* What a whole number of a type may be. */
struct whole_range {
  bool is_unsigned;
  uint64_t above; /* largest magnitude of a number >= 0 */
  uint64_t below; /* largest magnitude of a number < 0 */
};

static struct whole_range range_of(ProtobufCType type)
{
  switch (type) {
  case PROTOBUF_C_TYPE_UINT32:
  case PROTOBUF_C_TYPE_FIXED32:
    return (struct whole_range){true, UINT32_MAX, 0};
  case PROTOBUF_C_TYPE_UINT64:
  case PROTOBUF_C_TYPE_FIXED64:
    return (struct whole_range){true, UINT64_MAX, 0};
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_SINT64:
  case PROTOBUF_C_TYPE_SFIXED64:
    return (struct whole_range){false, INT64_MAX, (uint64_t)INT64_MAX + 1};
  default:
    return (struct whole_range){false, INT32_MAX, (uint64_t)INT32_MAX + 1};
  }
}

static enum err_code out_of_range(const struct reader *r, const struct json_path *path,
                                  struct whole_range range, const char *got)
{
  return json_path_error(r->e, ERR_INVALID_ARGUMENT, "out_of_range", path,
                         "expected a whole number from %s%" PRIu64 " to %" PRIu64 ", got %s",
                         range.below > 0 ? "-" : "", range.below, range.above, JSON_SHOWN(got));
}

static bool fits(struct number_whole n, struct whole_range range)
{
  return n.magnitude <= (n.negative ? range.below : range.above);
}

static enum err_code whole_from_number(const struct reader *r, double value,
                                       const struct json_path *path, struct whole_range range,
                                       struct number_whole *out)
{
  AUTO_BUF struct buf text = BUF_INIT(64);
  number_put_double(&text, value);
  if (!isfinite(value) || value != floor(value))
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "not_whole", path,
                           "expected a whole number, got %s", buf_str(&text));
  bool exact = fabs(value) < double_whole_limit;
  if (!exact && range.above > UINT32_MAX)
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "inexact_number", path,
                           "a number of 2^53 or more is not exact in JSON: give it as a string");
  *out = (struct number_whole){value < 0, exact ? (uint64_t)fabs(value) : UINT64_MAX};
  return fits(*out, range) ? ERR_OK : out_of_range(r, path, range, buf_str(&text));
}

static enum err_code whole_from_string(const struct reader *r, const char *s,
                                       const struct json_path *path, struct whole_range range,
                                       struct number_whole *out)
{
  size_t digits = strspn(s + (*s == '-'), "0123456789");
  bool shape = digits > 0 && s[digits + (*s == '-')] == '\0';
  if (number_parse_whole(out, s))
    return fits(*out, range) ? ERR_OK : out_of_range(r, path, range, s);
  if (shape && digits > 19)
    return out_of_range(r, path, range, s);
  return json_path_error(r->e, ERR_INVALID_ARGUMENT, "not_whole", path,
                         "expected a whole number, got the string \"%s\"", JSON_SHOWN(s));
}

static enum err_code read_whole(const struct reader *r, ProtobufCType type, const cJSON *value,
                                const struct json_path *path, void *at)
{
  struct number_whole n = {0};
  enum err_code code;
  struct whole_range range = range_of(type);
  if (cJSON_IsNumber(value))
    code = whole_from_number(r, value->valuedouble, path, range, &n);
  else if (cJSON_IsString(value))
    code = whole_from_string(r, value->valuestring, path, range, &n);
  else
    return read_wrong_type(r, path, "number", value);
  if (code != ERR_OK)
    return code;
  uint64_t bits = n.negative ? 0 - n.magnitude : n.magnitude;
  uint32_t low = (uint32_t)bits;
  if (type_size(type) == sizeof(bits))
    memcpy(at, &bits, sizeof(bits));
  else
    memcpy(at, &low, sizeof(low));
  return ERR_OK;
}

static bool special_double(const char *s, double *out)
{
  if (strcmp(s, "NaN") == 0)
    *out = NAN;
  else if (strcmp(s, "Infinity") == 0)
    *out = INFINITY;
  else if (strcmp(s, "-Infinity") == 0)
    *out = -INFINITY;
  else
    return false;
  return true;
}

static enum err_code read_real(const struct reader *r, ProtobufCType type, const cJSON *value,
                               const struct json_path *path, void *at)
{
  double d = 0;
  bool special = false;
  if (cJSON_IsNumber(value)) {
    d = value->valuedouble;
  } else if (cJSON_IsString(value)) {
    special = special_double(value->valuestring, &d);
    if (!special && !number_parse_double(&d, value->valuestring))
      return json_path_error(r->e, ERR_INVALID_ARGUMENT, "wrong_type", path,
                             "expected number, got the string \"%s\"",
                             JSON_SHOWN(value->valuestring));
  } else {
    return read_wrong_type(r, path, "number", value);
  }
  bool is_float = type == PROTOBUF_C_TYPE_FLOAT;
  /* Half a step above FLT_MAX is where rounding to float gives infinity. */
  bool beyond = is_float && fabs(d) >= (double)FLT_MAX * (1 + (double)FLT_EPSILON / 4);
  if (!special && (!isfinite(d) || beyond))
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "out_of_range", path,
                           "the number is too large for a %s", is_float ? "float" : "double");
  if (is_float)
    *(float *)at = (float)d;
  else
    *(double *)at = d;
  return ERR_OK;
}

/* Names of the values without the unset one ("..._UNSPECIFIED"), for an error. */
static void put_enum_names(struct buf *out, const ProtobufCEnumDescriptor *type)
{
  for (unsigned i = 0; i < type->n_values; i++) {
    const ProtobufCEnumValue *value = &type->values[i];
    if (value->value == 0 && type->n_values > 1 && strstr(value->name, "UNSPECIFIED") != NULL)
      continue;
    if (out->len + strlen(value->name) + 8 > ENUM_LIST_BYTES) {
      buf_puts(out, ", ...");
      return;
    }
    buf_printf(out, "%s%s", out->len > 0 ? ", " : "", value->name);
  }
}

static enum err_code unknown_enum(const struct reader *r, const ProtobufCEnumDescriptor *type,
                                  const char *name, const struct json_path *path)
{
  AUTO_BUF struct buf names = BUF_INIT(ENUM_LIST_BYTES + 8);
  put_enum_names(&names, type);
  return json_path_error(r->e, ERR_INVALID_ARGUMENT, "unknown_enum_value", path,
                         "unknown value \"%s\"; use one of %s", JSON_SHOWN(name), buf_str(&names));
}

static enum err_code read_enum(const struct reader *r, const ProtobufCFieldDescriptor *field,
                               const cJSON *value, const struct json_path *path, void *at)
{
  if (cJSON_IsNumber(value))
    return read_whole(r, PROTOBUF_C_TYPE_INT32, value, path, at);
  int number = 0;
  if (!(cJSON_IsNull(value) && wkt_is_null_value(field))) {
    if (!cJSON_IsString(value))
      return read_wrong_type(r, path, "string", value);
    const ProtobufCEnumValue *known =
        protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, value->valuestring);
    if (known == NULL && !r->options->ignore_unknown)
      return unknown_enum(r, field->descriptor, value->valuestring, path);
    number = known == NULL ? 0 : known->value;
  }
  *(int *)at = number;
  return ERR_OK;
}

static enum err_code read_bool(const struct reader *r, const cJSON *value,
                               const struct json_path *path, void *at)
{
  if (!cJSON_IsBool(value))
    return read_wrong_type(r, path, "boolean", value);
  *(protobuf_c_boolean *)at = cJSON_IsTrue(value);
  return ERR_OK;
}

static enum err_code store_string(const struct reader *r, const char *s,
                                  const struct json_path *path, void *at)
{
  if (!utf8_valid(s, strlen(s)))
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "invalid_utf8", path,
                           "the string is not valid UTF-8");
  char *copy = arena_strdup(r->arena, s);
  if (copy == NULL)
    return read_too_large(r, path);
  *(char **)at = copy;
  return ERR_OK;
}

static enum err_code read_bytes(const struct reader *r, const cJSON *value,
                                const struct json_path *path, void *at)
{
  if (!cJSON_IsString(value))
    return read_wrong_type(r, path, "string in base64", value);
  size_t len = strlen(value->valuestring);
  AUTO_BUF struct buf bytes = BUF_INIT(len + 1);
  if (!base64_decode(&bytes, value->valuestring, len))
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "not_base64", path,
                           "the string is not base64");
  ProtobufCBinaryData *out = at;
  out->len = bytes.len;
  out->data = arena_alloc(r->arena, bytes.len);
  if (out->data == NULL)
    return read_too_large(r, path);
  if (bytes.len > 0)
    memcpy(out->data, bytes.data, bytes.len);
  return ERR_OK;
}

enum err_code read_scalar(const struct reader *r, const ProtobufCFieldDescriptor *field,
                          const cJSON *value, const struct json_path *path, void *at)
{
  switch (field->type) {
  case PROTOBUF_C_TYPE_FLOAT:
  case PROTOBUF_C_TYPE_DOUBLE:
    return read_real(r, field->type, value, path, at);
  case PROTOBUF_C_TYPE_BOOL:
    return read_bool(r, value, path, at);
  case PROTOBUF_C_TYPE_ENUM:
    return read_enum(r, field, value, path, at);
  case PROTOBUF_C_TYPE_STRING:
    if (!cJSON_IsString(value))
      return read_wrong_type(r, path, "string", value);
    return store_string(r, value->valuestring, path, at);
  case PROTOBUF_C_TYPE_BYTES:
    return read_bytes(r, value, path, at);
  default:
    return read_whole(r, field->type, value, path, at);
  }
}

enum err_code read_map_key(const struct reader *r, const ProtobufCFieldDescriptor *field,
                           const char *key, const struct json_path *path, void *at)
{
  if (field->type == PROTOBUF_C_TYPE_STRING)
    return store_string(r, key, path, at);
  if (field->type == PROTOBUF_C_TYPE_BOOL) {
    bool is_true = strcmp(key, "true") == 0;
    if (!is_true && strcmp(key, "false") != 0)
      return json_path_error(r->e, ERR_INVALID_ARGUMENT, "wrong_type", path,
                             "expected \"true\" or \"false\" as key");
    *(protobuf_c_boolean *)at = is_true;
    return ERR_OK;
  }
  cJSON text = {.type = cJSON_String};
  text.valuestring = borrow_text(key); /* only read, though not const in cJSON */
  return read_whole(r, field->type, &text, path, at);
}
