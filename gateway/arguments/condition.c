/* One condition of a filter: Google's Filter, or {field, match, value}. */
#include "gateway/arguments/condition.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/number.h"
#include "gateway/arguments/match.h"
#include "gateway/arguments/scalar.h"
#include "gateway/arguments/text.h"

static const struct {
  const char *word;
  enum condition_key key;
} keys[] = {
    {"field", KEY_FIELD},
    {"fieldname", KEY_FIELD},
    {"dimension", KEY_FIELD},
    {"dimensionname", KEY_FIELD},
    {"metric", KEY_FIELD},
    {"metricname", KEY_FIELD},
    {"match", KEY_MATCH},
    {"matchtype", KEY_MATCH},
    {"operator", KEY_MATCH},
    {"operation", KEY_MATCH},
    {"op", KEY_MATCH},
    {"comparison", KEY_MATCH},
    {"value", KEY_VALUE},
    {"values", KEY_VALUES},
    {"from", KEY_FROM},
    {"fromvalue", KEY_FROM},
    {"to", KEY_TO},
    {"tovalue", KEY_TO},
    {"casesensitive", KEY_CASE},
    {"stringfilter", KEY_GOOGLE},
    {"inlistfilter", KEY_GOOGLE},
    {"numericfilter", KEY_GOOGLE},
    {"betweenfilter", KEY_GOOGLE},
    {"emptyfilter", KEY_GOOGLE},
};

static const char *const google_names[] = {"string_filter", "in_list_filter", "numeric_filter",
                                           "between_filter", "empty_filter"};

enum condition_key condition_key(const char *name)
{
  for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
    if (text_same(keys[i].word, name))
      return keys[i].key;
  }
  return KEY_OTHER;
}

/* The member of a kind, taken out of the object; NULL when there is none. */
static cJSON *take(cJSON *object, enum condition_key key)
{
  for (cJSON *item = object->child; item != NULL; item = item->next) {
    if (condition_key(item->string) == key)
      return cJSON_DetachItemViaPointer(object, item);
  }
  return NULL;
}

static bool is_metric(const struct filter_context *c)
{
  return c->meaning == CATALOG_METRIC_FILTER;
}

static enum err_code refuse(const struct filter_context *c, const struct json_path *path,
                            const char *what)
{
  return json_path_error(c->r->e, ERR_INVALID_ARGUMENT, "bad_filter", path,
                         is_metric(c)
                             ? "%s; a condition is {\"field\":\"sessions\",\"match\":"
                               "\"GREATER_THAN\",\"value\":10}; match must be EQUAL, LESS_THAN, "
                               "LESS_THAN_OR_EQUAL, GREATER_THAN, GREATER_THAN_OR_EQUAL or BETWEEN"
                             : "%s; a condition is {\"field\":\"city\",\"match\":\"CONTAINS\","
                               "\"value\":\"port\"}; match must be EXACT, CONTAINS, BEGINS_WITH, "
                               "ENDS_WITH, FULL_REGEXP, PARTIAL_REGEXP, IN_LIST or EMPTY",
                         what);
}

/* --------------------------------------------------------------------- values */

/* A value of a dimension is text, kept as it is: blanks in it may matter. False for an object. */
static bool to_text(cJSON *value)
{
  char digits[32];
  if (cJSON_IsNumber(value)) {
    snprintf(digits, sizeof(digits), "%.15g", value->valuedouble);
    value_become(value, cJSON_CreateString(digits));
  } else if (cJSON_IsBool(value)) {
    value_become(value, cJSON_CreateString(cJSON_IsTrue(value) ? "true" : "false"));
  }
  return cJSON_IsString(value);
}

/* Google's NumericValue of a number or of a text that holds one. */
static bool to_number(cJSON *value)
{
  static const double exact = 9007199254740992.0; /* 2^53 */
  double number = 0;
  cJSON *object = cJSON_CreateObject();
  if (cJSON_IsNumber(value)) {
    number = value->valuedouble;
    bool whole = number == floor(number) && fabs(number) < exact;
    cJSON_AddNumberToObject(object, whole ? "int64_value" : "double_value", number);
  } else if (cJSON_IsString(value)) {
    struct number_whole digits;
    AUTO_FREE char *text = text_clean(value->valuestring);
    if (number_parse_whole(&digits, text))
      cJSON_AddStringToObject(object, "int64_value", text);
    else if (number_parse_double(&number, text))
      cJSON_AddNumberToObject(object, "double_value", number);
  }
  if (object->child == NULL) {
    cJSON_Delete(object);
    return cJSON_IsObject(value); /* Google's own form, which pbjson checks */
  }
  value_become(value, object);
  return true;
}

/* {"value": 10} and {"int64Value": "10"} as Google's NumericValue. */
static bool numeric_value(cJSON *value)
{
  if (!cJSON_IsObject(value))
    return to_number(value);
  cJSON *only = value->child;
  if (only == NULL || only->next != NULL)
    return true;
  if (text_same(only->string, "value")) {
    value_become(value, cJSON_DetachItemViaPointer(value, only));
    return to_number(value);
  }
  if (text_same(only->string, "int64value"))
    value_set_name(only, "int64_value");
  else if (text_same(only->string, "doublevalue"))
    value_set_name(only, "double_value");
  return true;
}

static bool texts(cJSON *list)
{
  cJSON *item;
  if (!cJSON_IsArray(list))
    return false;
  cJSON_ArrayForEach(item, list)
  {
    if (!to_text(item))
      return false;
  }
  return list->child != NULL;
}

/* --------------------------------------------------------------------- Google's Filter */

/* The enum of a string or numeric filter in Google's spelling; another word is pbjson's to refuse.
 */
static void enum_word(cJSON *value, enum match_kind kind)
{
  const struct match *m = cJSON_IsString(value) ? match_find(value->valuestring) : NULL;
  bool equal = m != NULL && m->kind == MATCH_EQUAL;
  if (m == NULL || m->negated || (m->kind != kind && !equal))
    return;
  value_set_text(value, xstrdup(equal && kind == MATCH_TEXT ? "EXACT" : m->name));
}

static void google_member(cJSON *member, size_t type)
{
  switch (condition_key(member->string)) {
  case KEY_MATCH:
    value_set_name(member, type == 0 ? "match_type" : "operation");
    enum_word(member, type == 0 ? MATCH_TEXT : MATCH_NUMBER);
    break;
  case KEY_VALUE:
    value_set_name(member, "value");
    (void)(type == 0 ? to_text(member) : numeric_value(member));
    break;
  case KEY_VALUES:
    value_set_name(member, "values");
    (void)texts(member);
    break;
  case KEY_FROM:
    value_set_name(member, "from_value");
    numeric_value(member);
    break;
  case KEY_TO:
    value_set_name(member, "to_value");
    numeric_value(member);
    break;
  case KEY_CASE:
    value_set_name(member, "case_sensitive");
    scalar_to_bool(member);
    break;
  default:
    break;
  }
}

/* Google's names in Google's spelling, and the values of each kind. */
static void google_filter(cJSON *filter)
{
  cJSON *item, *member;
  cJSON_ArrayForEach(item, filter)
  {
    for (size_t i = 0; i < ARRAY_LEN(google_names); i++) {
      if (!text_same(google_names[i], item->string))
        continue;
      value_set_name(item, google_names[i]);
      cJSON_ArrayForEach(member, item) google_member(member, i);
    }
  }
}

/* --------------------------------------------------------------------- {field, match, value} */

/* Parts of a compact condition, taken out of it; freed with parts_free(). */
struct parts {
  cJSON *match, *value, *values, *from, *to, *sensitive;
};

static void parts_free(struct parts *p)
{
  cJSON_Delete(p->match);
  cJSON_Delete(p->value);
  cJSON_Delete(p->values);
  cJSON_Delete(p->from);
  cJSON_Delete(p->to);
  cJSON_Delete(p->sensitive);
}

static void add(cJSON *object, const char *name, cJSON **part)
{
  cJSON_AddItemToObject(object, name, *part);
  *part = NULL;
}

static const char *put_text_filter(const char *name, struct parts *p, cJSON *out)
{
  if (p->value == NULL || !to_text(p->value))
    return "one value is needed, a text";
  cJSON *filter = cJSON_AddObjectToObject(out, "string_filter");
  if (name != NULL)
    cJSON_AddStringToObject(filter, "match_type", name);
  add(filter, "value", &p->value);
  if (p->sensitive != NULL)
    add(filter, "case_sensitive", &p->sensitive);
  return NULL;
}

static const char *put_list_filter(struct parts *p, cJSON *out)
{
  if (p->values == NULL || !texts(p->values))
    return "values must be a list of texts with one at least";
  cJSON *filter = cJSON_AddObjectToObject(out, "in_list_filter");
  add(filter, "values", &p->values);
  if (p->sensitive != NULL)
    add(filter, "case_sensitive", &p->sensitive);
  return NULL;
}

static const char *put_number_filter(const char *name, struct parts *p, cJSON *out)
{
  if (p->value == NULL || !numeric_value(p->value))
    return "one value is needed, a number in digits alone";
  cJSON *filter = cJSON_AddObjectToObject(out, "numeric_filter");
  cJSON_AddStringToObject(filter, "operation", name);
  add(filter, "value", &p->value);
  return NULL;
}

static const char *put_between_filter(struct parts *p, cJSON *out)
{
  if (cJSON_GetArraySize(p->values) == 2) {
    p->from = cJSON_DetachItemFromArray(p->values, 0);
    p->to = cJSON_DetachItemFromArray(p->values, 0);
  }
  if (p->from == NULL || p->to == NULL || !numeric_value(p->from) || !numeric_value(p->to))
    return "BETWEEN needs values with two numbers, the lower one first";
  cJSON *filter = cJSON_AddObjectToObject(out, "between_filter");
  add(filter, "from_value", &p->from);
  add(filter, "to_value", &p->to);
  return NULL;
}

/* Without a match: one of several values, or equal to one. */
static const struct match *match_of(const struct parts *p, const char *text)
{
  static const struct match list = {NULL, MATCH_LIST, NULL, false},
                            equal = {NULL, MATCH_EQUAL, NULL, false};
  const struct match *m = text == NULL ? (p->values != NULL ? &list : &equal) : match_find(text);
  bool exact = m != NULL && !m->negated && m->name != NULL &&
               (m->kind == MATCH_EQUAL || strcmp(m->name, "EXACT") == 0);
  return exact && p->values != NULL ? &list : m;
}

/* Fills Google's Filter; returns what is wrong, or NULL. */
static const char *put_filter(const struct filter_context *c, const struct match *m,
                              struct parts *p, cJSON *out)
{
  switch (m->kind) {
  case MATCH_EQUAL:
    if (is_metric(c))
      return put_number_filter("EQUAL", p, out);
    return put_text_filter(m->name != NULL ? "EXACT" : NULL, p, out);
  case MATCH_TEXT:
    return put_text_filter(m->name, p, out);
  case MATCH_LIST:
    return put_list_filter(p, out);
  case MATCH_NUMBER:
    return put_number_filter(m->name, p, out);
  case MATCH_BETWEEN:
    return put_between_filter(p, out);
  case MATCH_EMPTY:
    cJSON_AddObjectToObject(out, "empty_filter");
    return NULL;
  }
  return NULL;
}

/* A list as `value` is `values`, and one of several with one item is that item. */
static void settle_values(struct parts *p, bool list_wanted)
{
  if (cJSON_IsString(p->value))
    json_text_repair(p->value);
  if (cJSON_IsString(p->values))
    json_text_repair(p->values);
  if (cJSON_IsArray(p->value) && p->values == NULL) {
    p->values = p->value;
    p->value = NULL;
  }
  if (p->values != NULL && !cJSON_IsArray(p->values)) {
    cJSON *list = cJSON_CreateArray();
    cJSON_AddItemToArray(list, p->values);
    p->values = list;
  }
  if (list_wanted && p->values == NULL && p->value != NULL) {
    p->values = cJSON_CreateArray();
    cJSON_AddItemToArray(p->values, p->value);
    p->value = NULL;
  }
  if (!list_wanted && p->value == NULL && cJSON_GetArraySize(p->values) == 1) {
    p->value = cJSON_DetachItemFromArray(p->values, 0);
    cJSON_Delete(p->values);
    p->values = NULL;
  }
}

/* Whether one text with commas stands where a list is meant: it may be one value or several. */
static bool is_open_list(const struct parts *p, const struct match *named)
{
  const cJSON *text = cJSON_IsString(p->values) ? p->values : p->value;
  bool equal = named == NULL || named->kind == MATCH_EQUAL || named->kind == MATCH_LIST ||
               (named->name != NULL && strcmp(named->name, "EXACT") == 0);
  bool list = named != NULL && named->kind == MATCH_LIST;
  return cJSON_IsString(text) && strchr(text->valuestring, ',') != NULL &&
         text->valuestring[0] != '[' && (list || (equal && text == p->values));
}

static enum err_code compact(const struct filter_context *c, cJSON *condition, cJSON *out,
                             struct parts *p, bool *negated, const struct json_path *path)
{
  const char *text = cJSON_IsString(p->match) ? p->match->valuestring : NULL;
  if (p->match != NULL && text == NULL)
    return refuse(c, path, "match must be a text");
  const struct match *named = text != NULL ? match_find(text) : NULL;
  if (is_open_list(p, named))
    return refuse(c, path,
                  "give values as a list, [\"Reno\",\"Sparks\"], also for one value that "
                  "has a comma in it");
  settle_values(p, named != NULL && (named->kind == MATCH_LIST || named->kind == MATCH_BETWEEN));
  if (p->value != NULL && p->values != NULL)
    return refuse(c, path, "give value or values, not both");
  const struct match *m = match_of(p, text);
  if (m == NULL)
    return refuse(c, path,
                  match_is_open_regexp(text)
                      ? "give FULL_REGEXP or PARTIAL_REGEXP, whichever is meant"
                      : "the match is not known");
  if (condition->child != NULL) {
    struct json_path here = JSON_PATH_KEY(path, condition->child->string);
    return refuse(c, &here, "not part of a condition");
  }
  const char *wrong = put_filter(c, m, p, out);
  if (wrong == NULL && (p->value != NULL || p->values != NULL) && m->kind != MATCH_BETWEEN)
    wrong = "a value that the match does not take";
  *negated = m->negated;
  return wrong != NULL ? refuse(c, path, wrong) : ERR_OK;
}

static bool has_google_member(const cJSON *condition)
{
  const cJSON *item;
  cJSON_ArrayForEach(item, condition)
  {
    if (condition_key(item->string) == KEY_GOOGLE)
      return true;
  }
  return false;
}

/* Puts the filter in the place of the condition. */
static void place(cJSON *condition, cJSON *filter, bool negated)
{
  cJSON *expression = cJSON_CreateObject();
  cJSON_AddItemToObject(expression, "filter", filter);
  if (negated) {
    cJSON *outer = cJSON_CreateObject();
    cJSON_AddItemToObject(outer, "not_expression", expression);
    expression = outer;
  }
  value_become(condition, expression);
}

enum err_code condition_repair(const struct filter_context *c, cJSON *condition,
                               const struct json_path *path)
{
  bool negated = false;
  cJSON *field = take(condition, KEY_FIELD);
  if (field == NULL)
    return refuse(c, path, "field is missing");
  CLEANUP(parts_free) struct parts p = {0};
  cJSON *filter = cJSON_CreateObject();
  struct json_path here = JSON_PATH_KEY(path, "field");
  cJSON_AddItemToObject(filter, "field_name", field);
  enum err_code code = name_repair(c->r, c->meaning, field, c->dimensions, &here);
  if (code == ERR_OK && has_google_member(condition)) {
    google_filter(condition);
    for (cJSON *item = condition->child; item != NULL; item = condition->child) {
      AUTO_FREE char *name = xstrdup(item->string);
      cJSON_AddItemToObject(filter, name, cJSON_DetachItemViaPointer(condition, item));
    }
  } else if (code == ERR_OK) {
    p = (struct parts){take(condition, KEY_MATCH),  take(condition, KEY_VALUE),
                       take(condition, KEY_VALUES), take(condition, KEY_FROM),
                       take(condition, KEY_TO),     take(condition, KEY_CASE)};
    if (p.sensitive != NULL)
      scalar_to_bool(p.sensitive);
    code = compact(c, condition, filter, &p, &negated, path);
  }
  if (code != ERR_OK) {
    cJSON_Delete(filter);
    return code;
  }
  place(condition, filter, negated);
  return ERR_OK;
}
