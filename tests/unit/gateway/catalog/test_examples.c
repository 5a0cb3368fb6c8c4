/* Every example and default of the options is accepted at its place by the rules and the reader. */
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

/* A message on the way from the request to a field, and the field taken there. */
struct step {
  const struct step *up;
  const ProtobufCMessageDescriptor *message;
  const ProtobufCFieldDescriptor *field;
};

/* An object with the value as its member, and an example for every other required one. */
static cJSON *object_with(const struct step *step, cJSON *value)
{
  cJSON *object = cJSON_CreateObject();
  cJSON_AddItemToObject(object, step->field->name, value);
  for (size_t i = 0; i < catalog_rules_len; i++) {
    const struct catalog_rule *rule = &catalog_rules[i];
    if (rule->message != step->message || !rule->required ||
        cJSON_HasObjectItem(object, rule->field))
      continue;
    CU_ASSERT_TRUE_FATAL(rule->n_examples > 0);
    cJSON_AddItemToObject(object, rule->field, cJSON_Parse(rule->examples_json[0]));
  }
  return object;
}

static void expect_accepted(const struct catalog_tool *tool, const struct step *step,
                            const char *literal)
{
  cJSON *value = cJSON_Parse(literal);
  for (const struct step *at = step; at != NULL; at = at->up) {
    if (at != step && at->field->label == PROTOBUF_C_LABEL_REPEATED) {
      cJSON *list = cJSON_CreateArray();
      cJSON_AddItemToArray(list, value);
      value = list;
    }
    value = object_with(at, value);
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

static bool is_on_path(const struct step *step, const ProtobufCMessageDescriptor *message)
{
  for (; step != NULL; step = step->up) {
    if (step->message == message)
      return true;
  }
  return false;
}

/* Goes into every message once on a path. */
static size_t check_message(const struct catalog_tool *tool, const ProtobufCMessageDescriptor *type,
                            const struct step *up)
{
  size_t found = 0;
  for (unsigned i = 0; i < type->n_fields; i++) {
    const struct step step = {up, type, &type->fields[i]};
    const struct catalog_rule *rule = catalog_rule_of(type, type->fields[i].name);
    for (size_t k = 0; rule != NULL && k < rule->n_examples; k++, found++)
      expect_accepted(tool, &step, rule->examples_json[k]);
    if (rule != NULL && rule->default_json != NULL) {
      expect_accepted(tool, &step, rule->default_json);
      found++;
    }
    if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE &&
        !is_on_path(&step, type->fields[i].descriptor))
      found += check_message(tool, type->fields[i].descriptor, &step);
  }
  return found;
}

static void every_example_and_default_is_accepted(void)
{
  size_t found = 0;
  for (size_t i = 0; i < catalog_tools_len; i++)
    found += check_message(&catalog_tools[i], catalog_tools[i].input, NULL);
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

/* The call behind a resource is one that the tool takes; prompts name tools that exist. */
static void resources_and_prompts_fit_their_tools(void)
{
  CU_ASSERT_TRUE(catalog_resources_len >= 3);
  CU_ASSERT_TRUE(catalog_prompts_len >= 3);
  for (size_t i = 0; i < catalog_resources_len; i++) {
    const struct catalog_resource *r = &catalog_resources[i];
    const struct catalog_tool *tool = &catalog_tools[r->tool];
    AUTO_JSON cJSON *arguments = cJSON_Parse(r->arguments_json);
    CLEANUP(free_arena) struct arena *arena = arena_new(1 << 20);
    ProtobufCMessage *message = NULL;
    CU_ASSERT_TRUE(tool->read_only);
    CU_ASSERT_EQUAL(catalog_check(tool, arguments, NULL), ERR_OK);
    CU_ASSERT_EQUAL(pbjson_read(&message, tool->input, arguments, arena, NULL, NULL), ERR_OK);
  }
  for (size_t i = 0; i < catalog_prompts_len; i++) {
    const struct catalog_prompt *p = &catalog_prompts[i];
    CU_ASSERT_PTR_NOT_NULL(strstr(p->text, catalog_tools[p->tool].name));
    CU_ASSERT_TRUE(p->tool < catalog_tools_len);
  }
}

/* Whether a list of the answer has rows with such a column. */
static bool has_column(const ProtobufCMessageDescriptor *answer, const char *column)
{
  for (unsigned i = 0; i < answer->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &answer->fields[i];
    if (field->label == PROTOBUF_C_LABEL_REPEATED && field->type == PROTOBUF_C_TYPE_MESSAGE &&
        protobuf_c_message_descriptor_get_field_by_name(field->descriptor, column) != NULL)
      return true;
  }
  return false;
}

static void completions_fit_their_tools(void)
{
  CU_ASSERT_TRUE(catalog_completions_len >= 5);
  for (size_t i = 0; i < catalog_completions_len; i++) {
    const struct catalog_completion *c = &catalog_completions[i];
    const struct catalog_tool *tool = &catalog_tools[c->tool];
    AUTO_JSON cJSON *arguments = cJSON_Parse(c->arguments_json);
    CLEANUP(free_arena) struct arena *arena = arena_new(1 << 20);
    ProtobufCMessage *message = NULL;
    CU_ASSERT_TRUE(tool->read_only);
    CU_ASSERT_TRUE(has_column(tool->output, c->column));
    CU_ASSERT_EQUAL(catalog_check(tool, arguments, NULL), ERR_OK);
    CU_ASSERT_EQUAL(pbjson_read(&message, tool->input, arguments, arena, NULL, NULL), ERR_OK);
  }
}

TEST_MAIN("catalog examples", TEST(resources_and_prompts_fit_their_tools),
          TEST(completions_fit_their_tools), TEST(every_example_and_default_is_accepted),
          TEST(every_default_of_the_rules_is_json))
