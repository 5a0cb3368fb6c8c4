/* Arguments as the gateway reads them. */
#include "tests/unit/gateway/arguments/reading.h"

#include <string.h>

#include "common/base/json.h"
#include "common/pbjson/pbjson.h"
#include "tests/unit/harness.h"

enum { ARENA_MAX = 1 << 22, REQUEST_MAX = 1 << 20 };

static void read_message(struct reading *out, const struct catalog_tool *tool, cJSON *json)
{
  static const struct arguments_day today = {READING_TODAY, "UTC"};
  CLEANUP(arena_cleanup) struct arena *arena = arena_new(ARENA_MAX);
  ProtobufCMessage *message = NULL;
  out->code = arguments_repair(tool, json, today, &out->notes, &out->e);
  if (out->code == ERR_OK)
    out->code = catalog_check(tool, json, &out->e);
  if (out->code == ERR_OK)
    out->code = pbjson_read(&message, tool->input, json, arena, NULL, &out->e);
  if (out->code == ERR_OK)
    out->code = pbjson_write(&out->request, message, NULL, &out->e);
}

void reading_make(struct reading *out, const char *tool, const char *arguments)
{
  static const struct json_limits limits = {.max_depth = 200};
  *out = (struct reading){.request = BUF_INIT(REQUEST_MAX)};
  const struct catalog_tool *t = catalog_find(tool);
  AUTO_JSON cJSON *json = NULL;
  CU_ASSERT_PTR_NOT_NULL_FATAL(t);
  out->code = json_parse(&json, arguments, strlen(arguments), &limits, &out->e);
  if (out->code != ERR_OK)
    printf("\n  %s: %s\n", arguments, out->e.message);
  CU_ASSERT_EQUAL_FATAL(out->code, ERR_OK);
  read_message(out, t, json);
}

void reading_free(struct reading *r)
{
  buf_free(&r->request);
}
