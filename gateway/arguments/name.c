/* Names of dimensions and metrics: GA4's in any spelling, Universal Analytics' by their meaning. */
#include <string.h>

#include "common/base/buf.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "gateway/arguments/arguments.h"
#include "gateway/arguments/ga4.h"
#include "gateway/arguments/internal.h"
#include "gateway/arguments/text.h"

static enum ga4_kind kind_of(enum catalog_meaning meaning)
{
  return meaning == CATALOG_DIMENSION || meaning == CATALOG_DIMENSION_FILTER ? GA4_DIMENSION
         : meaning == CATALOG_METRIC || meaning == CATALOG_METRIC_FILTER     ? GA4_METRIC
                                                                             : GA4_EITHER;
}

/* Whether a report is by page, so that its sessions are those in which each page was seen. */
static bool by_page(const cJSON *dimensions)
{
  static const char *const pages[] = {"pagePath",    "pagePathPlusQueryString",
                                      "pageTitle",   "pageLocation",
                                      "fullPageUrl", "unifiedPagePathScreen"};
  const cJSON *item;
  cJSON_ArrayForEach(item, dimensions)
  {
    const char *name = cJSON_IsString(item) ? ga4_find(GA4_DIMENSION, item->valuestring) : NULL;
    for (size_t i = 0; name != NULL && i < ARRAY_LEN(pages); i++) {
      if (strcmp(name, pages[i]) == 0)
        return true;
    }
  }
  return false;
}

/* "customevent:item_make" as "customEvent:item_make": what follows the colon is kept. NULL when the
 * text has no such prefix. */
static char *with_prefix(const char *text)
{
  static const char *const prefixes[] = {
      "customEvent:",         "customUser:",       "customItem:", "keyEvents:",
      "sessionKeyEventRate:", "userKeyEventRate:", "cohortSpec:"};
  if (strchr(text, ':') == NULL)
    return NULL;
  for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
    size_t len = strlen(prefixes[i]);
    if (ascii_case_find(text, prefixes[i]) == text && text[len] != '\0')
      return xasprintf("%s%s", prefixes[i], text + len + strspn(text + len, " "));
  }
  return NULL;
}

/* Up to three valid names that look like the text, behind `words`. */
static size_t put_nearest(struct buf *out, enum ga4_kind kind, const char *text, const char *words)
{
  struct nearest best = {0};
  size_t n;
  const struct ga4_field *fields = ga4_fields(kind == GA4_METRIC ? GA4_METRIC : GA4_DIMENSION, &n);
  for (size_t i = 0; i < n; i++)
    nearest_offer(&best, i, nearest_distance(text, fields[i].name));
  for (size_t i = 0; i < best.n; i++)
    buf_printf(out, "%s%s", i == 0 ? words : ", ", fields[best.item[i]].name);
  return best.n;
}

void arguments_put_closest(struct buf *out, const char *message)
{
  enum { NAME_MAX_BYTES = 100 };
  static const char before[] = "Field ", after[] = " is not a valid ";
  const char *name = strstr(message, before), *end = strstr(message, after);
  if (name == NULL || end == NULL || strstr(message, "Did you mean") != NULL)
    return;
  name += strlen(before);
  if (end <= name || end - name > NAME_MAX_BYTES)
    return;
  bool metric = strncmp(end + strlen(after), "metric", strlen("metric")) == 0;
  AUTO_FREE char *text = xasprintf("%.*s", (int)(end - name), name);
  if (ga4_find(metric ? GA4_METRIC : GA4_DIMENSION, text) != NULL)
    return; /* a field of other reports than this */
  if (put_nearest(out, metric ? GA4_METRIC : GA4_DIMENSION, text, " Closest names: ") > 0)
    buf_putc(out, '.');
}

static enum err_code no_equivalent(const struct repair *r, enum ga4_kind kind, const char *text,
                                   const char *hint, const struct json_path *path)
{
  AUTO_BUF struct buf nearest = BUF_INIT(200);
  put_nearest(&nearest, kind, ascii_case_find(text, "ga:") == text ? text + 3 : text,
              "; closest names: ");
  return json_path_error(r->e, ERR_INVALID_ARGUMENT, "universal_analytics", path,
                         "\"%s\" is a name of Universal Analytics that Google Analytics 4 has no "
                         "equivalent for%s%s%s",
                         JSON_SHOWN(text), hint != NULL ? ": " : "", hint != NULL ? hint : "",
                         buf_str(&nearest));
}

/* A name that begins with "ga:" or that Universal Analytics alone had. */
static enum err_code old_name(const struct repair *r, enum ga4_kind kind, cJSON *value,
                              const struct ga4_former *old, const char *text,
                              const cJSON *dimensions, const struct json_path *path)
{
  const char *field = old != NULL ? old->field : ga4_find(kind, text + 3);
  if (field == NULL || (old != NULL && old->per_page && !by_page(dimensions)))
    return no_equivalent(r, kind, text, old != NULL ? old->hint : NULL, path);
  arguments_note(r->notes, "%s read as %s", JSON_SHOWN(text), field);
  value_set_text(value, xstrdup(field));
  return ERR_OK;
}

enum err_code name_repair(const struct repair *r, enum catalog_meaning meaning, cJSON *value,
                          const cJSON *dimensions, const struct json_path *path)
{
  if (!cJSON_IsString(value))
    return ERR_OK;
  enum ga4_kind kind = kind_of(meaning);
  value_clean(value);
  const char *text = value->valuestring;
  if (r->defined != NULL && definitions_have(r->defined, text))
    return ERR_OK;
  char *prefixed_name = with_prefix(text);
  if (prefixed_name != NULL) {
    value_set_text(value, prefixed_name);
    return ERR_OK;
  }
  bool prefixed;
  const struct ga4_former *old = ua_find(kind, text, &prefixed);
  if (old != NULL || prefixed) {
    AUTO_FREE char *copy = xstrdup(text);
    return old_name(r, kind, value, old, copy, dimensions, path);
  }
  const char *name = strchr(text, ':') == NULL ? ga4_find(kind, text) : NULL;
  if (name != NULL && strcmp(name, text) != 0)
    value_set_text(value, xstrdup(name));
  return ERR_OK;
}
