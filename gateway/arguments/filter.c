/* Filters of any form as Google's FilterExpression.
 *
 * Taken are the form that schemas show, {"join": "and", "conditions": [...]}; Google's own form in
 * any spelling; conditions without their wrapper; "and", "or" and "not" with lists or single
 * expressions, in any depth; "not": true beside a condition or a join; {"filter_expression": ...};
 * text that holds JSON; and maps {field: value}, whose entries all apply. A list without "and" or
 * "or" is refused: it is read both ways. */
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "gateway/arguments/condition.h"
#include "gateway/arguments/match.h"
#include "gateway/arguments/scalar.h"
#include "gateway/arguments/text.h"

enum join { JOIN_NONE, JOIN_AND, JOIN_OR, JOIN_NOT, JOIN_FILTER, JOIN_WRAPPER };

static enum join join_of(const char *name)
{
  static const struct {
    const char *word;
    enum join join;
  } joins[] = {{"and", JOIN_AND},
               {"andgroup", JOIN_AND},
               {"or", JOIN_OR},
               {"orgroup", JOIN_OR},
               {"not", JOIN_NOT},
               {"notexpression", JOIN_NOT},
               {"filter", JOIN_FILTER},
               {"filterexpression", JOIN_WRAPPER},
               {"expression", JOIN_WRAPPER}};
  for (size_t i = 0; i < ARRAY_LEN(joins); i++) {
    if (text_same(joins[i].word, name))
      return joins[i].join;
  }
  return JOIN_NONE;
}

static enum err_code convert(const struct filter_context *c, cJSON *node,
                             const struct json_path *path, unsigned depth);

static enum err_code refuse(const struct filter_context *c, const struct json_path *path,
                            const char *text)
{
  return json_path_error(c->r->e, ERR_INVALID_ARGUMENT, "bad_filter", path, "%s", text);
}

/* The list of a group: the value itself, its `expressions`, or one expression. */
static cJSON *group_list(cJSON *group)
{
  if (cJSON_IsString(group))
    json_text_repair(group);
  if (cJSON_IsObject(group) && group->child != NULL && group->child->next == NULL &&
      text_same(group->child->string, "expressions")) {
    cJSON *list = cJSON_DetachItemViaPointer(group, group->child);
    value_become(group, list);
  }
  if (cJSON_IsObject(group)) {
    cJSON *list = cJSON_CreateArray();
    cJSON_AddItemToArray(list, value_take(group));
    value_become(group, list);
  }
  return cJSON_IsArray(group) ? group : NULL;
}

static enum err_code convert_group(const struct filter_context *c, cJSON *node, enum join join,
                                   const struct json_path *path, unsigned depth)
{
  struct json_path here = JSON_PATH_KEY(path, node->child->string);
  cJSON *list = group_list(node->child);
  if (list == NULL)
    return refuse(c, &here, "must be a list of conditions");
  size_t i = 0;
  cJSON *item;
  cJSON_ArrayForEach(item, list)
  {
    struct json_path there = JSON_PATH_INDEX(&here, i++);
    enum err_code code = convert(c, item, &there, depth + 1);
    if (code != ERR_OK)
      return code;
  }
  if (i == 0)
    return refuse(c, &here, "must have one condition at least");
  cJSON *out = cJSON_CreateObject();
  cJSON *group = cJSON_AddObjectToObject(out, join == JOIN_AND ? "and_group" : "or_group");
  cJSON_AddItemToObject(group, "expressions", cJSON_DetachItemViaPointer(node, list));
  value_become(node, out);
  return ERR_OK;
}

/* "not", "filter" and wrappers hold one expression. */
static enum err_code convert_inner(const struct filter_context *c, cJSON *node, enum join join,
                                   const struct json_path *path, unsigned depth)
{
  AUTO_FREE char *name = xstrdup(node->child->string);
  struct json_path here = JSON_PATH_KEY(path, name);
  enum err_code code = convert(c, node->child, &here, depth + 1);
  if (code != ERR_OK)
    return code;
  cJSON *inner = cJSON_DetachItemViaPointer(node, node->child);
  if (join == JOIN_NOT) {
    cJSON *out = cJSON_CreateObject();
    cJSON_AddItemToObject(out, "not_expression", inner);
    inner = out;
  }
  value_become(node, inner);
  return ERR_OK;
}

/* ------------------------------------------------------------------ maps {field: value} */

static cJSON *new_condition(const char *field, const char *match, cJSON *value)
{
  cJSON *condition = cJSON_CreateObject();
  cJSON_AddStringToObject(condition, "field", field);
  if (match != NULL)
    cJSON_AddStringToObject(condition, "match", match);
  cJSON_AddItemToObject(condition, cJSON_IsArray(value) ? "values" : "value", value);
  return condition;
}

/* Whether every member is a comparison: {">": 5, "<": 10}. */
static bool is_comparisons(const cJSON *value)
{
  const cJSON *item;
  if (!cJSON_IsObject(value) || value->child == NULL)
    return false;
  cJSON_ArrayForEach(item, value)
  {
    if (match_find(item->string) == NULL)
      return false;
  }
  return true;
}

/* Appends the conditions of one entry; the entry's value is used up. */
static bool add_entry(cJSON *list, const char *field, cJSON *value)
{
  if (is_comparisons(value)) {
    while (value->child != NULL) {
      cJSON *one = cJSON_DetachItemViaPointer(value, value->child);
      AUTO_FREE char *match = xstrdup(one->string);
      cJSON_AddItemToArray(list, new_condition(field, match, one));
    }
    cJSON_Delete(value);
    return true;
  }
  if (cJSON_IsObject(value)) {
    if (value->child == NULL || condition_key(value->child->string) == KEY_OTHER) {
      cJSON_Delete(value);
      return false;
    }
    cJSON_AddStringToObject(value, "field", field);
    cJSON_AddItemToArray(list, value);
    return true;
  }
  if (cJSON_IsNull(value)) {
    cJSON_Delete(value);
    return false;
  }
  cJSON_AddItemToArray(list, new_condition(field, NULL, value));
  return true;
}

static enum err_code convert_map(const struct filter_context *c, cJSON *node,
                                 const struct json_path *path, unsigned depth)
{
  AUTO_FREE char *last = NULL;
  cJSON *list = cJSON_CreateArray();
  bool fine = true;
  while (fine && node->child != NULL) {
    cJSON *value = cJSON_DetachItemViaPointer(node, node->child);
    free(last);
    last = xstrdup(value->string);
    fine = add_entry(list, last, value);
  }
  if (!fine) {
    struct json_path here = JSON_PATH_KEY(path, last);
    cJSON_Delete(list);
    return refuse(c, &here,
                  "not part of a filter; a filter is {\"field\":...,\"match\":...,\"value\":...}, "
                  "or such conditions in \"and\", \"or\", \"not\"");
  }
  if (cJSON_GetArraySize(list) == 1) {
    value_become(node, cJSON_DetachItemFromArray(list, 0));
    cJSON_Delete(list);
  } else {
    cJSON *group = cJSON_CreateObject();
    cJSON_AddItemToObject(group, "and", list);
    value_become(node, group);
  }
  return convert(c, node, path, depth + 1);
}

/* ------------------------------------------------------------------ expressions */

static void drop_nulls(cJSON *node)
{
  cJSON *next;
  for (cJSON *item = node->child; item != NULL; item = next) {
    next = item->next;
    if (cJSON_IsNull(item) &&
        (join_of(item->string) != JOIN_NONE || condition_key(item->string) != KEY_OTHER))
      cJSON_Delete(cJSON_DetachItemViaPointer(node, item));
  }
}

/* How many members are joins, and whether one is a part of a condition. */
static size_t count_joins(const cJSON *node, enum join *first, bool *has_condition)
{
  size_t joins = 0;
  const cJSON *item;
  *first = JOIN_NONE;
  *has_condition = false;
  cJSON_ArrayForEach(item, node)
  {
    enum join join = join_of(item->string);
    joins += join != JOIN_NONE;
    if (*first == JOIN_NONE)
      *first = join;
    *has_condition |= join == JOIN_NONE && condition_key(item->string) != KEY_OTHER;
  }
  return joins;
}

static enum err_code convert_members(const struct filter_context *c, cJSON *node,
                                     const struct json_path *path, unsigned depth)
{
  enum join join;
  bool condition;
  size_t joins = count_joins(node, &join, &condition), members = (size_t)cJSON_GetArraySize(node);
  if (joins > 0 && members > 1)
    return refuse(c, path,
                  "gives several of and, or, not and conditions side by side: put them into one "
                  "\"and\" or \"or\"");
  if (join == JOIN_AND || join == JOIN_OR)
    return convert_group(c, node, join, path, depth);
  if (join != JOIN_NONE)
    return convert_inner(c, node, join, path, depth);
  if (condition)
    return condition_repair(c, node, path);
  return members > 0 ? convert_map(c, node, path, depth) : ERR_OK;
}

/* The member "not" where it is a truth value and has something beside it, taken out of the node. */
static bool take_negation(cJSON *node)
{
  for (cJSON *item = node->child; item != NULL && node->child->next != NULL; item = item->next) {
    if (join_of(item->string) != JOIN_NOT)
      continue;
    scalar_to_bool(item);
    if (!cJSON_IsBool(item))
      continue;
    bool negated = cJSON_IsTrue(item);
    cJSON_Delete(cJSON_DetachItemViaPointer(node, item));
    return negated;
  }
  return false;
}

static cJSON *member_of(const cJSON *node, const char *word)
{
  cJSON *item = node->child;
  while (item != NULL && !text_same(word, item->string))
    item = item->next;
  return item;
}

/* {"join": "or", "conditions": [...]} as {"or": [...]}; one condition needs no join. */
static enum err_code settle_conditions(const struct filter_context *c, cJSON *node,
                                       const struct json_path *path)
{
  cJSON *conditions = member_of(node, "conditions"), *join = member_of(node, "join");
  if (conditions == NULL)
    return ERR_OK;
  if (cJSON_IsString(conditions))
    json_text_repair(conditions);
  bool one = cJSON_GetArraySize(conditions) == 1;
  enum join word = cJSON_IsString(join) ? join_of(join->valuestring) : JOIN_NONE;
  struct json_path here = JSON_PATH_KEY(path, "join");
  if ((join != NULL || !one) && word != JOIN_AND && word != JOIN_OR)
    return refuse(c, &here, "must be and or or: it says how the conditions are joined");
  if (join != NULL)
    cJSON_Delete(cJSON_DetachItemViaPointer(node, join));
  value_set_name(conditions, one ? "filter_expression" : word == JOIN_AND ? "and" : "or");
  return ERR_OK;
}

static enum err_code convert_object(const struct filter_context *c, cJSON *node,
                                    const struct json_path *path, unsigned depth)
{
  drop_nulls(node);
  bool negated = take_negation(node);
  enum err_code code = settle_conditions(c, node, path);
  if (code == ERR_OK)
    code = convert_members(c, node, path, depth);
  if (code != ERR_OK || !negated)
    return code;
  cJSON *out = cJSON_CreateObject();
  cJSON_AddItemToObject(out, "not_expression", value_take(node));
  value_become(node, out);
  return ERR_OK;
}

/* What is nested too deep is left for pbjson to refuse; joins of one kind cost three levels. */
static enum err_code convert(const struct filter_context *c, cJSON *node,
                             const struct json_path *path, unsigned depth)
{
  if (depth > 3 * PBJSON_MAX_DEPTH)
    return refuse(c, path, "is nested too deep");
  if (cJSON_IsString(node))
    json_text_repair(node);
  if (cJSON_IsArray(node) && cJSON_GetArraySize(node) == 1)
    value_become(node, cJSON_DetachItemFromArray(node, 0));
  if (cJSON_IsArray(node))
    return refuse(c, path,
                  "is a list: say how its conditions are joined, {\"and\":[...]} or "
                  "{\"or\":[...]}");
  if (cJSON_IsString(node))
    return refuse(c, path,
                  "is a text: give a condition such as {\"field\":\"city\",\"match\":"
                  "\"EXACT\",\"value\":\"Portland\"}");
  return cJSON_IsObject(node) ? convert_object(c, node, path, depth) : ERR_OK;
}

enum err_code filter_repair(const struct repair *r, enum catalog_meaning meaning, cJSON *filter,
                            const cJSON *dimensions, const struct json_path *path)
{
  const struct filter_context c = {r, meaning, dimensions};
  return convert(&c, filter, path, 1);
}
