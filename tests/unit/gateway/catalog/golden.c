/* Golden files, and the rules every schema keeps to. */
#include "tests/unit/gateway/catalog/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

enum { FILE_BYTES = 4 << 20 };

static void close_file(FILE **f)
{
  if (*f != NULL)
    fclose(*f);
}

static cJSON *parse(const char *text)
{
  cJSON *json = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(json_parse(&json, text, strlen(text), NULL, &e), ERR_OK);
  return json;
}

static cJSON *tool_json(const struct catalog_tool *tool)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "name", tool->name);
  cJSON_AddStringToObject(json, "title", tool->title);
  cJSON_AddStringToObject(json, "description", tool->description);
  cJSON_AddItemToObject(json, "inputSchema", parse(tool->input_schema));
  cJSON *hints = cJSON_AddObjectToObject(json, "hints");
  cJSON_AddBoolToObject(hints, "read_only", tool->read_only);
  cJSON_AddBoolToObject(hints, "idempotent", tool->idempotent);
  cJSON_AddBoolToObject(hints, "destructive", tool->destructive);
  cJSON_AddBoolToObject(hints, "open_world", tool->open_world);
  cJSON *rpc = cJSON_AddObjectToObject(json, "rpc");
  cJSON_AddStringToObject(rpc, "service", tool->service->name);
  cJSON_AddStringToObject(rpc, "method", tool->method);
  cJSON_AddBoolToObject(rpc, "streaming", tool->streaming);
  cJSON_AddNumberToObject(rpc, "timeout_ms", tool->timeout_ms);
  cJSON_AddNumberToObject(rpc, "max_text_bytes", tool->max_text_bytes);
  cJSON_AddStringToObject(rpc, "input", tool->input->name);
  cJSON_AddStringToObject(rpc, "response", tool->response->name);
  cJSON_AddStringToObject(rpc, "output", tool->output->name);
  return json;
}

static void write_golden(const char *path, const char *text)
{
  CLEANUP(close_file) FILE *f = fopen(path, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fprintf(f, "%s\n", text);
}

static void read_golden(struct buf *out, const char *path)
{
  char chunk[4096];
  CLEANUP(close_file) FILE *f = fopen(path, "r");
  while (f != NULL) {
    size_t n = fread(chunk, 1, sizeof(chunk), f);
    if (n == 0)
      return;
    buf_append(out, chunk, n);
  }
}

/* Prints the first line in which two texts differ. */
static void show_difference(const char *path, const char *golden, const char *now)
{
  size_t line = 1;
  size_t start = 0;
  size_t i = 0;
  for (; golden[i] != '\0' && golden[i] == now[i]; i++) {
    if (golden[i] == '\n') {
      line++;
      start = i + 1;
    }
  }
  printf("\n  %s:%zu differs\n  golden %.*s\n  now    %.*s\n  (UPDATE_GOLDEN=1 accepts it)\n", path,
         line, (int)strcspn(golden + start, "\n"), golden + start, (int)strcspn(now + start, "\n"),
         now + start);
}

void golden_check(const struct catalog_tool *tool)
{
  AUTO_FREE char *path = xasprintf("%s/%s.json", GOLDEN_DIR, tool->name);
  AUTO_JSON cJSON *json = tool_json(tool);
  AUTO_FREE char *printed = cJSON_Print(json);
  AUTO_FREE char *now = xasprintf("%s\n", printed);
  const char *update = getenv("UPDATE_GOLDEN");
  if (update != NULL && strcmp(update, "1") == 0)
    write_golden(path, printed);
  AUTO_BUF struct buf golden = BUF_INIT(FILE_BYTES);
  read_golden(&golden, path);
  bool same = strcmp(buf_str(&golden), now) == 0;
  CU_ASSERT_TRUE(same);
  if (!same)
    show_difference(path, buf_str(&golden), now);
}

static void check_keyword(const cJSON *item)
{
  static const char *const refused[] = {
      "$ref",  "$schema",          "$defs",    "oneOf",           "anyOf", "allOf", "not", "if",
      "const", "exclusiveMinimum", "nullable", "exclusiveMaximum"};
  for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
    CU_ASSERT_STRING_NOT_EQUAL(item->string, refused[i]);
  }
}

static void check_node(const cJSON *schema);

static void check_object(const cJSON *schema)
{
  const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
  const cJSON *extra = cJSON_GetObjectItemCaseSensitive(schema, "additionalProperties");
  const cJSON *item;
  if (properties != NULL) {
    CU_ASSERT_TRUE(cJSON_IsObject(properties));
    CU_ASSERT_TRUE(cJSON_IsFalse(extra));
  } else if (extra != NULL) {
    check_node(extra);
  }
  cJSON_ArrayForEach(item, properties) check_node(item);
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(schema, "required"))
  {
    CU_ASSERT_PTR_NOT_NULL(cJSON_GetObjectItemCaseSensitive(properties, item->valuestring));
  }
}

static void check_node(const cJSON *schema)
{
  const cJSON *item;
  CU_ASSERT_TRUE_FATAL(cJSON_IsObject(schema));
  cJSON_ArrayForEach(item, schema) check_keyword(item);
  const char *type = json_get_string(schema, "type");
  if (type == NULL)
    return; /* google.protobuf.Value: any JSON */
  const cJSON *items = cJSON_GetObjectItemCaseSensitive(schema, "items");
  const cJSON *names = cJSON_GetObjectItemCaseSensitive(schema, "enum");
  CU_ASSERT_TRUE(names == NULL || cJSON_GetArraySize(names) > 0);
  if (strcmp(type, "object") == 0)
    check_object(schema);
  else if (items != NULL)
    check_node(items);
  CU_ASSERT_TRUE((items != NULL) <= (strcmp(type, "array") == 0));
}

/* Whether null occurs as a value anywhere. */
static bool has_null(const cJSON *value)
{
  const cJSON *item;
  if (cJSON_IsNull(value))
    return true;
  cJSON_ArrayForEach(item, value)
  {
    if (has_null(item))
      return true;
  }
  return false;
}

void golden_check_schema(const char *text)
{
  AUTO_JSON cJSON *schema = parse(text);
  const char *type = json_get_string(schema, "type");
  CU_ASSERT_PTR_NOT_NULL_FATAL(type);
  CU_ASSERT_STRING_EQUAL(type, "object");
  CU_ASSERT_TRUE(cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(schema, "properties")));
  CU_ASSERT_FALSE(has_null(schema));
  check_node(schema);
}
