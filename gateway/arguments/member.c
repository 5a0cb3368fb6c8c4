/* Which field of a message a member means: names in any spelling, aliases, what is absent. */
#include "gateway/arguments/member.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/names.h"
#include "gateway/arguments/text.h"

/* Each member is compared with those before it. */
enum { MEMBERS_MAX = 200 };

static bool same_but_number(const char *name, const char *given)
{
  AUTO_FREE char *names = xasprintf("%ss", name);
  AUTO_FREE char *givens = xasprintf("%ss", given);
  return text_same(names, given) || text_same(name, givens);
}

/* "metric" for `metrics`, "dealers" for `dealer`: the only field that a name or an alias in the
 * other number names; NULL when none or several. */
static const ProtobufCFieldDescriptor *field_of_other_number(const ProtobufCMessageDescriptor *type,
                                                             const char *name)
{
  const ProtobufCFieldDescriptor *found = NULL;
  for (unsigned i = 0; i < type->n_fields; i++) {
    const struct catalog_rule *rule = catalog_rule_of(type, type->fields[i].name);
    bool same = (rule == NULL || !rule->hidden) && same_but_number(type->fields[i].name, name);
    for (size_t k = 0; rule != NULL && !rule->hidden && !same && k < rule->n_aliases; k++)
      same = same_but_number(rule->aliases[k], name);
    if (same && found != NULL)
      return NULL;
    if (same)
      found = &type->fields[i];
  }
  return found;
}

/* Other names of the most rows, where the message has a limit and no field of that name. */
static const ProtobufCFieldDescriptor *limit_field(const ProtobufCMessageDescriptor *type,
                                                   const char *name)
{
  static const char *const names[] = {"top", "top_n", "max_rows", "count", "n"};
  const struct catalog_rule *rule = catalog_rule_of(type, "limit");
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    if (text_same(names[i], name))
      return rule != NULL && rule->hidden
                 ? NULL
                 : protobuf_c_message_descriptor_get_field_by_name(type, "limit");
  return NULL;
}

const ProtobufCFieldDescriptor *member_field(const ProtobufCMessageDescriptor *type,
                                             const char *name)
{
  const ProtobufCFieldDescriptor *found = name_find_field(type, name);
  for (unsigned i = 0; found == NULL && i < type->n_fields; i++) {
    const struct catalog_rule *rule = catalog_rule_of(type, type->fields[i].name);
    if ((rule == NULL || !rule->hidden) && text_same(type->fields[i].name, name))
      found = &type->fields[i];
  }
  size_t n;
  const struct catalog_rule *rules = catalog_rules_of(type, &n);
  for (size_t i = 0; found == NULL && i < n; i++) {
    for (size_t k = 0; !rules[i].hidden && k < rules[i].n_aliases; k++) {
      if (text_same(rules[i].aliases[k], name))
        found = protobuf_c_message_descriptor_get_field_by_name(type, rules[i].field);
    }
  }
  if (found == NULL)
    found = field_of_other_number(type, name);
  return found != NULL ? found : limit_field(type, name);
}

/* The only field of the type that holds ranges of days and is not given; NULL when none or several.
 */
static const ProtobufCFieldDescriptor *range_field(const ProtobufCMessageDescriptor *type,
                                                   struct range_fields *days)
{
  const ProtobufCFieldDescriptor *found = NULL;
  for (unsigned i = 0; i < type->n_fields; i++) {
    struct range_fields fields;
    if (type->fields[i].type != PROTOBUF_C_TYPE_MESSAGE ||
        !range_of(&fields, type->fields[i].descriptor))
      continue;
    if (found != NULL)
      return NULL;
    found = &type->fields[i];
    *days = fields;
  }
  return found;
}

/* {"start_date": ..., "end_date": ...} beside the other arguments as {"date_range": {...}}. */
static void gather_days(const ProtobufCMessageDescriptor *type, cJSON *object)
{
  struct range_fields days = {0};
  const ProtobufCFieldDescriptor *field = range_field(type, &days);
  if (field == NULL || cJSON_GetObjectItemCaseSensitive(object, field->name) != NULL)
    return;
  cJSON *range = cJSON_CreateObject(), *next;
  for (cJSON *item = object->child; item != NULL; item = next) {
    next = item->next;
    const ProtobufCFieldDescriptor *inner = member_field(type, item->string) == NULL
                                                ? member_field(field->descriptor, item->string)
                                                : NULL;
    if (inner == NULL ||
        (strcmp(inner->name, days.start) != 0 && strcmp(inner->name, days.end) != 0) ||
        cJSON_GetObjectItemCaseSensitive(range, inner->name) != NULL)
      continue;
    if (value_is_absent(item)) {
      cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
      continue;
    }
    cJSON_AddItemToObject(range, inner->name, cJSON_DetachItemViaPointer(object, item));
  }
  if (range->child != NULL)
    cJSON_AddItemToObject(object, field->name, range);
  else
    cJSON_Delete(range);
}

static void drop_absent(const ProtobufCMessageDescriptor *type, cJSON *object)
{
  cJSON *next;
  for (cJSON *item = object->child; item != NULL; item = next) {
    next = item->next;
    if (value_is_absent(item) && member_field(type, item->string) != NULL)
      cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
  }
}

/* Renames a member, or drops it when its field was given before with an equal value. */
static enum err_code settle(const struct repair *r, cJSON *object, cJSON *item, const char *field,
                            const struct json_path *path)
{
  for (cJSON *before = object->child; before != item; before = before->next) {
    if (strcmp(before->string, field) != 0)
      continue;
    struct json_path here = JSON_PATH_KEY(path, item->string);
    if (!cJSON_Compare(before, item, true))
      return json_path_error(r->e, ERR_INVALID_ARGUMENT, "duplicate_field", &here,
                             "names %s, which is given as well: give one of them", field);
    cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
    return ERR_OK;
  }
  value_set_name(item, field);
  return ERR_OK;
}

enum err_code members_settle(const struct repair *r, const ProtobufCMessageDescriptor *type,
                             cJSON *object, const struct json_path *path)
{
  cJSON *next;
  if (cJSON_GetArraySize(object) > MEMBERS_MAX)
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "too_many_members", path,
                           "has more than %d members", MEMBERS_MAX);
  drop_absent(type, object);
  for (cJSON *item = object->child; item != NULL; item = next) {
    next = item->next;
    const ProtobufCFieldDescriptor *field = member_field(type, item->string);
    enum err_code code = field != NULL ? settle(r, object, item, field->name, path) : ERR_OK;
    if (code != ERR_OK)
      return code;
  }
  gather_days(type, object);
  return ERR_OK;
}
