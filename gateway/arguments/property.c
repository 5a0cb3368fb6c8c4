/* GA4 properties: "properties/213025502", "property/213025502", digits. */
#include <ctype.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "gateway/arguments/internal.h"
#include "gateway/arguments/text.h"

static bool is_digits(const char *s)
{
  size_t n = strspn(s, "0123456789");
  return n > 0 && n <= 18 && s[n] == '\0';
}

/* What follows "properties" or "property" and a mark; the text itself without them. */
static const char *after_word(const char *text)
{
  static const char *const words[] = {"properties", "property"};
  for (size_t i = 0; i < ARRAY_LEN(words); i++) {
    size_t len = strlen(words[i]);
    if (ascii_case_find(text, words[i]) == text && text[len] != '\0' &&
        strchr("/: #=", text[len]) != NULL)
      return text + len + strspn(text + len, "/: #=");
  }
  return text;
}

enum err_code property_repair(const struct repair *r, cJSON *value, const struct json_path *path)
{
  if (!cJSON_IsString(value))
    return ERR_OK;
  AUTO_FREE char *text = text_clean(value->valuestring);
  const char *digits = after_word(text);
  if (is_digits(digits)) {
    value_set_text(value, xstrdup(digits));
    return ERR_OK;
  }
  const char *what =
      ascii_case_find(text, "UA-") == text  ? "is a Universal Analytics id, which ended in 2023"
      : ascii_case_find(text, "G-") == text ? "is the measurement id of a data stream"
                                            : "is not a GA4 property";
  return json_path_error(r->e, ERR_INVALID_ARGUMENT, "bad_property", path,
                         "\"%s\" %s: give the digits of the property, such as 213025502, or "
                         "dealer_id instead (list_dealers names both)",
                         JSON_SHOWN(text), what);
}
