/* Base64, base64url, hexadecimal and percent encoding; UTF-8 checks. */
#include "common/base/codec.h"

#include <string.h>

static const char STANDARD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char URL_SAFE[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static bool encode64(struct buf *out, const unsigned char *in, size_t len, const char *alphabet,
                     bool pad)
{
  char *p = buf_reserve(out, (len + 2) / 3 * 4);
  if (p == NULL)
    return false;
  char *start = p;
  size_t i = 0;
  for (; i + 3 <= len; i += 3) {
    uint32_t v = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
    *p++ = alphabet[v >> 18];
    *p++ = alphabet[v >> 12 & 63];
    *p++ = alphabet[v >> 6 & 63];
    *p++ = alphabet[v & 63];
  }
  if (i < len) {
    uint32_t v = (uint32_t)in[i] << 16 | (i + 1 < len ? (uint32_t)in[i + 1] << 8 : 0);
    *p++ = alphabet[v >> 18];
    *p++ = alphabet[v >> 12 & 63];
    if (i + 1 < len)
      *p++ = alphabet[v >> 6 & 63];
    else if (pad)
      *p++ = '=';
    if (pad)
      *p++ = '=';
  }
  *p = '\0';
  out->len += (size_t)(p - start);
  return true;
}

bool base64_encode(struct buf *out, const void *data, size_t len)
{
  return encode64(out, data, len, STANDARD, true);
}

bool base64url_encode(struct buf *out, const void *data, size_t len)
{
  return encode64(out, data, len, URL_SAFE, false);
}

static int value64(char c)
{
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  if (c == '+' || c == '-')
    return 62;
  if (c == '/' || c == '_')
    return 63;
  return -1;
}

bool base64_decode(struct buf *out, const char *s, size_t len)
{
  if (len % 4 == 0 && len > 0 && s[len - 1] == '=')
    len -= s[len - 2] == '=' ? 2 : 1;
  size_t rest = len % 4, n = len / 4 * 3 + (rest > 0 ? rest - 1 : 0), at = 0;
  unsigned char *p = rest != 1 ? (unsigned char *)buf_reserve(out, n) : NULL;
  if (p == NULL)
    return false;
  uint32_t v = 0;
  for (size_t i = 0; i < len; i++) {
    int d = value64(s[i]);
    if (d < 0)
      goto bad;
    v = v << 6 | (uint32_t)d;
    if (i % 4 == 3) {
      p[at++] = (unsigned char)(v >> 16);
      p[at++] = (unsigned char)(v >> 8);
      p[at++] = (unsigned char)v;
      v = 0;
    }
  }
  if ((rest == 2 && (v & 15) != 0) || (rest == 3 && (v & 3) != 0))
    goto bad;
  if (rest == 2)
    p[at] = (unsigned char)(v >> 4);
  if (rest == 3) {
    p[at] = (unsigned char)(v >> 10);
    p[at + 1] = (unsigned char)(v >> 2);
  }
  out->len += n;
  out->data[out->len] = '\0';
  return true;
bad:
  out->data[out->len] = '\0';
  return false;
}

void hex_write(char *out, const void *data, size_t size)
{
  static const char digits[] = "0123456789abcdef";
  const unsigned char *in = data;
  for (size_t i = 0; i < size; i++) {
    *out++ = digits[in[i] >> 4];
    *out++ = digits[in[i] & 15];
  }
  *out = '\0';
}

bool hex_encode(struct buf *out, const void *data, size_t len)
{
  char *p = buf_reserve(out, len * 2);
  if (p == NULL)
    return false;
  hex_write(p, data, len);
  out->len += len * 2;
  return true;
}

static int hex_digit(char c)
{
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

bool hex_decode(struct buf *out, const char *s, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if (hex_digit(s[i]) < 0)
      return false;
  if (len % 2 != 0 || buf_reserve(out, len / 2) == NULL)
    return false;
  for (size_t i = 0; i < len; i += 2)
    buf_putc(out, (char)(hex_digit(s[i]) * 16 + hex_digit(s[i + 1])));
  return true;
}

bool hex_read(void *out, size_t size, const char *s, size_t len)
{
  unsigned char *p = out;
  if (len != 2 * size)
    return false;
  for (size_t i = 0; i < len; i += 2) {
    int high = hex_digit(s[i]), low = hex_digit(s[i + 1]);
    if (high < 0 || low < 0 || (s[i] >= 'A' && s[i] <= 'F') || (s[i + 1] >= 'A' && s[i + 1] <= 'F'))
      return false;
    *p++ = (unsigned char)(high << 4 | low);
  }
  return true;
}

const char *whole_write(char out[WHOLE_TEXT], int64_t n)
{
  char reversed[WHOLE_TEXT];
  uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
  size_t digits = 0, at = 0;
  do {
    reversed[digits++] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (n < 0)
    out[at++] = '-';
  while (digits > 0)
    out[at++] = reversed[--digits];
  out[at] = '\0';
  return out;
}

bool percent_encode(struct buf *out, const char *s, size_t len)
{
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)s[i];
    bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                 (c != '\0' && strchr("-._~", c) != NULL);
    if (!(plain ? buf_putc(out, (char)c) : buf_printf(out, "%%%02X", c)))
      return false;
  }
  return true;
}

/* Length of the character at s by its first byte and the range its second byte may have
 * (Unicode 15, table 3-7); 0 when the first byte cannot start one. */
static size_t char_shape(unsigned char first, unsigned char *low, unsigned char *high)
{
  *low = 0x80;
  *high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF)
    return 2;
  if (first >= 0xE0 && first <= 0xEF) {
    if (first == 0xE0)
      *low = 0xA0;
    if (first == 0xED)
      *high = 0x9F;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (first == 0xF0)
      *low = 0x90;
    if (first == 0xF4)
      *high = 0x8F;
    return 4;
  }
  return 0;
}

bool utf8_valid(const char *s, size_t len)
{
  const unsigned char *p = (const unsigned char *)s;
  for (size_t i = 0; i < len;) {
    uint64_t word;
    if (len - i >= 8) { /* eight ASCII bytes at a time */
      memcpy(&word, p + i, 8);
      if ((word & 0x8080808080808080ULL) == 0) {
        i += 8;
        continue;
      }
    }
    if (p[i] < 0x80) {
      i++;
      continue;
    }
    unsigned char low, high;
    size_t n = char_shape(p[i], &low, &high);
    if (n == 0 || len - i < n || p[i + 1] < low || p[i + 1] > high)
      return false;
    for (size_t k = 2; k < n; k++)
      if ((p[i + k] & 0xC0) != 0x80)
        return false;
    i += n;
  }
  return true;
}

static char lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

size_t text_find(const char *const *texts, size_t n, const char *text)
{
  size_t i = 0;
  while (i < n && strcmp(texts[i], text) != 0)
    i++;
  return i;
}

bool ascii_case_equal(const char *a, const char *b)
{
  for (; *a != '\0' && lower(*a) == lower(*b); a++)
    b++;
  return *a == '\0' && *b == '\0';
}

const char *ascii_case_find(const char *haystack, const char *needle)
{
  const char first = lower(*needle);
  for (const char *h = haystack;; h++) {
    while (*h != '\0' && first != '\0' && lower(*h) != first)
      h++;
    size_t i = 0;
    while (needle[i] != '\0' && lower(h[i]) == lower(needle[i]))
      i++;
    if (needle[i] == '\0')
      return h;
    if (*h == '\0')
      return NULL;
  }
}

static bool is_blank(char c)
{
  return c == ' ' || c == '\t';
}

void ascii_trim(const char **s, size_t *len)
{
  for (; *len > 0 && is_blank(**s); (*len)--)
    (*s)++;
  while (*len > 0 && is_blank((*s)[*len - 1]))
    (*len)--;
}
