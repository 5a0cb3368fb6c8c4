/* Splits a text into the words and numbers by which vehicles are looked up. */
#include "aggregate-svc/vehicle/tokens.h"

#include <string.h>

enum { VIN_LEN = 17, HASH_MIN = 12, YEAR_MIN = 1980, YEAR_MAX = 2035 };

static const char *const stop_words[] = {"all",    "at",   "cars",    "certified", "cpo",    "for",
                                         "htm",    "html", "in",      "inventory", "models", "new",
                                         "owned",  "pre",  "sale",    "stock",     "suvs",   "the",
                                         "trucks", "used", "vehicle", "vehicles"};
/* The lengths of the shortest and the longest. Most words are letters or numbers, and end there. */
enum { STOP_MIN = 2, STOP_MAX = 9 };

/* ------------------------------------------------------------------ characters */

/* Base letters of U+00C0 to U+017F; '.' parts words. */
static const char latin[] =
    "aaaaaaaceeeeiiiidnooooo.ouuuuy.saaaaaaaceeeeiiiidnooooo.ouuuuy.y"  /* U+00C0 to U+00FF */
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"  /* to U+013F */
    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"; /* to U+017F */

static int hex(unsigned char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte at *at, with %XX decoded; moves *at behind it. */
static unsigned char next_byte(const char *s, size_t len, size_t *at)
{
  unsigned char c = (unsigned char)s[(*at)++];
  if (c == '%' && *at + 1 < len) {
    int hi = hex((unsigned char)s[*at]), lo = hex((unsigned char)s[*at + 1]);
    if (hi >= 0 && lo >= 0) {
      *at += 2;
      return (unsigned char)(hi << 4 | lo);
    }
  }
  return c;
}

/* One character as a lower-case letter or digit, or '.' for whatever parts words. */
static char next_char(const char *s, size_t len, size_t *at)
{
  unsigned char c = next_byte(s, len, at);
  if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
    return (char)c;
  if (c >= 'A' && c <= 'Z')
    return (char)(c | 0x20);
  if (c < 0xc3 || c > 0xc5 || *at >= len)
    return '.';
  size_t next = *at;
  unsigned char low = next_byte(s, len, &next);
  if (low < 0x80 || low > 0xbf)
    return '.';
  *at = next;
  return latin[((c & 0x1fu) << 6 | (low & 0x3fu)) - 0xc0u];
}

/* ------------------------------------------------------------------ words */

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* A VIN, a stock number or a hash: long, or hexadecimal with a digit. */
static bool is_noise(const char *p, size_t len)
{
  if (len >= VIN_LEN)
    return true;
  bool digit = false;
  for (size_t i = 0; i < len; i++) {
    if (hex((unsigned char)p[i]) < 0)
      return false;
    digit |= is_digit(p[i]);
  }
  return len >= HASH_MIN && digit;
}

static int year_of(const char *p, size_t len)
{
  if (len != 4)
    return 0;
  int year = 0;
  for (size_t i = 0; i < 4; i++) {
    if (!is_digit(p[i]))
      return 0;
    year = year * 10 + (p[i] - '0');
  }
  return year >= YEAR_MIN && year <= YEAR_MAX ? year : 0;
}

static bool same(const char *p, size_t len, const char *word)
{
  for (size_t i = 0; i < len; i++) {
    if (p[i] != word[i])
      return false;
  }
  return word[len] == '\0';
}

static bool is_stop_word(const char *p, size_t len)
{
  if (len < STOP_MIN || len > STOP_MAX || is_digit(p[0]))
    return false;
  for (size_t i = 0; i < sizeof(stop_words) / sizeof(stop_words[0]); i++) {
    if (stop_words[i][0] == p[0] && same(p, len, stop_words[i]))
      return true;
  }
  return false;
}

static void add_token(struct vehicle_tokens *out, const char *p, size_t len)
{
  int year = year_of(p, len);
  if (year != 0 && out->year == 0)
    out->year = year;
  if (year != 0 || is_stop_word(p, len) || out->n == VEHICLE_TOKENS_MAX)
    return;
  out->token[out->n++] = (struct vehicle_token){(uint16_t)(p - out->text), (uint16_t)len};
}

/* A run of letters and digits, split where they meet. */
static void add_run(struct vehicle_tokens *out, const char *p, size_t len)
{
  if (is_noise(p, len))
    return;
  for (size_t from = 0, i = 1; i <= len; i++) {
    if (i == len || is_digit(p[i]) != is_digit(p[i - 1])) {
      add_token(out, p + from, i - from);
      from = i;
    }
  }
}

bool vehicle_token_is(const struct vehicle_tokens *t, size_t i, const char *word)
{
  return i < t->n && same(t->text + t->token[i].at, t->token[i].len, word);
}

/* "model" says nothing, but in "Model 3". */
static void drop_model(struct vehicle_tokens *t)
{
  size_t kept = 0;
  for (size_t i = 0; i < t->n; i++) {
    bool tesla = i + 1 < t->n && t->token[i + 1].len == 1 &&
                 memchr("3sxy", t->text[t->token[i + 1].at], 4) != NULL;
    if (tesla || !vehicle_token_is(t, i, "model"))
      t->token[kept++] = t->token[i];
  }
  t->n = kept;
}

void vehicle_tokens_read(struct vehicle_tokens *out, const char *text, size_t len)
{
  size_t n = 0, run = 0;
  out->n = 0;
  out->year = 0;
  for (size_t at = 0; at < len && n < VEHICLE_TEXT_MAX;) {
    char c = next_char(text, len, &at);
    out->text[n++] = c;
    if (c == '.') {
      if (n - 1 > run)
        add_run(out, out->text + run, n - 1 - run);
      run = n;
    }
  }
  if (n > run)
    add_run(out, out->text + run, n - run);
  out->text[n] = '\0';
  drop_model(out);
}
