/* Paths into a JSON value, and errors that begin with one. */
#include "common/pbjson/path.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

enum {
  PATH_STEPS = 64,   /* steps printed: the innermost ones */
  PATH_BYTES = 280,  /* bytes of a path printed */
  ERROR_BYTES = 600, /* what struct err holds */
};

static bool is_identifier(const char *key)
{
  if (*key == '\0')
    return false;
  for (const char *c = key; *c != '\0'; c++) {
    if (!isalnum((unsigned char)*c) && *c != '_')
      return false;
  }
  return true;
}

const char *json_shown(char out[JSON_SHOWN_SIZE], const char *s)
{
  enum { SHOWN = 60 };
  size_t len = strlen(s);
  if (!utf8_valid(s, len))
    return "?";
  if (len <= SHOWN)
    return s;
  len = SHOWN;
  while (((unsigned char)s[len] & 0xC0) == 0x80)
    len--;
  memcpy(out, s, len);
  memcpy(out + len, "...", 4);
  return out;
}

static void put_step(struct buf *out, const struct json_path *step)
{
  if (step->key == NULL) {
    buf_printf(out, "[%zu]", step->index);
    return;
  }
  const char *key = JSON_SHOWN(step->key);
  if (is_identifier(step->key)) {
    buf_printf(out, "%s%s", out->len > 0 ? "." : "", key);
    return;
  }
  buf_putc(out, '[');
  buf_put_json_string(out, key, strlen(key));
  buf_putc(out, ']');
}

static void put_path(struct buf *out, const struct json_path *path)
{
  const struct json_path *steps[PATH_STEPS];
  size_t n = 0;
  for (; path != NULL && n < PATH_STEPS; path = path->up)
    steps[n++] = path;
  if (path != NULL)
    buf_puts(out, "...");
  while (n > 0)
    put_step(out, steps[--n]);
}

enum err_code json_path_error(struct err *e, enum err_code code, const char *reason,
                              const struct json_path *path, const char *fmt, ...)
{
  char text[ERROR_BYTES];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  AUTO_BUF struct buf where = BUF_INIT(PATH_BYTES);
  put_path(&where, path);
  if (where.len == 0)
    return err_set(e, code, reason, "%s", text);
  return err_set(e, code, reason, "%s%s: %s", buf_str(&where), where.failed ? "..." : "", text);
}

const char *json_type_name(const cJSON *value)
{
  if (cJSON_IsString(value))
    return "string";
  if (cJSON_IsNumber(value))
    return "number";
  if (cJSON_IsBool(value))
    return "boolean";
  if (cJSON_IsArray(value))
    return "list";
  if (cJSON_IsObject(value))
    return "object";
  return "null";
}
