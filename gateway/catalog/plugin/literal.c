/* A small type checker of JSON literals over the descriptors of a protoc run. */
#include "gateway/catalog/plugin/literal.h"

#include <math.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/pbjson/number.h"
#include "common/pbjson/path.h"
#include "gateway/catalog/plugin/types.h"

static enum err_code check_field(const struct field_info *field, const cJSON *value,
                                 const struct json_path *path, struct err *e);

static enum err_code expected(const struct json_path *path, const char *what, const cJSON *got,
                              struct err *e)
{
  return json_path_error(e, ERR_INVALID_ARGUMENT, NULL, path, "expected %s, got %s", what,
                         json_type_name(got));
}

/* A number; a string only where JSON's numbers are no longer exact, since the schema of an
 * argument says integer. */
static bool read_number(enum kind kind, const cJSON *value, double *out)
{
  static const double inexact = 9007199254740992.0; /* 2^53 */
  *out = cJSON_IsNumber(value) ? value->valuedouble : 0;
  return cJSON_IsNumber(value) ||
         (kind == KIND_INTEGER64 && cJSON_IsString(value) &&
          number_parse_double(out, value->valuestring) && fabs(*out) >= inexact);
}

static enum err_code check_number(const struct field_info *field, enum kind kind,
                                  const cJSON *value, const struct json_path *path, struct err *e)
{
  double number = 0;
  if (!read_number(kind, value, &number))
    return expected(path, "number", value, e);
  if (kind != KIND_NUMBER && number != floor(number))
    return json_path_error(e, ERR_INVALID_ARGUMENT, NULL, path, "expected a whole number");
  if (field_is_unsigned(field) && number < 0)
    return json_path_error(e, ERR_INVALID_ARGUMENT, NULL, path, "must not be negative");
  if (kind == KIND_INTEGER && (number > (double)UINT32_MAX || number < (double)INT32_MIN))
    return json_path_error(e, ERR_INVALID_ARGUMENT, NULL, path, "does not fit 32 bits");
  const Mcp__V1__Field *o = field->options;
  if ((o->opt_minimum_case == MCP__V1__FIELD__OPT_MINIMUM_MINIMUM && number < o->minimum) ||
      (o->opt_maximum_case == MCP__V1__FIELD__OPT_MAXIMUM_MAXIMUM && number > o->maximum))
    return json_path_error(e, ERR_INVALID_ARGUMENT, NULL, path,
                           "lies outside the minimum or maximum of the field");
  return ERR_OK;
}

static enum err_code check_string(const struct field_info *field, const cJSON *value,
                                  const struct json_path *path, struct err *e)
{
  if (!cJSON_IsString(value))
    return expected(path, "string", value, e);
  size_t characters = 0;
  for (const char *c = value->valuestring; *c != '\0'; c++)
    characters += ((unsigned char)*c & 0xC0) != 0x80;
  if (field->options->max_length > 0 && characters > field->options->max_length)
    return json_path_error(e, ERR_INVALID_ARGUMENT, NULL, path, "longer than max_length");
  return ERR_OK;
}

static enum err_code check_enum(const struct field_info *field, const cJSON *value,
                                const struct json_path *path, struct err *e)
{
  if (!cJSON_IsString(value))
    return expected(path, "the name of an enum value", value, e);
  const EnumProto *proto = field_value(field)->enumeration->proto;
  for (size_t i = 0; i < proto->n_value; i++) {
    if (strcmp(proto->value[i]->name, value->valuestring) == 0)
      return ERR_OK;
  }
  return json_path_error(e, ERR_INVALID_ARGUMENT, NULL, path, "\"%s\" is not a value of %s",
                         JSON_SHOWN(value->valuestring), proto->name);
}

static const struct field_info *find_field(const struct message_info *message, const char *name)
{
  for (size_t i = 0; i < message->proto->n_field; i++) {
    if (strcmp(message->fields[i].proto->name, name) == 0)
      return &message->fields[i];
  }
  return NULL;
}

static enum err_code check_required(const struct message_info *message, const cJSON *value,
                                    const struct json_path *path, struct err *e)
{
  for (size_t i = 0; i < message->proto->n_field; i++) {
    const struct field_info *field = &message->fields[i];
    if (field->options->required &&
        cJSON_GetObjectItemCaseSensitive(value, field->proto->name) == NULL)
      return json_path_error(e, ERR_INVALID_ARGUMENT, NULL, path, "lacks the required field %s",
                             field->proto->name);
  }
  return ERR_OK;
}

static enum err_code check_message(const struct message_info *message, const cJSON *value,
                                   const struct json_path *path, struct err *e)
{
  if (!cJSON_IsObject(value))
    return expected(path, "object", value, e);
  const cJSON *item;
  cJSON_ArrayForEach(item, value)
  {
    struct json_path here = JSON_PATH_KEY(path, item->string);
    const struct field_info *field = find_field(message, item->string);
    if (field == NULL || field->options->hidden)
      return json_path_error(e, ERR_INVALID_ARGUMENT, NULL, &here,
                             "is not a field of %s (use the names of the .proto)", message->name);
    enum err_code code = check_field(field, item, &here, e);
    if (code != ERR_OK)
      return code;
  }
  return check_required(message, value, path, e);
}

/* One value: an item of a list, the value of a map's entry, or the field's own. */
static enum err_code check_value(const struct field_info *field, const cJSON *value,
                                 const struct json_path *path, struct err *e)
{
  enum kind kind = field_kind(field);
  switch (kind) {
  case KIND_INTEGER:
  case KIND_INTEGER64:
  case KIND_NUMBER:
    return check_number(field, kind, value, path, e);
  case KIND_BOOL:
    return cJSON_IsBool(value) ? ERR_OK : expected(path, "boolean", value, e);
  case KIND_ENUM:
    return check_enum(field, value, path, e);
  case KIND_STRING:
  case KIND_BYTES:
  case KIND_TIMESTAMP:
  case KIND_DURATION:
    return check_string(field, value, path, e);
  case KIND_STRUCT:
    return cJSON_IsObject(value) ? ERR_OK : expected(path, "object", value, e);
  case KIND_LIST_VALUE:
    return cJSON_IsArray(value) ? ERR_OK : expected(path, "list", value, e);
  case KIND_MESSAGE:
    return check_message(field_value(field)->message, value, path, e);
  case KIND_VALUE:
  case KIND_UNSUPPORTED:
    break;
  }
  return ERR_OK;
}

static enum err_code check_list(const struct field_info *field, const cJSON *value,
                                const struct json_path *path, struct err *e)
{
  if (!cJSON_IsArray(value))
    return expected(path, "list", value, e);
  const Mcp__V1__Field *o = field->options;
  size_t n = (size_t)cJSON_GetArraySize(value);
  if (n < o->min_items || (o->max_items > 0 && n > o->max_items))
    return json_path_error(e, ERR_INVALID_ARGUMENT, NULL, path,
                           "%zu items lie outside min_items or max_items", n);
  size_t i = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, value)
  {
    struct json_path here = JSON_PATH_INDEX(path, i++);
    enum err_code code = check_value(field, item, &here, e);
    if (code != ERR_OK)
      return code;
  }
  return ERR_OK;
}

static enum err_code check_map(const struct field_info *field, const cJSON *value,
                               const struct json_path *path, struct err *e)
{
  if (!cJSON_IsObject(value))
    return expected(path, "object", value, e);
  const cJSON *item;
  cJSON_ArrayForEach(item, value)
  {
    struct json_path here = JSON_PATH_KEY(path, item->string);
    enum err_code code = check_value(field, item, &here, e);
    if (code != ERR_OK)
      return code;
  }
  return ERR_OK;
}

static enum err_code check_field(const struct field_info *field, const cJSON *value,
                                 const struct json_path *path, struct err *e)
{
  if (field->is_map)
    return check_map(field, value, path, e);
  if (field->repeated)
    return check_list(field, value, path, e);
  return check_value(field, value, path, e);
}

enum err_code literal_check(const struct field_info *field, const char *text, struct err *e)
{
  AUTO_JSON cJSON *value = NULL;
  enum err_code code = json_parse(&value, text, strlen(text), NULL, e);
  if (code != ERR_OK) {
    err_prefix(e, "not JSON: ");
    return code;
  }
  return check_field(field, value, NULL, e);
}
