/* Strings of the row decoder: escapes, UTF-8 and surrogates, resumable at any byte. */
#include <endian.h>
#include <string.h>

#include "report-svc/rows/decoder_impl.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* High bit set in the bytes of w that equal c; bytes above the first such may be wrong. */
static uint64_t bytes_equal(uint64_t w, unsigned char c)
{
  uint64_t x = w ^ (ONES * c);
  return (x - ONES) & ~x;
}

const char *decoder_plain_end(const char *p, const char *end)
{
  while (end - p >= 8) {
    uint64_t w;
    memcpy(&w, p, 8);
    w = le64toh(w);
    uint64_t control = (w - ONES * 0x20) & ~w;
    uint64_t special = (bytes_equal(w, '"') | bytes_equal(w, '\\') | control | w) & HIGHS;
    if (special != 0)
      return p + (__builtin_ctzll(special) >> 3);
    p += 8;
  }
  while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 &&
         (unsigned char)*p < 0x80)
    p++;
  return p;
}

static bool put_utf8(struct rows_decoder *d, uint32_t c)
{
  char out[4];
  size_t n = 0;
  if (c < 0x80) {
    out[n++] = (char)c;
  } else if (c < 0x800) {
    out[n++] = (char)(0xc0 | c >> 6);
    out[n++] = (char)(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out[n++] = (char)(0xe0 | c >> 12);
    out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    out[n++] = (char)(0x80 | (c & 0x3f));
  } else {
    out[n++] = (char)(0xf0 | c >> 18);
    out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
    out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    out[n++] = (char)(0x80 | (c & 0x3f));
  }
  return decoder_capture(d, out, n);
}

/* A whole \uXXXX has been read. */
static const char *unicode_escape(struct rows_decoder *d, const char *p)
{
  uint16_t u = d->unit;
  d->escape = 0;
  if (d->surrogate != 0) {
    if (u < 0xdc00 || u > 0xdfff)
      return decoder_malformed(d, p, "expected the second half of a surrogate pair");
    uint32_t c = 0x10000 + ((uint32_t)(d->surrogate - 0xd800) << 10) + (uint32_t)(u - 0xdc00);
    d->surrogate = 0;
    return put_utf8(d, c) ? p + 1 : NULL;
  }
  if (u == 0)
    return decoder_malformed(d, p, "a text contains the character NUL");
  if (u >= 0xdc00 && u <= 0xdfff)
    return decoder_malformed(d, p, "second half of a surrogate pair without the first");
  if (u >= 0xd800 && u <= 0xdbff) {
    d->surrogate = u;
    return p + 1;
  }
  return put_utf8(d, u) ? p + 1 : NULL;
}

static int hex_value(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/* One byte of an escape. */
static const char *escape_byte(struct rows_decoder *d, const char *p)
{
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  if (d->escape > 1) {
    int value = hex_value(*p);
    if (value < 0)
      return decoder_malformed(d, p, "expected a hexadecimal digit after \\u");
    d->unit = (uint16_t)(d->unit << 4 | value);
    if (--d->escape > 1)
      return p + 1;
    return unicode_escape(d, p);
  }
  if (*p == 'u') {
    d->escape = 5;
    d->unit = 0;
    return p + 1;
  }
  const char *known = *p == '\0' ? NULL : strchr(from, *p);
  if (known == NULL || d->surrogate != 0)
    return decoder_malformed(d, p, "unknown escape in a string");
  d->escape = 0;
  return decoder_capture(d, &to[known - from], 1) ? p + 1 : NULL;
}

/* First byte of a multi-byte character (Unicode standard, table 3-7). */
static bool utf8_lead(struct rows_decoder *d, unsigned char c)
{
  d->utf8_min = 0x80;
  d->utf8_max = 0xbf;
  if (c >= 0xc2 && c <= 0xdf) {
    d->utf8_need = 1;
  } else if (c >= 0xe0 && c <= 0xef) {
    d->utf8_need = 2;
    d->utf8_min = c == 0xe0 ? 0xa0 : 0x80;
    d->utf8_max = c == 0xed ? 0x9f : 0xbf;
  } else if (c >= 0xf0 && c <= 0xf4) {
    d->utf8_need = 3;
    d->utf8_min = c == 0xf0 ? 0x90 : 0x80;
    d->utf8_max = c == 0xf4 ? 0x8f : 0xbf;
  } else {
    return false;
  }
  return true;
}

static const char *utf8_byte(struct rows_decoder *d, const char *p)
{
  unsigned char c = (unsigned char)*p;
  if (d->utf8_need == 0) {
    if (!utf8_lead(d, c))
      return decoder_malformed(d, p, "a text is not UTF-8");
  } else {
    if (c < d->utf8_min || c > d->utf8_max)
      return decoder_malformed(d, p, "a text is not UTF-8");
    d->utf8_need--;
    d->utf8_min = 0x80;
    d->utf8_max = 0xbf;
  }
  return decoder_capture(d, p, 1) ? p + 1 : NULL;
}

/* A byte that is not plain text. */
static const char *special_byte(struct rows_decoder *d, const char *p, bool *closed)
{
  if (*p == '\\') {
    d->escape = 1;
    return p + 1;
  }
  if (d->surrogate != 0)
    return decoder_malformed(d, p, "first half of a surrogate pair without the second");
  if (*p == '"') {
    *closed = true;
    return p + 1;
  }
  if ((unsigned char)*p < 0x20)
    return decoder_malformed(d, p, "a control character in a string");
  return utf8_byte(d, p);
}

const char *decoder_string(struct rows_decoder *d, const char *p, const char *end, bool *closed)
{
  *closed = false;
  while (p != NULL && p < end && !*closed) {
    if (d->escape != 0) {
      p = escape_byte(d, p);
      continue;
    }
    if (d->utf8_need != 0) {
      p = utf8_byte(d, p);
      continue;
    }
    const char *plain = decoder_plain_end(p, end);
    if (plain > p && d->surrogate != 0)
      return decoder_malformed(d, p, "first half of a surrogate pair without the second");
    if (plain > p && !decoder_capture(d, p, (size_t)(plain - p)))
      return NULL;
    p = plain < end ? special_byte(d, plain, closed) : plain;
  }
  return p;
}
