/* Checked parsing of control JSON with cJSON, and small readers. */
#include "common/base/json.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json_check.h"
#include "common/base/mem.h"

/* Line and column (from 1) of an offset. */
static void position(const char *text, size_t offset, size_t *line, size_t *column)
{
  *line = 1;
  size_t start = 0;
  for (size_t i = 0; i < offset; i++) {
    if (text[i] == '\n') {
      (*line)++;
      start = i + 1;
    }
  }
  *column = offset - start + 1;
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Up to so many members are compared in pairs. */
enum { PAIRS_MAX = 12 };

/* Name that occurs twice among the members; NULL when none does. */
static const char *repeated_name(const cJSON *object)
{
  size_t n = (size_t)cJSON_GetArraySize(object);
  if (n <= PAIRS_MAX) {
    for (const cJSON *a = object->child; a != NULL; a = a->next)
      for (const cJSON *b = a->next; b != NULL; b = b->next)
        if (strcmp(a->string, b->string) == 0)
          return a->string;
    return NULL;
  }
  const char **names AUTO_FREE = xcalloc(n, sizeof(*names));
  size_t i = 0;
  const cJSON *member;
  cJSON_ArrayForEach(member, object) names[i++] = member->string;
  qsort(names, n, sizeof(*names), by_name);
  for (i = 1; i < n; i++)
    if (strcmp(names[i - 1], names[i]) == 0)
      return names[i];
  return NULL;
}

/* Whether any object of the tree (its depth is bounded already) has a name twice. */
static bool has_repeated(const cJSON *node)
{
  if (cJSON_IsObject(node) && repeated_name(node) != NULL)
    return true;
  for (const cJSON *child = node->child; child != NULL; child = child->next)
    if (child->child != NULL && has_repeated(child))
      return true;
  return false;
}

/* Looks through the tree for a repeated name; path ends as that of its object. */
static const char *find_repeated(const cJSON *node, struct buf *path)
{
  const char *name = cJSON_IsObject(node) ? repeated_name(node) : NULL;
  size_t index = 0, len = path->len;
  for (const cJSON *child = node->child; name == NULL && child != NULL; child = child->next) {
    path->len = len;
    if (child->child != NULL && cJSON_IsArray(node))
      buf_printf(path, "[%zu]", index);
    else if (child->child != NULL)
      buf_printf(path, "%s%s", len > 0 ? "." : "", child->string);
    index++;
    name = find_repeated(child, path);
  }
  return name;
}

/* ERR_OK when no object has a name twice. */
static enum err_code check_repeated(const cJSON *tree, const char *text, size_t len, struct err *e)
{
  if (!has_repeated(tree))
    return ERR_OK;
  struct buf path AUTO_BUF = BUF_INIT(4096);
  const char *name = find_repeated(tree, &path);
  char where[64] = "";
  size_t line, column, offset = json_offset_of_repeat(text, len, buf_str(&path), name);
  if (offset != SIZE_MAX) {
    position(text, offset, &line, &column);
    snprintf(where, sizeof(where), "line %zu, column %zu: ", line, column);
  }
  return err_set(e, ERR_INVALID_ARGUMENT, "malformed_json",
                 "%sname \"%s\" occurs twice in one object", where, name);
}

enum err_code json_parse(cJSON **out, const char *text, size_t len,
                         const struct json_limits *limits, struct err *e)
{
  *out = NULL;
  size_t max_bytes = limits != NULL && limits->max_bytes != 0 ? limits->max_bytes : 16u << 20;
  size_t max_depth = limits != NULL && limits->max_depth != 0 ? limits->max_depth : 64;
  if (len > max_bytes)
    return err_set(e, ERR_INVALID_ARGUMENT, "too_large", "JSON text has %zu bytes; at most %zu",
                   len, max_bytes);
  size_t offset;
  const char *what;
  if (!json_check(text, len, max_depth, &offset, &what)) {
    size_t line, column;
    position(text, offset, &line, &column);
    return err_set(e, ERR_INVALID_ARGUMENT, "malformed_json", "line %zu, column %zu: %s", line,
                   column, what);
  }
  cJSON *tree = cJSON_ParseWithLength(text, len);
  if (tree == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "malformed_json", "not valid JSON");
  if (check_repeated(tree, text, len, e) != ERR_OK) {
    cJSON_Delete(tree);
    return ERR_INVALID_ARGUMENT;
  }
  *out = tree;
  return ERR_OK;
}

size_t json_line_of(const char *text, size_t len, const char *path)
{
  size_t offset = json_offset_of(text, len, path);
  if (offset == SIZE_MAX)
    return 0;
  size_t line, column;
  position(text, offset, &line, &column);
  return line;
}

const char *json_get_string(const cJSON *object, const char *key)
{
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  return cJSON_IsString(item) ? item->valuestring : NULL;
}

double json_get_number(const cJSON *object, const char *key, double fallback)
{
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

bool json_get_bool(const cJSON *object, const char *key, bool fallback)
{
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}
