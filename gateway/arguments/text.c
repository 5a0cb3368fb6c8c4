/* Texts as assistants send them: marks, blanks, full-width forms, words for nothing. */
#include "gateway/arguments/text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

/* The code point at s, which is valid UTF-8 (json_parse() checked it), and its length. */
static uint32_t decode(const unsigned char *s, size_t *len)
{
  *len = s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
  uint32_t c = *len == 1 ? s[0] : s[0] & (0xFFU >> (*len + 1));
  for (size_t i = 1; i < *len; i++) {
    if ((s[i] & 0xC0) != 0x80) { /* not UTF-8: one byte as it is */
      *len = 1;
      return s[0];
    }
    c = c << 6 | (s[i] & 0x3FU);
  }
  return c;
}

/* Zero-width characters, direction marks, the soft hyphen and the byte order mark. */
static bool is_mark(uint32_t c)
{
  return c == 0xAD || c == 0x61C || c == 0x180E || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF;
}

static bool is_blank(uint32_t c)
{
  return c <= 0x20 || c == 0x7F || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

/* Whether text_clean() would change nothing: ASCII with single blanks inside, as most texts are. */
static bool is_clean(const char *s)
{
  for (; *s != '\0'; s++) {
    if (*s > 0x20 && *s < 0x7f)
      continue;
    if (*s != ' ' || s[1] == ' ' || s[1] == '\0')
      return false;
  }
  return true;
}

char *text_clean(const char *s)
{
  if (s[0] != ' ' && is_clean(s))
    return xstrdup(s);
  char *out = xmalloc(strlen(s) + 1);
  size_t n = 0, len;
  bool gap = false;
  for (; *s != '\0'; s += len) {
    uint32_t c = decode((const unsigned char *)s, &len);
    if (is_mark(c))
      continue;
    if (is_blank(c)) {
      gap = true;
      continue;
    }
    if (gap && n > 0)
      out[n++] = ' ';
    gap = false;
    if (c >= 0xFF01 && c <= 0xFF5E) {
      out[n++] = (char)(c - 0xFF01 + '!');
      continue;
    }
    memcpy(out + n, s, len);
    n += len;
  }
  out[n] = '\0';
  return out;
}

void text_fold(char out[FOLD_SIZE], const char *s)
{
  size_t n = 0;
  for (; *s != '\0' && n + 1 < FOLD_SIZE; s++) {
    unsigned char c = (unsigned char)*s;
    if (c >= 0x80 || isalnum(c))
      out[n++] = (char)tolower(c);
  }
  out[n] = '\0';
}

bool text_same(const char *a, const char *b)
{
  static const char marks[] = "_- ";
  for (;; a++, b++) {
    a += strspn(a, marks);
    b += strspn(b, marks);
    if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
      return false;
    if (*a == '\0')
      return true;
  }
}

static bool is_absent_word(const char *s)
{
  static const char *const words[] = {"", "null", "none", "undefined"};
  unsigned char first = (unsigned char)s[0];
  if (first > 0x20 && first < 0x7f && strchr("nNuU", first) == NULL)
    return false; /* it stays where it is, and no word begins with it */
  AUTO_FREE char *clean = text_clean(s);
  for (size_t i = 0; i < ARRAY_LEN(words); i++) {
    if (ascii_case_equal(clean, words[i]))
      return true;
  }
  return false;
}

bool value_is_absent(const cJSON *value)
{
  if (cJSON_IsNull(value))
    return true;
  if (cJSON_IsString(value))
    return is_absent_word(value->valuestring);
  if (!cJSON_IsArray(value) || value->child == NULL)
    return false;
  const cJSON *item;
  cJSON_ArrayForEach(item, value)
  {
    if (!cJSON_IsNull(item) && !(cJSON_IsString(item) && is_absent_word(item->valuestring)))
      return false;
  }
  return true;
}

void value_set_text(cJSON *value, char *text)
{
  cJSON_free(value->valuestring);
  value->valuestring = text;
}

void value_clean(cJSON *value)
{
  const char *s = value->valuestring;
  if (s[0] == ' ' || !is_clean(s))
    value_set_text(value, text_clean(s));
}

void value_set_name(cJSON *member, const char *name)
{
  if (strcmp(member->string, name) == 0)
    return;
  char *copy = xstrdup(name);
  cJSON_free(member->string);
  member->string = copy;
}

cJSON *value_take(cJSON *value)
{
  cJSON *taken = cJSON_CreateNull();
  taken->type = value->type & 0xFF;
  taken->child = value->child;
  taken->valuestring = value->valuestring;
  taken->valueint = value->valueint;
  taken->valuedouble = value->valuedouble;
  value->type = cJSON_NULL;
  value->child = NULL;
  value->valuestring = NULL;
  return taken;
}

void value_become(cJSON *value, cJSON *other)
{
  cJSON_Delete(value->child);
  cJSON_free(value->valuestring);
  value->type = other->type & 0xFF;
  value->child = other->child;
  value->valuestring = other->valuestring;
  value->valueint = other->valueint;
  value->valuedouble = other->valuedouble;
  other->child = NULL;
  other->valuestring = NULL;
  cJSON_Delete(other);
}
