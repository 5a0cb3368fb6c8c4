/* Looks tools up, and checks arguments against the rules of the .proto options. */
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/pbjson/names.h"
#include "common/pbjson/number.h"
#include "common/pbjson/path.h"
#include "common/pbjson/pbjson.h"
#include "gateway/catalog/catalog.h"

static int compare_name(const void *key, const void *tool)
{
  return strcmp(key, ((const struct catalog_tool *)tool)->name);
}

const struct catalog_tool *catalog_find(const char *name)
{
  return bsearch(name, catalog_tools, catalog_tools_len, sizeof(catalog_tools[0]), compare_name);
}

/* Where the rules of each message begin, sorted by the message's address. Every call asks for them
 * many times. */
struct rules {
  const ProtobufCMessageDescriptor *message;
  size_t first, n;
};
static struct rules *by_message;
static size_t by_message_len;
static pthread_once_t by_message_once = PTHREAD_ONCE_INIT;

static int compare_message(const void *a, const void *b)
{
  uintptr_t x = (uintptr_t)((const struct rules *)a)->message;
  uintptr_t y = (uintptr_t)((const struct rules *)b)->message;
  return x < y ? -1 : x > y;
}

static void find_rules(void)
{
  by_message = xcalloc(catalog_rules_len + 1, sizeof(*by_message));
  for (size_t i = 0; i < catalog_rules_len; i++) {
    if (i == 0 || catalog_rules[i].message != catalog_rules[i - 1].message)
      by_message[by_message_len++] = (struct rules){catalog_rules[i].message, i, 0};
    by_message[by_message_len - 1].n++;
  }
  qsort(by_message, by_message_len, sizeof(*by_message), compare_message);
}

/* A message is mostly asked for again and again, until the next one is. */
const struct catalog_rule *catalog_rules_of(const ProtobufCMessageDescriptor *message, size_t *n)
{
  static _Thread_local struct rules last;
  if (last.message != message || message == NULL) {
    pthread_once(&by_message_once, find_rules);
    const struct rules key = {.message = message};
    const struct rules *found =
        bsearch(&key, by_message, by_message_len, sizeof(*by_message), compare_message);
    last = found != NULL ? *found : key;
  }
  *n = last.n;
  return last.n > 0 ? &catalog_rules[last.first] : NULL;
}

const struct catalog_rule *catalog_rule_of(const ProtobufCMessageDescriptor *message,
                                           const char *field)
{
  size_t n;
  const struct catalog_rule *rules = catalog_rules_of(message, &n);
  for (size_t i = 0; i < n; i++) {
    if (strcmp(rules[i].field, field) == 0)
      return &rules[i];
  }
  return NULL;
}

static enum err_code check_object(const ProtobufCMessageDescriptor *type, cJSON *object,
                                  const struct json_path *path, unsigned depth, struct err *e);

/* The member that names a field, in either case; NULL when absent. */
static cJSON *find_member(cJSON *object, const char *field)
{
  cJSON *item = object->child;
  while (item != NULL && !name_matches(field, item->string))
    item = item->next;
  return item;
}

static size_t count_characters(const char *s)
{
  size_t n = 0;
  for (; *s != '\0'; s++)
    n += ((unsigned char)*s & 0xC0) != 0x80;
  return n;
}

static const char *number_text(char out[32], double value)
{
  snprintf(out, 32, "%.15g", value);
  return out;
}

/* A number, or a number in a string as proto3 JSON allows; others are pbjson's to refuse. */
static bool numeric_value(const cJSON *value, double *out)
{
  if (cJSON_IsNumber(value)) {
    *out = value->valuedouble;
    return true;
  }
  return cJSON_IsString(value) && number_parse_double(out, value->valuestring);
}

static enum err_code check_range(const struct catalog_rule *rule, const cJSON *value,
                                 const struct json_path *path, struct err *e)
{
  char bound[32];
  char got[32];
  double number = 0;
  if (!(rule->has_minimum || rule->has_maximum) || !numeric_value(value, &number))
    return ERR_OK;
  if (rule->has_minimum && number < rule->minimum)
    return json_path_error(e, ERR_INVALID_ARGUMENT, "too_small", path, "at least %s, got %s",
                           number_text(bound, rule->minimum), number_text(got, number));
  if (rule->has_maximum && number > rule->maximum)
    return json_path_error(e, ERR_INVALID_ARGUMENT, "too_large", path, "at most %s, got %s",
                           number_text(bound, rule->maximum), number_text(got, number));
  return ERR_OK;
}

static enum err_code check_length(const struct catalog_rule *rule, const cJSON *value,
                                  const struct json_path *path, struct err *e)
{
  if (rule->max_length == 0 || !cJSON_IsString(value))
    return ERR_OK;
  size_t n = count_characters(value->valuestring);
  if (n <= rule->max_length)
    return ERR_OK;
  return json_path_error(e, ERR_INVALID_ARGUMENT, "too_long", path,
                         "at most %u characters, got %zu", rule->max_length, n);
}

static enum err_code check_items(const struct catalog_rule *rule, const cJSON *list,
                                 const struct json_path *path, struct err *e)
{
  size_t n = (size_t)cJSON_GetArraySize(list);
  if (n < rule->min_items)
    return json_path_error(e, ERR_INVALID_ARGUMENT, "too_few_items", path,
                           "at least %u item%s, got %zu", rule->min_items,
                           rule->min_items == 1 ? "" : "s", n);
  if (rule->max_items > 0 && n > rule->max_items)
    return json_path_error(e, ERR_INVALID_ARGUMENT, "too_many_items", path,
                           "at most %u item%s, got %zu", rule->max_items,
                           rule->max_items == 1 ? "" : "s", n);
  size_t i = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, list)
  {
    struct json_path here = JSON_PATH_INDEX(path, i++);
    enum err_code code = check_range(rule, item, &here, e);
    if (code == ERR_OK)
      code = check_length(rule, item, &here, e);
    if (code != ERR_OK)
      return code;
  }
  return ERR_OK;
}

static enum err_code check_present(const struct catalog_rule *rule, const cJSON *value,
                                   const struct json_path *path, struct err *e)
{
  if (rule->hidden)
    return json_path_error(e, ERR_INVALID_ARGUMENT, "unknown_field", path, "unknown field");
  if (rule->required && cJSON_IsString(value) && value->valuestring[0] == '\0')
    return json_path_error(e, ERR_INVALID_ARGUMENT, "required", path,
                           "required, but it is empty: give a value");
  if (cJSON_IsArray(value))
    return check_items(rule, value, path, e);
  enum err_code code = check_range(rule, value, path, e);
  return code != ERR_OK ? code : check_length(rule, value, path, e);
}

/* The value that stands for an absent one. Mostly it is a number or a word. */
static enum err_code make_default(cJSON **out, const char *json, struct err *e)
{
  enum { DIGITS_MAX = 15 };
  size_t len = strlen(json);
  *out = NULL;
  if (strcmp(json, "true") == 0 || strcmp(json, "false") == 0)
    *out = cJSON_CreateBool(json[0] == 't');
  else if (len <= DIGITS_MAX && strspn(json, "0123456789") == len)
    *out = cJSON_CreateNumber((double)strtoll(json, NULL, 10));
  return *out != NULL ? ERR_OK : json_parse(out, json, len, NULL, e);
}

/* Absent, or null, which means the same. */
static enum err_code check_absent(const struct catalog_rule *rule, cJSON *object,
                                  const struct json_path *path, struct err *e)
{
  if (rule->required)
    return json_path_error(e, ERR_INVALID_ARGUMENT, "required", path,
                           "required, but missing: add it");
  if (rule->default_json == NULL)
    return ERR_OK;
  cJSON *value = NULL;
  enum err_code code = make_default(&value, rule->default_json, e);
  if (code != ERR_OK)
    return code;
  cJSON *given = find_member(object, rule->field);
  if (given != NULL)
    cJSON_Delete(cJSON_DetachItemViaPointer(object, given));
  if (!cJSON_AddItemToObject(object, rule->field, value)) {
    cJSON_Delete(value);
    return json_path_error(e, ERR_RESOURCE_EXHAUSTED, "too_large", path, "out of memory");
  }
  return ERR_OK;
}

static enum err_code check_rule(const struct catalog_rule *rule, cJSON *object,
                                const struct json_path *path, struct err *e)
{
  cJSON *value = find_member(object, rule->field);
  struct json_path here = JSON_PATH_KEY(path, value != NULL ? value->string : rule->field);
  if (value == NULL || cJSON_IsNull(value))
    return check_absent(rule, object, &here, e);
  return check_present(rule, value, &here, e);
}

/* Goes into the messages of a member: one, a list of them, or the values of a map. */
static enum err_code check_member(const ProtobufCMessageDescriptor *type, cJSON *item,
                                  const struct json_path *path, unsigned depth, struct err *e)
{
  const ProtobufCFieldDescriptor *field = name_find_field(type, item->string);
  if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE)
    return ERR_OK;
  const ProtobufCMessageDescriptor *inner = field->descriptor;
  struct json_path here = JSON_PATH_KEY(path, item->string);
  bool is_map = name_is_map(type, field);
  if (is_map && inner->fields[1].type != PROTOBUF_C_TYPE_MESSAGE)
    return ERR_OK;
  if (is_map)
    inner = inner->fields[1].descriptor;
  if (field->label != PROTOBUF_C_LABEL_REPEATED)
    return check_object(inner, item, &here, depth + 1, e);
  size_t i = 0;
  cJSON *element;
  cJSON_ArrayForEach(element, item)
  {
    struct json_path there =
        is_map ? JSON_PATH_KEY(&here, element->string) : JSON_PATH_INDEX(&here, i++);
    enum err_code code = check_object(inner, element, &there, depth + 1, e);
    if (code != ERR_OK)
      return code;
  }
  return ERR_OK;
}

/* Values of another type, and what is nested too deep, are left for pbjson to refuse. */
static enum err_code check_object(const ProtobufCMessageDescriptor *type, cJSON *object,
                                  const struct json_path *path, unsigned depth, struct err *e)
{
  if (!cJSON_IsObject(object) || depth > PBJSON_MAX_DEPTH)
    return ERR_OK;
  size_t n;
  const struct catalog_rule *rules = catalog_rules_of(type, &n);
  for (size_t i = 0; i < n; i++) {
    enum err_code code = check_rule(&rules[i], object, path, e);
    if (code != ERR_OK)
      return code;
  }
  cJSON *item;
  cJSON_ArrayForEach(item, object)
  {
    enum err_code code = check_member(type, item, path, depth, e);
    if (code != ERR_OK)
      return code;
  }
  return ERR_OK;
}

enum err_code catalog_check(const struct catalog_tool *tool, cJSON *arguments, struct err *e)
{
  return check_object(tool->input, arguments, NULL, 1, e);
}
