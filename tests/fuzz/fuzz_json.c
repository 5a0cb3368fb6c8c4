/* Fuzz target of checked JSON: what is accepted is well-formed by the strict rules, and stays the
 * same value when written and read again. */
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/json_check.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  AUTO_JSON cJSON *value = NULL;
  AUTO_JSON cJSON *again = NULL;
  struct err e = {0};
  struct json_limits limits = {.max_depth = 20};
  struct fuzz_input in = {data, size};
  AUTO_FREE char *text = fuzz_rest(&in);
  if (json_parse(&value, text, size, &limits, &e) != ERR_OK) {
    FUZZ_MUST(value == NULL && e.message[0] != '\0');
    return 0;
  }
  FUZZ_MUST(utf8_valid(text, size) && memchr(text, '\0', size) == NULL);
  json_line_of(text, size, "dealers[1].oauth.client_id");
  AUTO_FREE char *written = cJSON_PrintUnformatted(value);
  FUZZ_MUST(json_parse(&again, written, strlen(written), &limits, &e) == ERR_OK);
  FUZZ_MUST(cJSON_Compare(value, again, true));
  return 0;
}
