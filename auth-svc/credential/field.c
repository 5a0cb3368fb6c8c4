/* Fields of configuration files: where they stand, what they may hold, how they are refused. */
#include "auth-svc/credential/field.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/nearest.h"

enum { FIELDS_MAX = 16 }; /* of a table */

bool field_knows_key(const char *key, const char *const *known, size_t n, char *advice, size_t size)
{
  struct nearest best = {0};
  size_t len = 0;
  for (size_t i = 0; i < n; i++) {
    if (strcmp(key, known[i]) == 0)
      return true;
    nearest_offer(&best, i, nearest_distance(key, known[i]));
  }
  if (best.n > 0) {
    snprintf(advice, size, "unknown key; did you mean \"%s\"?", known[best.item[0]]);
    return false;
  }
  len = (size_t)snprintf(advice, size, "unknown key; known %s", n == 1 ? "is" : "are");
  for (size_t i = 0; i < n && len < size; i++)
    len += (size_t)snprintf(advice + len, size - len, "%s %s", i > 0 ? "," : "", known[i]);
  return false;
}

enum err_code field_refuse(const struct field_at *p, const char *key, const char *fmt, ...)
{
  char field[FIELD_PATH_MAX + 70], text[400];
  snprintf(field, sizeof(field), "%s%s%.64s", p->path, *p->path != '\0' && *key != '\0' ? "." : "",
           key);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  return p->reader->refuse(p->reader->user, field, text);
}

enum err_code field_object(const struct field_at *p, const cJSON *object, const char *key,
                           enum presence presence, struct field_at *child, const cJSON **out)
{
  *out = cJSON_GetObjectItemCaseSensitive(object, key);
  if (*out == NULL && presence == OPTIONAL)
    return ERR_OK;
  if (!cJSON_IsObject(*out))
    return field_refuse(p, key, "%smust be an object", *out == NULL ? "missing; " : "");
  *child = (struct field_at){.reader = p->reader, .strict = p->strict, .site = p->site};
  snprintf(child->path, sizeof(child->path), "%.120s%s%.32s", p->path, *p->path != '\0' ? "." : "",
           key);
  return ERR_OK;
}

enum err_code field_keys(const struct field_at *p, const cJSON *object, const char *const *known,
                         size_t n)
{
  if (p->strict && p->reader->on_keys != NULL)
    p->reader->on_keys(p->reader->user, p->path, known, n);
  enum err_code code = ERR_OK;
  for (const cJSON *c = p->strict ? object->child : NULL; c != NULL; c = c->next) {
    char advice[FIELD_ADVICE_MAX];
    if (code != ERR_OK && !p->reader->go_on)
      return code;
    if (!field_knows_key(c->string, known, n, advice, sizeof(advice)))
      code = field_refuse(p, c->string, "%s", advice);
  }
  return code;
}

bool field_has_control(const char *s)
{
  for (; *s != '\0'; s++)
    if ((unsigned char)*s < 0x20 || *s == 0x7f)
      return true;
  return false;
}

/* A PEM has lines; nothing else has. */
static bool may_have_lines(size_t max)
{
  return max == FIELD_PEM_MAX;
}

enum err_code field_text(const struct field_at *p, const cJSON *object, const char *key,
                         enum presence presence, size_t max, const char **out)
{
  const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
  *out = NULL;
  if (v == NULL && presence == OPTIONAL)
    return ERR_OK;
  if (!cJSON_IsString(v) || v->valuestring[0] == '\0')
    return field_refuse(p, key, "%smust be a non-empty string", v == NULL ? "missing; " : "");
  if (strlen(v->valuestring) > max)
    return field_refuse(p, key, "longer than %zu bytes", max);
  if (!may_have_lines(max) && field_has_control(v->valuestring))
    return field_refuse(p, key, "holds a control character, such as a tab or a line end");
  *out = v->valuestring;
  return ERR_OK;
}

enum err_code field_number(const struct field_at *p, const cJSON *object, const char *key,
                           int64_t min, int64_t max, const char *unit, int64_t *out)
{
  const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
  if (v == NULL)
    return ERR_OK;
  if (!cJSON_IsNumber(v) || !(v->valuedouble >= (double)min) || v->valuedouble > (double)max ||
      v->valuedouble != floor(v->valuedouble))
    return field_refuse(p, key, "must be a whole number%s from %lld to %lld", unit, (long long)min,
                        (long long)max);
  *out = (int64_t)v->valuedouble;
  return ERR_OK;
}

enum err_code field_list(const struct field_at *p, const cJSON *object, const char *key, int max,
                         const cJSON **list, size_t *n)
{
  *list = cJSON_GetObjectItemCaseSensitive(object, key);
  *n = cJSON_IsArray(*list) ? (size_t)cJSON_GetArraySize(*list) : 0;
  if (*list != NULL && !cJSON_IsArray(*list))
    return field_refuse(p, key, "must be an array");
  if (*n > (size_t)max)
    return field_refuse(p, key, "more than %d items", max);
  return ERR_OK;
}

struct field_at field_item(const struct field_at *p, const char *list, size_t i)
{
  struct field_at item = *p;
  snprintf(item.path, sizeof(item.path), "%.100s%s%s[%zu]", p->path, *p->path != '\0' ? "." : "",
           list, i);
  return item;
}

enum err_code field_each(const struct field_at *p, const char *key, const cJSON *list,
                         enum err_code (*read)(const struct field_at *at, const cJSON *item,
                                               size_t i, void *user),
                         void *user)
{
  enum err_code code = ERR_OK;
  size_t i = 0;
  for (const cJSON *v = list != NULL ? list->child : NULL; v != NULL; v = v->next, i++) {
    const struct field_at at = field_item(p, key, i);
    if (code == ERR_OK || p->reader->go_on)
      code = first_of(code, read(&at, v, i, user));
  }
  return code;
}

/* May be empty: gcloud writes "account": "". */
static enum err_code check_unread(const struct field_at *p, const cJSON *object, const char *key)
{
  const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
  return !p->strict || v == NULL || cJSON_IsString(v)
             ? ERR_OK
             : field_refuse(p, key, "must be a string, as Google writes it, or left out");
}

enum err_code field_read(const struct field_at *p, const cJSON *object, const struct field *fields,
                         size_t n)
{
  const char *keys[FIELDS_MAX] = {NULL};
  for (size_t i = 0; i < n && i < FIELDS_MAX; i++)
    keys[i] = fields[i].key;
  enum err_code code = field_keys(p, object, keys, n);
  for (size_t i = 0; i < n && code == ERR_OK; i++)
    if (fields[i].presence == UNREAD)
      code = check_unread(p, object, fields[i].key);
  for (size_t i = 0; i < n && code == ERR_OK; i++) {
    const struct field *f = &fields[i];
    if (f->presence != REQUIRED && f->presence != OPTIONAL)
      continue;
    code = field_text(p, object, f->key, f->presence, f->max, f->out);
    if (code == ERR_OK && *f->out != NULL && f->check != NULL)
      code = f->check(p, f->key, *f->out);
  }
  return code;
}

size_t field_line_of(const char *text, size_t len, const char *path)
{
  char p[512];
  snprintf(p, sizeof(p), "%s", path);
  while (*p != '\0') {
    size_t line = json_line_of(text, len, p);
    if (line != 0)
      return line;
    char *dot = strrchr(p, '.'), *bracket = strrchr(p, '[');
    char *cut = dot == NULL || (bracket != NULL && bracket > dot) ? bracket : dot;
    if (cut == NULL)
      break;
    *cut = '\0';
  }
  return 1;
}
