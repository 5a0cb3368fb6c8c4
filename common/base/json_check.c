/* A strict JSON scanner. It walks the text with an explicit depth, allocates nothing and
 * refuses what cJSON lets through: NUL characters, broken UTF-8, lone surrogates, trailing
 * text. */
#include "common/base/json_check.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/codec.h"

struct scan {
  const char *text;
  size_t len, at;
  size_t depth, max_depth;
  const char *what;
};

static bool fail(struct scan *s, const char *what)
{
  s->what = what;
  return false;
}

static inline int peek(const struct scan *s)
{
  return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static inline void skip_space(struct scan *s)
{
  int c = peek(s);
  while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
    s->at++;
    c = peek(s);
  }
}

static bool literal(struct scan *s, const char *word)
{
  size_t n = strlen(word);
  if (s->len - s->at < n || memcmp(s->text + s->at, word, n) != 0)
    return fail(s, "expected a value");
  s->at += n;
  return true;
}

static bool some_digits(struct scan *s)
{
  size_t start = s->at;
  while (peek(s) >= '0' && peek(s) <= '9')
    s->at++;
  return s->at > start || fail(s, "expected a digit");
}

/* cJSON makes infinity of 1e999, which no JSON can be written from, and reads 63 characters. */
static bool in_range(struct scan *s, size_t start, bool has_exponent)
{
  char copy[64];
  size_t n = s->at - start;
  if (n < sizeof(copy) && !has_exponent)
    return true;
  if (n < sizeof(copy)) {
    memcpy(copy, s->text + start, n);
    copy[n] = '\0';
    if (isfinite(strtod(copy, NULL)))
      return true;
  }
  s->at = start;
  return fail(s, n < sizeof(copy) ? "number is too large" : "number has more than 63 characters");
}

static bool exponent(struct scan *s)
{
  if (peek(s) != 'e' && peek(s) != 'E')
    return true;
  s->at++;
  if (peek(s) == '+' || peek(s) == '-')
    s->at++;
  return some_digits(s);
}

static bool number(struct scan *s)
{
  size_t start = s->at;
  if (peek(s) == '-')
    s->at++;
  if (peek(s) == '0')
    s->at++;
  else if (!some_digits(s))
    return false;
  if (peek(s) == '.') {
    s->at++;
    if (!some_digits(s))
      return false;
  }
  bool has_exponent = peek(s) == 'e' || peek(s) == 'E';
  return exponent(s) && in_range(s, start, has_exponent);
}

/* Four hexadecimal digits; -1 when there are others. */
static long hex4(struct scan *s)
{
  long v = 0;
  for (int i = 0; i < 4; i++) {
    int c = peek(s);
    int d = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : -1;
    if (d < 0)
      return -1;
    v = v * 16 + d;
    s->at++;
  }
  return v;
}

static bool escape(struct scan *s)
{
  int c = peek(s);
  if (c < 0 || strchr("\"\\/bfnrtu", c) == NULL)
    return fail(s, "unknown escape in a string");
  s->at++;
  if (c != 'u')
    return true;
  long v = hex4(s);
  if (v < 0)
    return fail(s, "\\u needs four hexadecimal digits");
  if (v == 0)
    return fail(s, "NUL characters are not allowed in strings");
  if (v >= 0xDC00 && v <= 0xDFFF)
    return fail(s, "unpaired surrogate in a string");
  if (v >= 0xD800 && v <= 0xDBFF) {
    if (!(s->len - s->at >= 2 && s->text[s->at] == '\\' && s->text[s->at + 1] == 'u'))
      return fail(s, "unpaired surrogate in a string");
    s->at += 2;
    long low = hex4(s);
    if (low < 0xDC00 || low > 0xDFFF)
      return fail(s, "unpaired surrogate in a string");
  }
  return true;
}

static bool string(struct scan *s)
{
  s->at++; /* the quote */
  size_t start = s->at;
  bool ascii = true;
  for (;;) {
    int c = peek(s);
    if (c < 0)
      return fail(s, "unterminated string");
    if (c == '"')
      break;
    if (c < 0x20)
      return fail(s, "control character in a string");
    ascii = ascii && c < 0x80;
    s->at++;
    if (c == '\\' && !escape(s))
      return false;
  }
  if (!ascii && !utf8_valid(s->text + start, s->at - start)) {
    s->at = start;
    return fail(s, "string is not valid UTF-8");
  }
  s->at++;
  return true;
}

static bool value(struct scan *s);

/* A member's name and its colon. */
static bool name(struct scan *s)
{
  skip_space(s);
  if (peek(s) != '"')
    return fail(s, "expected a name in quotes");
  if (!string(s))
    return false;
  skip_space(s);
  if (peek(s) != ':')
    return fail(s, "expected ':'");
  s->at++;
  return true;
}

/* Whether the comma in front is the last thing in its array or object. Stands at the comma then. */
static bool ends_after_comma(struct scan *s, char close)
{
  size_t comma = s->at - 1;
  skip_space(s);
  if (peek(s) != close)
    return false;
  s->at = comma;
  return true;
}

/* Array or object; recursion is bounded by max_depth. */
static bool container(struct scan *s, bool object)
{
  char close = object ? '}' : ']';
  if (++s->depth > s->max_depth)
    return fail(s, "nested too deep");
  s->at++;
  skip_space(s);
  if (peek(s) == close) {
    s->at++;
    s->depth--;
    return true;
  }
  for (;;) {
    if ((object && !name(s)) || !value(s))
      return false;
    skip_space(s);
    int c = peek(s);
    if (c != ',' && c != close)
      return fail(s, object ? "expected ',' or '}'" : "expected ',' or ']'");
    s->at++;
    if (c == close)
      break;
    if (ends_after_comma(s, close))
      return fail(s, object ? "a comma before '}': remove it" : "a comma before ']': remove it");
  }
  s->depth--;
  return true;
}

static bool value(struct scan *s)
{
  skip_space(s);
  switch (peek(s)) {
  case '{':
    return container(s, true);
  case '[':
    return container(s, false);
  case '"':
    return string(s);
  case 't':
    return literal(s, "true");
  case 'f':
    return literal(s, "false");
  case 'n':
    return literal(s, "null");
  case -1:
    return fail(s, "text ends where a value is expected");
  default:
    if (peek(s) == '-' || (peek(s) >= '0' && peek(s) <= '9'))
      return number(s);
    return fail(s, "expected a value");
  }
}

/* What editors put in front of JSON or make of it; NULL for UTF-8. */
static const char *foreign_coding(const char *text, size_t len)
{
  if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
    return "the text begins with a byte order mark (BOM): save it as UTF-8 without BOM";
  if (len >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0 ||
                   (text[0] == '\0') != (text[1] == '\0')))
    return "the text is UTF-16: save it as UTF-8";
  return NULL;
}

bool json_check(const char *text, size_t len, size_t max_depth, size_t *offset, const char **what)
{
  struct scan s = {.text = text, .len = len, .max_depth = max_depth};
  const char *coding = foreign_coding(text, len);
  bool ok = coding == NULL ? value(&s) : fail(&s, coding);
  if (ok) {
    skip_space(&s);
    if (s.at < s.len)
      ok = fail(&s, "text after the end of the value");
  }
  *offset = s.at;
  *what = s.what;
  return ok;
}

/* Moves to the value of a member; the path's name ends at '.' or '[' or its end. Names with
 * escapes never match. */
static bool next_member(struct scan *s, const char *key, size_t key_len)
{
  for (;;) {
    skip_space(s);
    if (peek(s) != '"')
      return false;
    const char *found = s->text + s->at + 1;
    size_t start = s->at;
    if (!string(s))
      return false;
    size_t found_len = s->at - start - 2;
    skip_space(s);
    s->at++; /* the colon */
    skip_space(s);
    if (found_len == key_len && memcmp(found, key, key_len) == 0)
      return true;
    if (!value(s))
      return false;
    skip_space(s);
    if (peek(s) != ',')
      return false;
    s->at++;
  }
}

static bool enter_member(struct scan *s, const char *key, size_t key_len)
{
  if (peek(s) != '{')
    return false;
  s->at++;
  return next_member(s, key, key_len);
}

static bool enter_item(struct scan *s, size_t index)
{
  if (peek(s) != '[')
    return false;
  s->at++;
  for (size_t i = 0;; i++) {
    skip_space(s);
    if (peek(s) == ']' || peek(s) < 0)
      return false;
    if (i == index)
      return true;
    if (!value(s))
      return false;
    skip_space(s);
    if (peek(s) != ',')
      return false;
    s->at++;
  }
}

size_t json_offset_of(const char *text, size_t len, const char *path)
{
  struct scan s = {.text = text, .len = len, .max_depth = 1024};
  skip_space(&s);
  while (*path != '\0') {
    bool ok;
    if (*path == '[') {
      size_t index = 0;
      for (path++; *path >= '0' && *path <= '9' && index < SIZE_MAX / 16; path++)
        index = index * 10 + (size_t)(*path - '0');
      if (*path == ']')
        path++;
      ok = enter_item(&s, index);
    } else {
      if (*path == '.')
        path++;
      size_t n = strcspn(path, ".[");
      ok = enter_member(&s, path, n);
      path += n;
    }
    if (!ok)
      return SIZE_MAX;
  }
  return s.at;
}

size_t json_offset_of_repeat(const char *text, size_t len, const char *path, const char *key)
{
  struct scan s = {.text = text, .len = len, .max_depth = 1024};
  s.at = json_offset_of(text, len, path);
  if (s.at == SIZE_MAX || !enter_member(&s, key, strlen(key)) || !value(&s))
    return SIZE_MAX;
  skip_space(&s);
  if (peek(&s) != ',')
    return SIZE_MAX;
  s.at++;
  return next_member(&s, key, strlen(key)) ? s.at : SIZE_MAX;
}
