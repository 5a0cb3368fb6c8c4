/* The catalogue of the real tools: golden files, and what every client needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/catalog/catalog.h"
#include "tests/unit/gateway/catalog/golden.h"
#include "tests/unit/harness.h"

/* 1.2 kB for a tool in the median, and 30 kB for the list of 25 tools with JSON's own names and
 * quotes; a little is kept free. */
enum { REPORT_BYTES = 5000, TOOL_BYTES = 1200, LIST_BYTES = 30000, SPARE = 300, LIST_TOOLS = 25 };

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
    golden_check_schema(catalog_tools[i].input_schema);
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

/* A list of conditions with all their members, and how they are joined; of metrics some tools show
 * a single condition, and take more. */
static void filters_are_compact_and_complete(void)
{
  static const struct {
    const char *tool, *having;
  } tools[] = {{"run_report", "properties.metric_filter.properties.conditions.items.properties"},
               {"run_report_across_dealers", "properties.metric_filter.properties"},
               {"run_realtime_report", "properties.metric_filter.properties"},
               {"run_conversions_report", "properties.metric_filter.properties"}};
  for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
    AUTO_JSON cJSON *schema = cJSON_Parse(catalog_find(tools[i].tool)->input_schema);
    const cJSON *filter = at(schema, "properties.dimension_filter.properties");
    const cJSON *where = at(filter, "conditions.items.properties");
    const cJSON *having = at(schema, tools[i].having);
    CU_ASSERT_EQUAL(cJSON_GetArraySize(at(filter, "join.enum")), 2);
    CU_ASSERT_STRING_EQUAL(json_get_string(at(where, "field"), "type"), "string");
    CU_ASSERT_STRING_EQUAL(json_get_string(at(where, "values.items"), "type"), "string");
    CU_ASSERT_STRING_EQUAL(json_get_string(at(having, "values.items"), "type"), "number");
    CU_ASSERT_STRING_EQUAL(json_get_string(at(where, "not"), "type"), "boolean");
    CU_ASSERT_STRING_EQUAL(json_get_string(at(where, "case_sensitive"), "type"), "boolean");
    CU_ASSERT_EQUAL(cJSON_GetArraySize(at(where, "match.enum")), 7);
    CU_ASSERT_EQUAL(cJSON_GetArraySize(at(having, "match.enum")), 6);
  }
}

/* What Gemini, LibreChat and the strict mode of OpenAI take beside these is not the same. */
static void check_keywords(const cJSON *schema)
{
  static const char *const taken[] = {"type",
                                      "description",
                                      "properties",
                                      "required",
                                      "items",
                                      "enum",
                                      "minimum",
                                      "maximum",
                                      "minItems",
                                      "maxItems",
                                      "additionalProperties"};
  const cJSON *item;
  cJSON_ArrayForEach(item, schema)
  {
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
      known |= strcmp(item->string, taken[i]) == 0;
    CU_ASSERT_TRUE(known);
  }
  CU_ASSERT_TRUE(cJSON_IsString(at(schema, "type")));
  if (strcmp(json_get_string(schema, "type"), "object") == 0)
    CU_ASSERT_TRUE(cJSON_GetArraySize(at(schema, "properties")) > 0);
  cJSON_ArrayForEach(item, at(schema, "properties")) check_keywords(item);
  if (at(schema, "items") != NULL)
    check_keywords(at(schema, "items"));
}

static void every_object_has_properties_and_every_keyword_is_taken_by_all_models(void)
{
  for (size_t i = 0; i < catalog_tools_len; i++) {
    AUTO_JSON cJSON *schema = cJSON_Parse(catalog_tools[i].input_schema);
    check_keywords(schema);
  }
}

static int compare_sizes(const void *a, const void *b)
{
  return *(const size_t *)a < *(const size_t *)b ? -1 : *(const size_t *)a > *(const size_t *)b;
}

static void sixty_four_bits_are_numbers(void)
{
  AUTO_JSON cJSON *input = cJSON_Parse(catalog_find("run_report")->input_schema);
  CU_ASSERT_STRING_EQUAL(at(input, "properties.limit.type")->valuestring, "integer");
}

static void what_is_unlisted_is_not_in_the_schema(void)
{
  AUTO_JSON cJSON *input = cJSON_Parse(catalog_find("run_report_across_dealers")->input_schema);
  CU_ASSERT_PTR_NOT_NULL(at(input, "properties.order_bys"));
  CU_ASSERT_PTR_NULL(at(input, "properties.metric_aggregations"));
  CU_ASSERT_PTR_NULL(at(input, "properties.return_property_quota"));
}

static size_t listed_bytes(const struct catalog_tool *t)
{
  AUTO_JSON cJSON *tool = cJSON_CreateObject();
  cJSON_AddStringToObject(tool, "name", t->name);
  cJSON_AddStringToObject(tool, "description", t->description);
  cJSON_AddRawToObject(tool, "inputSchema", t->input_schema);
  AUTO_FREE char *text = cJSON_PrintUnformatted(tool);
  return strlen(text);
}

/* What a model reads of a tool with every question: its name, description and arguments. Tools for
 * people who know the API are listed only where they are asked for. */
static void the_list_of_tools_stays_small(void)
{
  size_t total = 0, listed = 0;
  AUTO_FREE size_t *sizes = xcalloc(catalog_tools_len, sizeof(*sizes));
  for (size_t i = 0; i < catalog_tools_len; i++) {
    const struct catalog_tool *t = &catalog_tools[i];
    sizes[i] = listed_bytes(t);
    printf("\n  %-36s description %5zu  input %6zu bytes", t->name, strlen(t->description),
           strlen(t->input_schema));
    bool is_listed = t->toolset != CATALOG_ADVANCED && t->toolset != CATALOG_OPERATIONS;
    bool is_report = strncmp(t->name, "run_", 4) == 0;
    total += is_listed ? sizes[i] : 0;
    listed += is_listed;
    CU_ASSERT_TRUE(!is_report || sizes[i] <= REPORT_BYTES);
  }
  qsort(sizes, catalog_tools_len, sizeof(*sizes), compare_sizes);
  size_t median = (sizes[(catalog_tools_len - 1) / 2] + sizes[catalog_tools_len / 2]) / 2;
  printf("\n  tools/list %zu bytes for %zu tools, median %zu ", total, listed, median);
  CU_ASSERT_TRUE(median <= TOOL_BYTES);
  CU_ASSERT_TRUE(total + SPARE <= LIST_BYTES);
  CU_ASSERT_TRUE(listed <= LIST_TOOLS);
}

static void toolsets_are_chosen_by_name(void)
{
  static const struct {
    const char *text;
    unsigned sets;
  } cases[] = {{NULL, 0x1f},
               {"", 0x1f},
               {"all", 0x7f},
               {"benchmarks", 0x03},
               {" Reports , ADMIN,", 0x19},
               {"advanced", 0x21},
               {"operations", 0x41}};
  struct err e = {0};
  unsigned sets = 0;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    CU_ASSERT_EQUAL(catalog_toolsets_read(&sets, cases[i].text, &e), ERR_OK);
    CU_ASSERT_EQUAL(sets, cases[i].sets);
  }
  CU_ASSERT_EQUAL(catalog_toolsets_read(&sets, "reports,report", &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "\"report\" is not a toolset"));
  CU_ASSERT_EQUAL(catalog_find("list_dealers")->toolset, CATALOG_ALWAYS);
  CU_ASSERT_EQUAL(catalog_find("run_report")->toolset, CATALOG_REPORTS);
  CU_ASSERT_EQUAL(catalog_find("compare_dealer_sessions")->toolset, CATALOG_BENCHMARKS);
}

TEST_MAIN("catalog schemas", TEST(tools_look_as_the_golden_files_say),
          TEST(the_tools_of_the_project_are_there_and_sorted),
          TEST(every_tool_is_named_and_described), TEST(schemas_hold_nothing_a_client_refuses),
          TEST(the_binding_names_an_rpc_that_exists), TEST(filters_are_compact_and_complete),
          TEST(every_object_has_properties_and_every_keyword_is_taken_by_all_models),
          TEST(sixty_four_bits_are_numbers), TEST(what_is_unlisted_is_not_in_the_schema),
          TEST(the_list_of_tools_stays_small), TEST(toolsets_are_chosen_by_name))
