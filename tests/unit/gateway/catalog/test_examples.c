/* Every example and default of a schema is accepted at its place by the rules and the reader. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "gateway/catalog/catalog.h"
#include "tests/unit/harness.h"

static void free_arena(struct arena **a)
{
  arena_free(*a);
}

/* An object schema on the way from the root to a field, and the member taken there. */
struct step {
  const struct step *up;
  const cJSON *schema;
  const char *member;
  bool list; /* the member is a list of objects */
};

static const cJSON *member(const cJSON *schema, const char *name)
{
  return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(schema, "properties"),
                                          name);
}

static const cJSON *first_example(const cJSON *field)
{
  return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(field, "examples"), 0);
}

/* An object with the value as its member, and an example for every other required one. */
static cJSON *object_with(const struct step *step, cJSON *value)
{
  cJSON *object = cJSON_CreateObject();
  cJSON_AddItemToObject(object, step->member, value);
  const cJSON *name;
  cJSON_ArrayForEach(name, cJSON_GetObjectItemCaseSensitive(step->schema, "required"))
  {
    if (cJSON_HasObjectItem(object, name->valuestring))
      continue;
    const cJSON *example = first_example(member(step->schema, name->valuestring));
    CU_ASSERT_PTR_NOT_NULL_FATAL(example);
    cJSON_AddItemToObject(object, name->valuestring, cJSON_Duplicate(example, true));
  }
  return object;
}

static void expect_accepted(const struct catalog_tool *tool, const struct step *step,
                            const cJSON *literal)
{
  cJSON *value = cJSON_Duplicate(literal, true);
  for (; step != NULL; step = step->up) {
    if (step->list) {
      cJSON *list = cJSON_CreateArray();
      cJSON_AddItemToArray(list, value);
      value = list;
    }
    value = object_with(step, value);
  }
  AUTO_JSON cJSON *arguments = value;
  CLEANUP(free_arena) struct arena *arena = arena_new(1 << 20);
  struct err e = {0};
  ProtobufCMessage *message = NULL;
  enum err_code code = catalog_check(tool, arguments, &e);
  if (code == ERR_OK)
    code = pbjson_read(&message, tool->input, arguments, arena, NULL, &e);
  CU_ASSERT_EQUAL(code, ERR_OK);
  if (code != ERR_OK)
    printf("\n  %s: %s\n", tool->name, e.message);
}

static size_t check_object(const struct catalog_tool *tool, const cJSON *schema,
                           const struct step *up);

static size_t check_field(const struct catalog_tool *tool, const cJSON *field, struct step step)
{
  size_t found = 0;
  const cJSON *literal;
  cJSON_ArrayForEach(literal, cJSON_GetObjectItemCaseSensitive(field, "examples"))
  {
    expect_accepted(tool, &step, literal);
    found++;
  }
  literal = cJSON_GetObjectItemCaseSensitive(field, "default");
  if (literal != NULL) {
    expect_accepted(tool, &step, literal);
    found++;
  }
  const cJSON *items = cJSON_GetObjectItemCaseSensitive(field, "items");
  step.list = items != NULL;
  return found + check_object(tool, items != NULL ? items : field, &step);
}

static size_t check_object(const struct catalog_tool *tool, const cJSON *schema,
                           const struct step *up)
{
  size_t found = 0;
  const cJSON *field;
  cJSON_ArrayForEach(field, cJSON_GetObjectItemCaseSensitive(schema, "properties")) found +=
      check_field(tool, field, (struct step){up, schema, field->string, false});
  return found;
}

static void every_example_and_default_is_accepted(void)
{
  size_t found = 0;
  for (size_t i = 0; i < catalog_tools_len; i++) {
    AUTO_JSON cJSON *schema = cJSON_Parse(catalog_tools[i].input_schema);
    found += check_object(&catalog_tools[i], schema, NULL);
  }
  printf("\n  %zu examples and defaults ", found);
  CU_ASSERT_TRUE(found > 30);
}

static void every_default_of_the_rules_is_json(void)
{
  for (size_t i = 0; i < catalog_rules_len; i++) {
    const struct catalog_rule *rule = &catalog_rules[i];
    CU_ASSERT_PTR_NOT_NULL(
        protobuf_c_message_descriptor_get_field_by_name(rule->message, rule->field));
    if (rule->default_json == NULL)
      continue;
    AUTO_JSON cJSON *value = NULL;
    CU_ASSERT_EQUAL(json_parse(&value, rule->default_json, strlen(rule->default_json), NULL, NULL),
                    ERR_OK);
  }
}

TEST_MAIN("catalog examples", TEST(every_example_and_default_is_accepted),
          TEST(every_default_of_the_rules_is_json))
