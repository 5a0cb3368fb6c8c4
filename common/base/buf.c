/* A growing byte buffer with a hard cap. */
#include "common/base/buf.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

enum { DOUBLED_MAX = 4096 }; /* larger buffers grow by half */

void buf_init(struct buf *b, size_t max)
{
  *b = BUF_INIT(max);
}

void buf_free(struct buf *b)
{
  if (b->secret)
    mem_wipe(b->data, b->cap);
  free(b->data);
  *b = (struct buf){.max = b->max, .secret = b->secret};
}

void buf_clear(struct buf *b)
{
  buf_truncate(b, 0);
}

void buf_truncate(struct buf *b, size_t len)
{
  if (len < b->len)
    b->len = len;
  b->failed = false;
  if (b->data != NULL)
    b->data[b->len] = '\0';
}

/* realloc() would leave a copy behind. */
static void grow(struct buf *b, size_t cap)
{
  if (!b->secret) {
    b->data = xrealloc(b->data, cap);
  } else {
    char *data = xmalloc(cap);
    if (b->data != NULL)
      memcpy(data, b->data, b->len + 1);
    mem_wipe(b->data, b->cap);
    free(b->data);
    b->data = data;
  }
  b->cap = cap;
}

char *buf_reserve(struct buf *b, size_t n)
{
  if (b->failed || n > b->max || b->len > b->max - n) {
    b->failed = true;
    return NULL;
  }
  size_t need = b->len + n + 1;
  if (need > b->cap) {
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need)
      cap += cap < DOUBLED_MAX ? cap : cap / 2;
    if (cap > b->max + 1)
      cap = b->max + 1;
    grow(b, cap);
  }
  return b->data + b->len;
}

void buf_expect(struct buf *b, size_t n)
{
  char *end = n <= b->max - b->len ? buf_reserve(b, n) : NULL;
  if (end != NULL)
    *end = '\0';
}

/* Where n more bytes go: mostly there is room for them already. */
static inline char *room(struct buf *b, size_t n)
{
  return !b->failed && b->len < b->cap && n < b->cap - b->len ? b->data + b->len
                                                              : buf_reserve(b, n);
}

bool buf_append(struct buf *b, const void *data, size_t len)
{
  char *p = room(b, len);
  if (p == NULL)
    return false;
  if (len != 0)
    memcpy(p, data, len);
  b->len += len;
  b->data[b->len] = '\0';
  return true;
}

bool buf_puts(struct buf *b, const char *s)
{
  return buf_append(b, s, strlen(s));
}

bool buf_putc(struct buf *b, char c)
{
  char *p = room(b, 1);
  if (p == NULL)
    return false;
  p[0] = c;
  p[1] = '\0';
  b->len++;
  return true;
}

/* Appends the escape of a control character, quote or backslash. */
static bool put_escape(struct buf *b, unsigned char c)
{
  static const char letters[128] = {['"'] = '"',  ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r',
                                    ['\t'] = 't', ['\b'] = 'b',  ['\f'] = 'f'};
  char text[7] = {'\\', letters[c & 0x7f]};
  if (text[1] != '\0')
    return buf_append(b, text, 2);
  snprintf(text, sizeof(text), "\\u%04x", c);
  return buf_append(b, text, 6);
}

/* Bytes at the start that stand for themselves; eight at a time (a byte below n, or equal to one,
 * found by borrow, the lowest byte first: "Bit Twiddling Hacks", S. E. Anderson). */
static size_t plain_prefix(const char *s, size_t len)
{
  const uint64_t ones = 0x0101010101010101u, highs = ones << 7;
  size_t i = 0;
  for (; i + 8 <= len; i += 8) {
    uint64_t w;
    memcpy(&w, s + i, sizeof(w));
    uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');
    uint64_t found =
        ((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash);
    found &= highs;
    if (found != 0) /* the lowest is a true one */
      return i + (size_t)__builtin_ctzll(found) / 8;
  }
  while (i < len && (unsigned char)s[i] >= 0x20 && s[i] != '"' && s[i] != '\\')
    i++;
  return i;
}

bool buf_put_json_string(struct buf *b, const char *s, size_t len)
{
  size_t before = b->len;
  bool ok = buf_reserve(b, len + 2) != NULL && buf_putc(b, '"'); /* room for most texts at once */
  while (ok && len > 0) {
    size_t plain = plain_prefix(s, len);
    ok = buf_append(b, s, plain);
    s += plain;
    len -= plain;
    if (ok && len > 0) {
      ok = put_escape(b, (unsigned char)*s);
      s++;
      len--;
    }
  }
  ok = ok && buf_putc(b, '"');
  if (!ok && b->data != NULL) {
    b->len = before;
    b->data[before] = '\0';
  }
  return ok;
}

bool buf_put_whole(struct buf *b, bool negative, uint64_t magnitude)
{
  char digits[21];
  size_t at = sizeof(digits);
  do {
    digits[--at] = (char)('0' + magnitude % 10);
    magnitude /= 10;
  } while (magnitude > 0);
  if (negative)
    digits[--at] = '-';
  return buf_append(b, digits + at, sizeof(digits) - at);
}

char *buf_take(struct buf *b, size_t *len)
{
  if (len != NULL)
    *len = b->len;
  char *data = b->data != NULL ? b->data : xstrdup("");
  *b = (struct buf){.max = b->max, .secret = b->secret};
  return data;
}

const char *buf_str(const struct buf *b)
{
  return b->data != NULL ? b->data : "";
}
