/* The catalogue of the real tools: golden files, and what every client needs. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/catalog/catalog.h"
#include "tests/unit/gateway/catalog/golden.h"
#include "tests/unit/harness.h"

enum { RUN_REPORT_BYTES = 12000 };

static void tools_look_as_the_golden_files_say(void)
{
  for (size_t i = 0; i < catalog_tools_len; i++)
    golden_check(&catalog_tools[i]);
}

static void the_tools_of_the_project_are_there_and_sorted(void)
{
  static const char *const names[] = {
      "compare_dealer_sessions",  "get_account_summaries", "get_custom_dimensions_and_metrics",
      "get_property_details",     "list_dealers",          "run_report",
      "run_report_across_dealers"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    const struct catalog_tool *tool = catalog_find(names[i]);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tool);
    CU_ASSERT_STRING_EQUAL(tool->name, names[i]);
  }
  for (size_t i = 1; i < catalog_tools_len; i++)
    CU_ASSERT_TRUE(strcmp(catalog_tools[i - 1].name, catalog_tools[i].name) < 0);
  CU_ASSERT_PTR_NULL(catalog_find("run_repor"));
  CU_ASSERT_PTR_NULL(catalog_find(""));
}

static void every_tool_is_named_and_described(void)
{
  for (size_t i = 0; i < catalog_tools_len; i++) {
    const struct catalog_tool *tool = &catalog_tools[i];
    size_t len = strlen(tool->name);
    CU_ASSERT_TRUE(len > 0 && len <= 40);
    CU_ASSERT_EQUAL(strspn(tool->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), len);
    CU_ASSERT_TRUE(strlen(tool->title) > 0);
    CU_ASSERT_TRUE(strlen(tool->description) > 40);
    CU_ASSERT_PTR_NULL(strstr(tool->description, "\n\n\n"));
  }
}

static void schemas_hold_nothing_a_client_refuses(void)
{
  for (size_t i = 0; i < catalog_tools_len; i++) {
    golden_check_schema(catalog_tools[i].input_schema, true);
  }
}

static void the_binding_names_an_rpc_that_exists(void)
{
  for (size_t i = 0; i < catalog_tools_len; i++) {
    const struct catalog_tool *tool = &catalog_tools[i];
    const ProtobufCMethodDescriptor *method =
        protobuf_c_service_descriptor_get_method_by_name(tool->service, tool->method);
    CU_ASSERT_PTR_NOT_NULL_FATAL(method);
    CU_ASSERT_PTR_EQUAL(method->input, tool->input);
    CU_ASSERT_PTR_EQUAL(method->output, tool->response);
    const ProtobufCFieldDescriptor *result =
        protobuf_c_message_descriptor_get_field_by_name(tool->response, "result");
    CU_ASSERT_PTR_EQUAL(tool->output, tool->streaming ? result->descriptor : tool->response);
  }
}

static const cJSON *at(const cJSON *schema, const char *path)
{
  char copy[200];
  snprintf(copy, sizeof(copy), "%s", path);
  char *rest = copy;
  for (char *key = strsep(&rest, "."); key != NULL; key = strsep(&rest, "."))
    schema = cJSON_GetObjectItemCaseSensitive(schema, key);
  return schema;
}

/* Three levels; the innermost has only a filter. */
static void filters_are_unrolled_three_levels(void)
{
  AUTO_JSON cJSON *schema = cJSON_Parse(catalog_find("run_report")->input_schema);
  const cJSON *level = at(schema, "properties.dimension_filter");
  for (int i = 1; i <= 3; i++) {
    CU_ASSERT_PTR_NOT_NULL_FATAL(level);
    CU_ASSERT_PTR_NOT_NULL(at(level, "properties.filter"));
    CU_ASSERT_EQUAL(at(level, "properties.and_group") != NULL, i < 3);
    CU_ASSERT_EQUAL(at(level, "properties.not_expression") != NULL, i < 3);
    level = at(level, "properties.and_group.properties.expressions.items");
  }
  CU_ASSERT_PTR_NOT_NULL(at(schema, "properties.dimension_filter.properties.filter.properties."
                                    "string_filter.properties.match_type.enum"));
}

static void sixty_four_bits_are_numbers(void)
{
  AUTO_JSON cJSON *input = cJSON_Parse(catalog_find("run_report")->input_schema);
  CU_ASSERT_STRING_EQUAL(at(input, "properties.limit.type")->valuestring, "integer");
}

static void the_list_of_tools_stays_small(void)
{
  size_t total = 0;
  for (size_t i = 0; i < catalog_tools_len; i++) {
    const struct catalog_tool *t = &catalog_tools[i];
    size_t description = strlen(t->description);
    size_t input = strlen(t->input_schema);
    printf("\n  %-28s description %5zu  input %6zu bytes", t->name, description, input);
    total += description + input;
  }
  printf("\n  tools/list about %zu bytes ", total);
  CU_ASSERT_TRUE(strlen(catalog_find("run_report")->input_schema) < RUN_REPORT_BYTES);
}

TEST_MAIN("catalog schemas", TEST(tools_look_as_the_golden_files_say),
          TEST(the_tools_of_the_project_are_there_and_sorted),
          TEST(every_tool_is_named_and_described), TEST(schemas_hold_nothing_a_client_refuses),
          TEST(the_binding_names_an_rpc_that_exists), TEST(filters_are_unrolled_three_levels),
          TEST(sixty_four_bits_are_numbers), TEST(the_list_of_tools_stays_small))
