/* Walks the arguments of a call along the descriptor of its request and repairs them in place.
 *
 * For every object, in this order: members get the names of their fields and what is absent goes
 * (member.c); lists, objects and single values take the shape of their fields; then each value is
 * read by the type of its field (scalar.c) or by its meaning (name.c, filter.c, order.c, range.c,
 * property.c). Dimensions and metrics come first, because filters and orders look at them; before
 * them, what the call itself defines by an expression (definition.c). */
#include "gateway/arguments/arguments.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/pbjson/names.h"
#include "common/pbjson/pbjson.h"
#include "common/pbjson/types.h"
#include "gateway/arguments/internal.h"
#include "gateway/arguments/member.h"
#include "gateway/arguments/scalar.h"
#include "gateway/arguments/text.h"

struct arguments_day arguments_today(void)
{
  time_t now = (time_t)(clock_unix_ms() / 1000);
  struct tm local = {0};
  struct arguments_day today = {0};
  localtime_r(&now, &local);
  today.days = clock_days_from_civil(local.tm_year + 1900, (unsigned)local.tm_mon + 1,
                                     (unsigned)local.tm_mday);
  text_copy(today.zone, sizeof(today.zone), local.tm_zone != NULL ? local.tm_zone : "UTC");
  return today;
}

static enum err_code repair_object(const struct repair *r, const ProtobufCMessageDescriptor *type,
                                   cJSON *object, const struct json_path *path, unsigned depth);

static enum catalog_meaning meaning_of(const struct catalog_rule *rule)
{
  return rule != NULL ? rule->meaning : CATALOG_AS_TYPED;
}

static bool is_list(const ProtobufCFieldDescriptor *field)
{
  return field->label == PROTOBUF_C_LABEL_REPEATED;
}

/* ------------------------------------------------------------------ shapes */

static void wrap_in_list(cJSON *value)
{
  cJSON *list = cJSON_CreateArray();
  cJSON_AddItemToArray(list, value_take(value));
  value_become(value, list);
}

/* Whether commas separate names: of fields, which have none inside, or of ids without blanks. */
static bool commas_separate(enum catalog_meaning meaning, const char *text)
{
  if (strchr(text, ',') == NULL)
    return false;
  if (meaning == CATALOG_DIMENSION || meaning == CATALOG_METRIC || meaning == CATALOG_ORDER)
    return true;
  if (meaning != CATALOG_DEALER)
    return false;
  for (const char *s = text; *s != '\0'; s++) {
    bool inside = s > text && s[-1] != ',' && s[1] != ',' && s[1] != '\0';
    if (*s == ' ' && inside)
      return false;
  }
  return true;
}

/* The field of a message that a bare text in its place means; NULL when there is none. */
static const ProtobufCFieldDescriptor *event_field(const ProtobufCFieldDescriptor *of)
{
  const ProtobufCMessageDescriptor *type =
      of->type == PROTOBUF_C_TYPE_MESSAGE ? of->descriptor : NULL;
  for (unsigned i = 0; type != NULL && i < type->n_fields; i++)
    if (meaning_of(catalog_rule_of(type, type->fields[i].name)) == CATALOG_EVENT)
      return &type->fields[i];
  return NULL;
}

/* "page_view" as {"event": "page_view"}. A text with what no name of an event has is left. */
static void event_repair(const ProtobufCFieldDescriptor *field, cJSON *value)
{
  const ProtobufCFieldDescriptor *event = cJSON_IsString(value) ? event_field(field) : NULL;
  if (event == NULL)
    return;
  AUTO_FREE char *name = text_clean(value->valuestring);
  if (name[0] == '\0' || strpbrk(name, " ,;:>|/{}[]()\"'\\") != NULL)
    return;
  cJSON *object = cJSON_CreateObject();
  cJSON_AddStringToObject(object, event->name, name);
  value_become(value, object);
}

/* "sessions, users" as two texts; empty parts are dropped. */
static void split_text(cJSON *value)
{
  cJSON *list = cJSON_CreateArray();
  for (const char *s = value->valuestring; *s != '\0';) {
    size_t len = strcspn(s, ",");
    AUTO_FREE char *part = xstrdup(s);
    part[len] = '\0';
    char *clean = text_clean(part);
    if (clean[0] != '\0')
      cJSON_AddItemToArray(list, cJSON_CreateString(clean));
    free(clean);
    s += len + (s[len] == ',');
  }
  value_become(value, list);
}

/* One value as a list of one; a text that names several as a list of these. */
static void shape_list(const ProtobufCFieldDescriptor *field, cJSON *value,
                       enum catalog_meaning meaning)
{
  if (cJSON_IsString(value))
    json_text_repair(value);
  if (cJSON_IsString(value) && (commas_separate(meaning, value->valuestring) ||
                                (event_field(field) != NULL && strchr(value->valuestring, ','))))
    split_text(value);
  else if (!cJSON_IsArray(value))
    wrap_in_list(value);
}

/* A list of one as that one; JSON text as the object it holds. */
static enum err_code shape_single(const struct repair *r, const ProtobufCFieldDescriptor *field,
                                  cJSON *value, const struct json_path *path)
{
  bool text = cJSON_IsString(value) &&
              (field->type == PROTOBUF_C_TYPE_MESSAGE || value->valuestring[0] == '[');
  if (text)
    json_text_repair(value);
  if (!cJSON_IsArray(value) || field->type == PROTOBUF_C_TYPE_MESSAGE)
    return ERR_OK;
  if (cJSON_GetArraySize(value) == 1)
    value_become(value, cJSON_DetachItemFromArray(value, 0));
  else if (cJSON_GetArraySize(value) > 1)
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "one_value", path,
                           "takes one value, got a list of %d: give one, and call again for the "
                           "others",
                           cJSON_GetArraySize(value));
  return ERR_OK;
}

/* ------------------------------------------------------------------ values */

/* "Previous period" and "previousPeriod" as previous_period. Other alphabets stay as they are. */
static void word_repair(cJSON *value)
{
  if (!cJSON_IsString(value))
    return;
  const char *s = value->valuestring;
  AUTO_BUF struct buf word = BUF_INIT(2 * strlen(s) + 1);
  for (size_t i = 0; s[i] != '\0'; i++) {
    unsigned char c = (unsigned char)s[i], before = i > 0 ? (unsigned char)s[i - 1] : ' ';
    if (c >= 0x80)
      return;
    bool begins = isalnum(c) && (!isalnum(before) || (isupper(c) && islower(before)));
    if (begins && word.len > 0)
      buf_putc(&word, '_');
    if (isalnum(c))
      buf_putc(&word, (char)tolower(c));
  }
  value_set_text(value, xstrdup(buf_str(&word)));
}

/* What a value is beside: the object of its field, for filters and orders. */
static enum err_code repair_by_meaning(const struct repair *r, enum catalog_meaning meaning,
                                       cJSON *value, const cJSON *object,
                                       const struct json_path *path)
{
  const cJSON *dimensions = cJSON_GetObjectItemCaseSensitive(object, "dimensions");
  switch (meaning) {
  case CATALOG_DIMENSION:
  case CATALOG_METRIC:
    return name_repair(r, meaning, value, dimensions, path);
  case CATALOG_PROPERTY:
    return property_repair(r, value, path);
  case CATALOG_WORD:
    word_repair(value);
    return ERR_OK;
  default:
    return ERR_OK;
  }
}

/* {"name": "sessions"}, as Google's requests have it, and {"id": "d01"}: the text inside. */
static void unwrap_text(enum catalog_meaning meaning, cJSON *value)
{
  bool field = meaning == CATALOG_DIMENSION || meaning == CATALOG_METRIC;
  bool owner = meaning == CATALOG_DEALER || meaning == CATALOG_PROPERTY;
  cJSON *only = cJSON_IsObject(value) ? value->child : NULL;
  if (only == NULL || only->next != NULL || !cJSON_IsString(only))
    return;
  if (((field || owner) && text_same(only->string, "name")) ||
      (owner && text_same(only->string, "id")))
    value_become(value, cJSON_DetachItemViaPointer(value, only));
}

/* One value of a field. */
static enum err_code repair_value(const struct repair *r, const ProtobufCFieldDescriptor *field,
                                  enum catalog_meaning meaning, cJSON *value, const cJSON *object,
                                  const struct json_path *path, unsigned depth)
{
  struct range_fields days;
  if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
    unwrap_text(meaning, value);
    enum err_code code = scalar_repair(r, field, value, path);
    return code == ERR_OK ? repair_by_meaning(r, meaning, value, object, path) : code;
  }
  if (wkt_of(field->descriptor) == WKT_STRUCT || wkt_of(field->descriptor) == WKT_LIST_VALUE) {
    if (cJSON_IsString(value))
      json_text_repair(value);
    return ERR_OK;
  }
  if (wkt_of(field->descriptor) != WKT_NONE)
    return ERR_OK;
  if (cJSON_IsString(value))
    json_text_repair(value);
  event_repair(field, value);
  if (range_of(&days, field->descriptor)) {
    enum err_code code = range_from_value(r, &days, value, path);
    if (code != ERR_OK)
      return code;
  }
  if (!is_list(field) && cJSON_IsArray(value) && cJSON_GetArraySize(value) == 1)
    value_become(value, cJSON_DetachItemFromArray(value, 0));
  return repair_object(r, field->descriptor, value, path, depth + 1);
}

static enum err_code repair_items(const struct repair *r, const ProtobufCFieldDescriptor *field,
                                  enum catalog_meaning meaning, cJSON *list, const cJSON *object,
                                  const struct json_path *path, unsigned depth)
{
  size_t i = 0;
  cJSON *item;
  cJSON_ArrayForEach(item, list)
  {
    struct json_path here = JSON_PATH_INDEX(path, i++);
    enum err_code code = repair_value(r, field, meaning, item, object, &here, depth);
    if (code != ERR_OK)
      return code;
  }
  return ERR_OK;
}

/* A filter that says nothing is absent. */
static enum err_code repair_filter(const struct repair *r, enum catalog_meaning meaning,
                                   cJSON *object, cJSON *filter, const struct json_path *path)
{
  if (cJSON_IsString(filter))
    json_text_repair(filter);
  if ((cJSON_IsObject(filter) || cJSON_IsArray(filter)) && filter->child == NULL) {
    cJSON_Delete(cJSON_DetachItemViaPointer(object, filter));
    return ERR_OK;
  }
  return filter_repair(r, meaning, filter, cJSON_GetObjectItemCaseSensitive(object, "dimensions"),
                       path);
}

static enum err_code repair_member(const struct repair *r, const ProtobufCMessageDescriptor *type,
                                   cJSON *object, cJSON *item, const struct json_path *path,
                                   unsigned depth)
{
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(type, item->string);
  if (field == NULL)
    return ERR_OK;
  AUTO_FREE char *name = xstrdup(item->string);
  struct json_path here = JSON_PATH_KEY(path, name);
  enum catalog_meaning meaning = meaning_of(catalog_rule_of(type, field->name));
  if (meaning == CATALOG_DIMENSION_FILTER || meaning == CATALOG_METRIC_FILTER)
    return repair_filter(r, meaning, object, item, &here);
  if (name_is_map(type, field)) {
    if (cJSON_IsString(item))
      json_text_repair(item);
    return ERR_OK;
  }
  if (!is_list(field)) {
    enum err_code code = shape_single(r, field, item, &here);
    return code == ERR_OK ? repair_value(r, field, meaning, item, object, &here, depth) : code;
  }
  shape_list(field, item, meaning);
  if (meaning == CATALOG_ORDER)
    return order_repair(r, item, cJSON_GetObjectItemCaseSensitive(object, "dimensions"),
                        cJSON_GetObjectItemCaseSensitive(object, "metrics"), &here);
  return repair_items(r, field, meaning, item, object, &here, depth);
}

/* Names of dimensions and metrics come first: filters and orders are read by them. */
static bool comes_first(const ProtobufCMessageDescriptor *type, const cJSON *item)
{
  const struct catalog_rule *rule = catalog_rule_of(type, item->string);
  return meaning_of(rule) == CATALOG_DIMENSION || meaning_of(rule) == CATALOG_METRIC;
}

/* Whether a field is given that excludes the list, so that the call is refused as it is. */
static bool has_excluding(const struct catalog_rule *rule, const cJSON *object)
{
  for (size_t i = 0; i < rule->n_single_unless; i++) {
    if (cJSON_GetObjectItemCaseSensitive(object, rule->single_unless[i]) != NULL)
      return true;
  }
  return false;
}

/* A list of one item becomes the field that `single_as` names. */
static void move_singles(const ProtobufCMessageDescriptor *type, cJSON *object)
{
  cJSON *next;
  for (cJSON *item = object->child; item != NULL; item = next) {
    next = item->next;
    const struct catalog_rule *rule = catalog_rule_of(type, item->string);
    if (rule == NULL || rule->single_as == NULL || cJSON_GetArraySize(item) != 1 ||
        has_excluding(rule, object))
      continue;
    const cJSON *single = cJSON_GetObjectItemCaseSensitive(object, rule->single_as);
    if (single != NULL && !cJSON_Compare(single, item->child, true))
      continue;
    cJSON *list = cJSON_DetachItemViaPointer(object, item);
    if (single == NULL)
      cJSON_AddItemToObject(object, rule->single_as, cJSON_DetachItemFromArray(list, 0));
    cJSON_Delete(list);
  }
}

/* Values of another type, and what is nested too deep, are left for pbjson to refuse. */
static enum err_code repair_object(const struct repair *r, const ProtobufCMessageDescriptor *type,
                                   cJSON *object, const struct json_path *path, unsigned depth)
{
  struct range_fields days;
  if (!cJSON_IsObject(object) || depth > PBJSON_MAX_DEPTH)
    return ERR_OK;
  enum err_code code = members_settle(r, type, object, path);
  struct repair here = *r;
  if (code == ERR_OK && definitions_settle(type, object))
    here.defined = object;
  for (int pass = 0; pass < 2; pass++) {
    if (pass == 1 && here.defined == object)
      definitions_name(type, object);
    cJSON *next;
    for (cJSON *item = object->child; item != NULL && code == ERR_OK; item = next) {
      next = item->next;
      if (comes_first(type, item) == (pass == 0))
        code = repair_member(&here, type, object, item, path, depth);
    }
  }
  if (code == ERR_OK && range_of(&days, type))
    code = range_repair(r, &days, object, path);
  if (code == ERR_OK)
    move_singles(type, object);
  return code;
}

enum err_code arguments_repair(const struct catalog_tool *tool, cJSON *arguments,
                               struct arguments_day today, struct arguments_notes *notes,
                               struct err *e)
{
  const struct repair r = {today, notes, e, NULL};
  return repair_object(&r, tool->input, arguments, NULL, 1);
}
