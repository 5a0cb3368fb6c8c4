/* Fuzz target of the gateway's reading of arguments: what is taken once is taken again unchanged,
 * as the same request, and what is refused says why. */
#include "common/base/json.h"
#include "common/pbjson/pbjson.h"
#include "gateway/arguments/arguments.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_MAX = 1 << 20, TEXT_MAX = 4 << 20, TODAY = 20787 };

static enum err_code read_request(const struct catalog_tool *tool, cJSON *arguments,
                                  struct buf *request, struct err *e)
{
  static const struct arguments_day today = {TODAY, "UTC"};
  struct arguments_notes notes = {0};
  struct arena *arena = arena_new(ARENA_MAX);
  ProtobufCMessage *message = NULL;
  enum err_code code = arguments_repair(tool, arguments, today, &notes, e);
  if (code == ERR_OK)
    code = catalog_check(tool, arguments, e);
  if (code == ERR_OK)
    code = pbjson_read(&message, tool->input, arguments, arena, NULL, e);
  if (code == ERR_OK)
    code = pbjson_write(request, message, NULL, e);
  FUZZ_MUST(notes.n <= ARGUMENTS_NOTES_MAX);
  arena_free(arena);
  return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  const struct catalog_tool *tool = &catalog_tools[fuzz_byte(&in) % catalog_tools_len];
  AUTO_FREE char *text = fuzz_rest(&in);
  AUTO_BUF struct buf first = BUF_INIT(TEXT_MAX);
  AUTO_BUF struct buf second = BUF_INIT(TEXT_MAX);
  AUTO_JSON cJSON *arguments = NULL;
  struct err e = {0};
  if (json_parse(&arguments, text, in.len, NULL, &e) != ERR_OK || !cJSON_IsObject(arguments))
    return 0;
  if (read_request(tool, arguments, &first, &e) != ERR_OK) {
    FUZZ_MUST(e.message[0] != '\0');
    return 0;
  }
  FUZZ_MUST(read_request(tool, arguments, &second, &e) == ERR_OK);
  FUZZ_MUST(first.len == second.len && memcmp(buf_str(&first), buf_str(&second), first.len) == 0);
  return 0;
}
