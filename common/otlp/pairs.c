/* Lists of key=value. */
#include "common/otlp/pairs.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

struct part {
  const char *at;
  size_t len;
};

static struct part trim(const char *at, size_t len)
{
  ascii_trim(&at, &len);
  return (struct part){at, len};
}

/* %41 is A; a % without two digits makes it malformed. */
static bool percent_decode(struct buf *out, struct part from)
{
  for (size_t i = 0; i < from.len; i++) {
    if (from.at[i] != '%') {
      buf_putc(out, from.at[i]);
      continue;
    }
    if (from.len - i < 3 || !hex_decode(out, from.at + i + 1, 2))
      return false;
    i += 2;
  }
  return !out->failed;
}

/* A token of RFC 9110, section 5.6.2. */
static bool is_token(const char *s, size_t len)
{
  for (size_t i = 0; i < len; i++) {
    bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
                  (s[i] >= '0' && s[i] <= '9');
    if (!letter && (s[i] == '\0' || strchr("!#$%&'*+-.^_`|~", s[i]) == NULL))
      return false;
  }
  return len > 0;
}

static bool is_plain(const char *s, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
      return false;
  return utf8_valid(s, len);
}

static bool read_pair(struct otlp_pair *out, enum otlp_pairs_of of, struct part entry)
{
  AUTO_BUF struct buf value = BUF_SECRET(OTLP_PAIRS_TEXT);
  const char *equals = memchr(entry.at, '=', entry.len);
  if (equals == NULL)
    return false;
  struct part key = trim(entry.at, (size_t)(equals - entry.at));
  struct part raw = trim(equals + 1, entry.len - (size_t)(equals + 1 - entry.at));
  bool named =
      of == OTLP_HEADERS ? is_token(key.at, key.len) : key.len > 0 && is_plain(key.at, key.len);
  if (!named || !percent_decode(&value, raw) || !is_plain(buf_str(&value), value.len))
    return false;
  *out = (struct otlp_pair){xstrndup(key.at, key.len), xstrdup(buf_str(&value))};
  return true;
}

enum err_code otlp_pairs_read(struct otlp_pairs *out, const char *setting, enum otlp_pairs_of of,
                              const char *text, struct err *e)
{
  *out = (struct otlp_pairs){0};
  size_t left = text != NULL ? strlen(text) : 0, entry = 0;
  if (left > OTLP_PAIRS_TEXT)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config", "%s: longer than %d bytes", setting,
                   OTLP_PAIRS_TEXT);
  for (const char *at = text; left > 0; entry++) {
    const char *comma = memchr(at, ',', left);
    size_t len = comma != NULL ? (size_t)(comma - at) : left;
    struct part part = trim(at, len);
    size_t step = comma != NULL ? len + 1 : len;
    at += step;
    left -= step;
    if (part.len == 0)
      continue;
    if (out->n == OTLP_PAIRS_MAX || !read_pair(&out->items[out->n], of, part)) {
      otlp_pairs_free(out);
      return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                     "%s: entry %zu: expected at most %d entries key=value, separated by commas, "
                     "with values percent-encoded (%%2C for a comma)",
                     setting, entry + 1, OTLP_PAIRS_MAX);
    }
    out->n++;
  }
  return ERR_OK;
}

static size_t find(const struct otlp_pairs *p, const char *key)
{
  size_t i = 0;
  while (i < p->n && strcmp(p->items[i].key, key) != 0)
    i++;
  return i;
}

const char *otlp_pairs_get(const struct otlp_pairs *p, const char *key)
{
  size_t i = find(p, key);
  return i < p->n ? p->items[i].value : NULL;
}

void otlp_pairs_set(struct otlp_pairs *p, const char *key, const char *value)
{
  size_t i = find(p, key);
  if (i == OTLP_PAIRS_ROOM)
    return;
  if (i < p->n)
    free(p->items[i].value);
  else
    p->items[p->n++].key = xstrdup(key);
  p->items[i].value = xstrdup(value);
}

void otlp_pairs_free(struct otlp_pairs *p)
{
  for (size_t i = 0; i < p->n; i++) {
    mem_wipe(p->items[i].value, strlen(p->items[i].value));
    free(p->items[i].value);
    free(p->items[i].key);
  }
  p->n = 0;
}
