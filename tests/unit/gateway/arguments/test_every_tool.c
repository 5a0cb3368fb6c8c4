/* Each tool of the catalogue: calls made at random from the examples of its arguments, and every
 * combination of repairs that any argument may need gives the same request as the plain call. What
 * the tools have of their own (filters, names of GA4) is in test_every_repair.c. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/gateway/arguments/reading.h"
#include "tests/unit/harness.h"

enum {
  AS_OTHER_NAME = 1, /* camelCase, kebab-case, capitals, aliases */
  AS_TEXT = 2,       /* numbers and booleans */
  AS_LIST = 4,       /* one value for a list, a list of one for a value */
  WITH_BLANKS = 8,
  WITH_NOTHING = 16, /* words for nothing in what is not given */
  AS_JSON = 32,      /* lists and objects as text */
  MASKS = 64,
  CALLS = 8
};

static unsigned roll(uint64_t *state, unsigned sides)
{
  *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (unsigned)(*state >> 33) % sides;
}

/* ------------------------------------------------------------------ plain calls */

/* A valid value of a field; NULL when nothing is known of it. */
static cJSON *value_of_field(const ProtobufCFieldDescriptor *f, const struct catalog_rule *rule,
                             uint64_t *dice)
{
  if (rule != NULL && rule->n_examples > 0)
    return cJSON_Parse(rule->examples_json[roll(dice, (unsigned)rule->n_examples)]);
  if (f->label == PROTOBUF_C_LABEL_REPEATED)
    return NULL;
  if (f->type == PROTOBUF_C_TYPE_BOOL)
    return cJSON_CreateBool(roll(dice, 2) != 0);
  if (f->type == PROTOBUF_C_TYPE_INT32 || f->type == PROTOBUF_C_TYPE_INT64) {
    double least = rule != NULL && rule->has_minimum ? rule->minimum : 0;
    return cJSON_CreateNumber(least + roll(dice, 5));
  }
  return NULL;
}

static cJSON *plain_call(const struct catalog_tool *tool, uint64_t *dice)
{
  cJSON *call = cJSON_CreateObject();
  for (unsigned i = 0; i < tool->input->n_fields; i++) {
    const ProtobufCFieldDescriptor *f = &tool->input->fields[i];
    const struct catalog_rule *rule = catalog_rule_of(tool->input, f->name);
    bool required = rule != NULL && rule->required;
    if ((rule != NULL && rule->hidden) || (!required && roll(dice, 2)))
      continue;
    cJSON *value = value_of_field(f, rule, dice);
    if (value != NULL)
      cJSON_AddItemToObject(call, f->name, value);
  }
  return call;
}

/* ------------------------------------------------------------------ sloppiness */

static void set_name(cJSON *item, char *name)
{
  free(item->string);
  item->string = name;
}

/* "dealer_id" as "dealerId", "dealer-id" or "DEALER_ID". */
static char *respelt(const char *name, unsigned way)
{
  char *out = xstrdup(name), *to = out;
  for (const char *c = name; *c != '\0'; c++) {
    bool upper = way == 0 && c > name && c[-1] == '_';
    if (*c == '_' && way == 0)
      continue;
    *to++ = *c == '_' && way == 1 ? '-' : upper || way == 2 ? (char)toupper((unsigned char)*c) : *c;
  }
  *to = '\0';
  return out;
}

static void rename_all(const struct catalog_tool *tool, cJSON *call, uint64_t *dice)
{
  for (cJSON *item = call->child; item != NULL; item = item->next) {
    const struct catalog_rule *rule = catalog_rule_of(tool->input, item->string);
    size_t aliases = rule != NULL ? rule->n_aliases : 0;
    unsigned way = roll(dice, 3 + (unsigned)aliases);
    set_name(item, way < 3 ? respelt(item->string, way) : xstrdup(rule->aliases[way - 3]));
  }
}

static cJSON *as_text(const cJSON *item)
{
  char text[32];
  if (cJSON_IsBool(item))
    return cJSON_CreateString(cJSON_IsTrue(item) ? "yes" : "False");
  snprintf(text, sizeof(text), "%.0f", item->valuedouble);
  return cJSON_CreateString(text);
}

static cJSON *as_json(const cJSON *item)
{
  AUTO_FREE char *text = cJSON_PrintUnformatted(item);
  return cJSON_CreateString(text);
}

static cJSON *as_list(const cJSON *item)
{
  cJSON *list = cJSON_CreateArray(), *copy = cJSON_Duplicate(item, true);
  set_name(copy, NULL);
  cJSON_AddItemToArray(list, copy);
  return list;
}

/* The sloppy form of one argument; NULL to leave it. */
static cJSON *loosened(const cJSON *item, unsigned kind)
{
  bool scalar = cJSON_IsString(item) || cJSON_IsNumber(item) || cJSON_IsBool(item);
  switch (kind) {
  case AS_TEXT:
    return cJSON_IsNumber(item) || cJSON_IsBool(item) ? as_text(item) : NULL;
  case AS_LIST:
    if (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 1 && cJSON_IsString(item->child))
      return cJSON_Duplicate(item->child, true);
    return scalar ? as_list(item) : NULL;
  case AS_JSON:
    return cJSON_IsArray(item) || cJSON_IsObject(item) ? as_json(item) : NULL;
  default:
    return NULL;
  }
}

static void loosen(cJSON *call, unsigned kind)
{
  for (cJSON *item = call->child, *next; item != NULL; item = next) {
    next = item->next;
    cJSON *with = loosened(item, kind);
    if (with == NULL)
      continue;
    AUTO_FREE char *name = xstrdup(item->string);
    cJSON_ReplaceItemInObjectCaseSensitive(call, name, with);
  }
}

static void add_blanks(cJSON *value)
{
  cJSON *item;
  cJSON_ArrayForEach(item, value) add_blanks(item);
  if (!cJSON_IsString(value))
    return;
  char *text = xasprintf("\u200e \u00a0%s\u200b\t", value->valuestring);
  free(value->valuestring);
  value->valuestring = text;
}

/* Blanks in the values of filters are data. */
static void add_blanks_to_call(const struct catalog_tool *tool, cJSON *call)
{
  cJSON *item;
  cJSON_ArrayForEach(item, call)
  {
    const struct catalog_rule *rule = catalog_rule_of(tool->input, item->string);
    if (rule == NULL ||
        (rule->meaning != CATALOG_DIMENSION_FILTER && rule->meaning != CATALOG_METRIC_FILTER))
      add_blanks(item);
  }
}

static void add_nothing(const struct catalog_tool *tool, cJSON *call, uint64_t *dice)
{
  static const char *const words[] = {"null", "\"none\"", "\"\"", "[null]", "\"Undefined\""};
  for (unsigned i = 0; i < tool->input->n_fields; i++) {
    const char *name = tool->input->fields[i].name;
    const struct catalog_rule *rule = catalog_rule_of(tool->input, name);
    bool may = rule == NULL || (!rule->hidden && !rule->required);
    if (may && cJSON_GetObjectItemCaseSensitive(call, name) == NULL)
      cJSON_AddItemToObject(call, name, cJSON_Parse(words[roll(dice, ARRAY_LEN(words))]));
  }
}

static char *sloppy_call(const struct catalog_tool *tool, const char *plain, unsigned mask,
                         uint64_t *dice)
{
  cJSON *call = cJSON_Parse(plain);
  for (unsigned kind = AS_TEXT; kind <= AS_LIST; kind *= 2)
    if (mask & kind)
      loosen(call, kind);
  if (mask & WITH_BLANKS)
    add_blanks_to_call(tool, call);
  if (mask & AS_JSON)
    loosen(call, AS_JSON);
  if (mask & WITH_NOTHING)
    add_nothing(tool, call, dice);
  if (mask & AS_OTHER_NAME)
    rename_all(tool, call, dice);
  char *text = cJSON_PrintUnformatted(call);
  cJSON_Delete(call);
  return text;
}

/* ------------------------------------------------------------------ the property */

static bool same(const struct catalog_tool *tool, const char *plain, const struct reading *a,
                 unsigned mask, uint64_t *dice)
{
  AUTO_FREE char *sloppy = sloppy_call(tool, plain, mask, dice);
  AUTO_READING struct reading b = {0};
  reading_make(&b, tool->name, sloppy);
  bool equal = b.code == ERR_OK && strcmp(buf_str(&a->request), buf_str(&b.request)) == 0;
  if (!equal)
    printf("\n  %s, mask %u\n  plain  %s\n  sloppy %s\n  gives  %s%s\n  not    %s\n", tool->name,
           mask, plain, sloppy, buf_str(&b.request), b.e.message, buf_str(&a->request));
  return equal;
}

/* Calls of a tool that were tried; those whose parts exclude each other are not. */
static size_t try_tool(const struct catalog_tool *tool, size_t *failures)
{
  uint64_t dice = 7;
  size_t tried = 0;
  for (int i = 0; i < CALLS && *failures < 3; i++) {
    cJSON *call = plain_call(tool, &dice);
    AUTO_FREE char *plain = cJSON_PrintUnformatted(call);
    cJSON_Delete(call);
    AUTO_READING struct reading request = {0};
    reading_make(&request, tool->name, plain);
    if (request.code != ERR_OK)
      continue;
    tried++;
    for (unsigned mask = 0; mask < MASKS && *failures < 3; mask++)
      *failures += !same(tool, plain, &request, mask, &dice);
  }
  return tried;
}

static void every_combination_of_repairs_gives_the_same_request_on_every_tool(void)
{
  size_t failures = 0;
  for (size_t i = 0; i < catalog_tools_len; i++) {
    size_t tried = try_tool(&catalog_tools[i], &failures);
    if (tried < CALLS / 2)
      printf("\n  %s: only %zu of %d calls are valid\n", catalog_tools[i].name, tried, CALLS);
    CU_ASSERT(tried >= CALLS / 2 || failures > 0);
  }
  CU_ASSERT_EQUAL(failures, 0);
}

TEST_MAIN("every tool", TEST(every_combination_of_repairs_gives_the_same_request_on_every_tool))
