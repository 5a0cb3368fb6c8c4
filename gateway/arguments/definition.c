/* Metrics and dimensions that a call defines itself, in Google's form among the names or in a field
 * of their own. */
#include <string.h>

#include "common/base/mem.h"
#include "gateway/arguments/internal.h"
#include "gateway/arguments/text.h"

/* The list of names, and the field of what they stand for. */
struct definitions {
  const char *names, *defined;
};
static const struct definitions lists[] = {{"metrics", "metric_expressions"},
                                           {"dimensions", "dimension_expressions"}};

static cJSON *member_of(const cJSON *object, const char *name)
{
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *name_of(const cJSON *item)
{
  const cJSON *name = member_of(item, "name");
  return cJSON_IsString(name) ? name->valuestring : NULL;
}

/* A message may have definitions whose names do not stand in a list, such as a funnel's. */
static bool has_field(const ProtobufCMessageDescriptor *type, const struct definitions *list)
{
  return protobuf_c_message_descriptor_get_field_by_name(type, list->defined) != NULL &&
         protobuf_c_message_descriptor_get_field_by_name(type, list->names) != NULL;
}

/* {"name": ..., "expression": ...}, {"name": ..., "dimensionExpression": ...} */
static bool is_definition(const cJSON *item)
{
  static const char *const words[] = {"expression", "invisible", "dimensionexpression"};
  const cJSON *member;
  if (!cJSON_IsObject(item) || name_of(item) == NULL)
    return false;
  cJSON_ArrayForEach(member, item)
  {
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
      if (text_same(words[i], member->string))
        return true;
  }
  return false;
}

/* A member as a list: JSON text is read, one object is a list of one. */
static cJSON *list_of(cJSON *object, const char *name)
{
  cJSON *list = member_of(object, name);
  if (cJSON_IsString(list))
    json_text_repair(list);
  if (cJSON_IsObject(list)) {
    cJSON *one = cJSON_CreateArray();
    cJSON_AddItemToArray(one, value_take(list));
    value_become(list, one);
  }
  return cJSON_IsArray(list) ? list : NULL;
}

static void move(cJSON *object, const struct definitions *list, cJSON *item)
{
  cJSON *defined = list_of(object, list->defined);
  if (defined == NULL && member_of(object, list->defined) == NULL)
    defined = cJSON_AddArrayToObject(object, list->defined);
  if (defined == NULL) /* of another type, which is refused later */
    return;
  cJSON *name = cJSON_CreateString(name_of(item));
  cJSON_AddItemToArray(defined, value_take(item));
  value_become(item, name);
}

bool definitions_settle(const ProtobufCMessageDescriptor *type, cJSON *object)
{
  bool some = false;
  for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
    if (!has_field(type, &lists[i]))
      continue;
    cJSON *item;
    cJSON_ArrayForEach(item, list_of(object, lists[i].names))
    {
      if (is_definition(item))
        move(object, &lists[i], item);
    }
    some = some || list_of(object, lists[i].defined) != NULL;
  }
  return some;
}

bool definitions_have(const cJSON *object, const char *name)
{
  const cJSON *item;
  for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
    cJSON_ArrayForEach(item, member_of(object, lists[i].defined))
    {
      const char *defined = name_of(item);
      if (defined != NULL && strcmp(defined, name) == 0)
        return true;
    }
  }
  return false;
}

static bool lists_name(const cJSON *names, const char *name)
{
  const cJSON *item;
  cJSON_ArrayForEach(item, names)
  {
    if (cJSON_IsString(item) && strcmp(item->valuestring, name) == 0)
      return true;
  }
  return false;
}

void definitions_name(const ProtobufCMessageDescriptor *type, cJSON *object)
{
  for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
    const cJSON *item;
    if (!has_field(type, &lists[i]))
      continue;
    cJSON_ArrayForEach(item, member_of(object, lists[i].defined))
    {
      const char *name = name_of(item);
      cJSON *names = member_of(object, lists[i].names);
      if (name == NULL || name[0] == '\0' || lists_name(names, name))
        continue;
      if (names == NULL)
        names = cJSON_AddArrayToObject(object, lists[i].names);
      if (cJSON_IsArray(names))
        cJSON_AddItemToArray(names, cJSON_CreateString(name));
    }
  }
}
