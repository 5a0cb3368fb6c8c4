/* Single values: numbers, texts, booleans and enums in each other's form. */
#include "gateway/arguments/scalar.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/pbjson/number.h"
#include "gateway/arguments/text.h"

/* A whole number that JSON holds exactly, as the digits of a text: an id. */
static void to_text(cJSON *value)
{
  static const double exact = 9007199254740992.0; /* 2^53 */
  char digits[32];
  double number = value->valuedouble;
  if (!cJSON_IsNumber(value) || number != floor(number) || fabs(number) >= exact)
    return;
  snprintf(digits, sizeof(digits), "%.0f", number);
  value_become(value, cJSON_CreateString(digits));
}

void scalar_to_bool(cJSON *value)
{
  static const char *const yes[] = {"true", "yes", "1", "on"}, *const no[] = {"false", "no", "0",
                                                                              "off"};
  int found = -1;
  if (cJSON_IsString(value))
    value_clean(value);
  for (size_t i = 0; cJSON_IsString(value) && i < ARRAY_LEN(yes); i++) {
    if (text_same(value->valuestring, yes[i]))
      found = 1;
    else if (text_same(value->valuestring, no[i]))
      found = 0;
  }
  if (cJSON_IsNumber(value) && (value->valuedouble == 0 || value->valuedouble == 1))
    found = value->valuedouble == 1;
  if (found >= 0)
    value_become(value, cJSON_CreateBool(found));
}

static enum err_code not_in_enum(const struct repair *r, const ProtobufCEnumDescriptor *type,
                                 const char *text, const struct json_path *path)
{
  AUTO_BUF struct buf names = BUF_INIT(300);
  for (unsigned i = 0; i < type->n_values; i++) {
    size_t len = strlen(type->values[i].name);
    bool unset = type->values[i].value == 0 && len >= 11 &&
                 strcmp(type->values[i].name + len - 11, "UNSPECIFIED") == 0;
    if (!unset)
      buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", type->values[i].name);
  }
  return json_path_error(r->e, ERR_INVALID_ARGUMENT, "unknown_enum_value", path,
                         "\"%s\" is not a value of %s; must be one of %s", JSON_SHOWN(text),
                         type->short_name, buf_str(&names));
}

/* In any spelling, and in the plural: "metrics" for METRIC. */
static bool names_value(const char *name, const char *text)
{
  AUTO_FREE char *plural = xasprintf("%ss", name);
  return text_same(name, text) || text_same(plural, text);
}

/* Numbers are values of enums, also as text; names in any spelling. */
static enum err_code enum_repair(const struct repair *r, const ProtobufCEnumDescriptor *type,
                                 cJSON *value, const struct json_path *path)
{
  struct number_whole whole;
  if (!cJSON_IsString(value))
    return ERR_OK;
  value_clean(value);
  for (unsigned i = 0; i < type->n_values; i++) {
    if (names_value(type->values[i].name, value->valuestring)) {
      value_set_text(value, xstrdup(type->values[i].name));
      return ERR_OK;
    }
  }
  if (number_parse_whole(&whole, value->valuestring) && whole.magnitude <= INT32_MAX) {
    double number = whole.negative ? -(double)whole.magnitude : (double)whole.magnitude;
    value_become(value, cJSON_CreateNumber(number));
    return ERR_OK;
  }
  return not_in_enum(r, type, value->valuestring, path);
}

/* What stands between joined values: " / ". */
static bool keeps_blanks(const ProtobufCFieldDescriptor *field)
{
  return strcmp(field->name, "delimiter") == 0;
}

enum err_code scalar_repair(const struct repair *r, const ProtobufCFieldDescriptor *field,
                            cJSON *value, const struct json_path *path)
{
  switch (field->type) {
  case PROTOBUF_C_TYPE_STRING:
    to_text(value);
    if (cJSON_IsString(value) && !keeps_blanks(field))
      value_clean(value);
    return ERR_OK;
  case PROTOBUF_C_TYPE_BOOL:
    scalar_to_bool(value);
    return ERR_OK;
  case PROTOBUF_C_TYPE_ENUM:
    return enum_repair(r, field->descriptor, value, path);
  case PROTOBUF_C_TYPE_BYTES:
  case PROTOBUF_C_TYPE_MESSAGE:
    return ERR_OK;
  default:
    if (cJSON_IsString(value))
      value_clean(value);
    return ERR_OK;
  }
}
