/* Texts with places to fill in. */
#include "gateway/mcp/template.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { VALUE_MAX = 512 };

/* The length of the place that begins at s; 0 when none does. */
static size_t place_at(const char *s)
{
  size_t len = *s == '{' ? strcspn(s, "}") : 0;
  return len > 1 && s[len] == '}' ? len + 1 : 0;
}

bool mcp_template_has(const char *template, const char *name)
{
  for (const char *s = strchr(template, '{'); s != NULL; s = strchr(s + 1, '{')) {
    size_t len = place_at(s);
    if (len > 0 &&
        (name == NULL || (strlen(name) == len - 2 && strncmp(s + 1, name, len - 2) == 0)))
      return true;
  }
  return false;
}

static bool decode(struct buf *out, const char *s, size_t len)
{
  for (size_t i = 0; i < len; i++) {
    bool coded = s[i] == '%';
    if (!coded)
      buf_putc(out, s[i]);
    else if (len - i < 3 || !hex_decode(out, s + i + 1, 2))
      return false;
    i += coded ? 2 : 0;
  }
  return !out->failed && out->len > 0 && utf8_valid(buf_str(out), out->len) &&
         memchr(buf_str(out), '\0', out->len) == NULL;
}

/* Takes the value of the place at *template from *uri: up to what follows the place. */
static bool take(cJSON *values, const char **template, const char **uri, size_t place)
{
  char stop[] = {'/', (*template)[place], '\0'};
  size_t len = strcspn(*uri, stop);
  AUTO_FREE char *name = xstrndup(*template + 1, place - 2);
  struct buf value AUTO_BUF = BUF_INIT(VALUE_MAX);
  if (!decode(&value, *uri, len))
    return false;
  *template += place;
  *uri += len;
  return cJSON_AddStringToObject(values, name, buf_str(&value)) != NULL;
}

cJSON *mcp_template_match(const char *template, const char *uri)
{
  cJSON *values = cJSON_CreateObject();
  bool fits = values != NULL;
  while (fits && *template != '\0') {
    size_t place = place_at(template);
    fits = place > 0 ? take(values, &template, &uri, place) : *template ++ == *uri++;
  }
  if (fits && *uri == '\0')
    return values;
  cJSON_Delete(values);
  return NULL;
}

/* NULL: stays as it is. */
static const char *value_for(const cJSON *member, const cJSON *values, bool *missing)
{
  const char *text = cJSON_GetStringValue(member);
  size_t place = text != NULL ? place_at(text) : 0;
  if (place == 0 || text[place] != '\0')
    return NULL;
  AUTO_FREE char *name = xstrndup(text + 1, place - 2);
  const char *value = json_get_string(values, name);
  *missing |= value == NULL;
  return value;
}

cJSON *mcp_template_arguments(const char *json, const cJSON *values)
{
  cJSON *arguments = NULL, *member;
  bool missing = json_parse(&arguments, json, strlen(json), NULL, NULL) != ERR_OK;
  cJSON_ArrayForEach(member, arguments)
  {
    const char *value = value_for(member, values, &missing);
    missing |= value != NULL && cJSON_SetValuestring(member, value) == NULL;
  }
  if (!missing)
    return arguments;
  cJSON_Delete(arguments);
  return NULL;
}
