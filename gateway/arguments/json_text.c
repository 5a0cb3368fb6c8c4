/* JSON that was sent as text. */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/arguments/internal.h"
#include "gateway/arguments/text.h"

enum { TEXT_DEPTH = 100 };

/* ['a', 'b'] as ["a", "b"]; NULL when there are other quotes or escapes, whose reading is open. */
static char *double_quotes(const char *text)
{
  if (text[0] != '[' || strpbrk(text, "\"\\{") != NULL)
    return NULL;
  char *out = xstrdup(text);
  for (char *c = strchr(out, '\''); c != NULL; c = strchr(c, '\''))
    *c = '"';
  return out;
}

bool json_text_repair(cJSON *value)
{
  static const struct json_limits limits = {.max_depth = TEXT_DEPTH};
  const char *text = value->valuestring + strspn(value->valuestring, " \t\r\n");
  if (*text != '[' && *text != '{')
    return false;
  cJSON *parsed = NULL;
  if (json_parse(&parsed, text, strlen(text), &limits, NULL) != ERR_OK) {
    AUTO_FREE char *quoted = double_quotes(text);
    if (quoted == NULL || json_parse(&parsed, quoted, strlen(quoted), &limits, NULL) != ERR_OK)
      return false;
  }
  value_become(value, parsed);
  return true;
}
