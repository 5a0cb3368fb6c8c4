/* tracestate: a list of key=value that systems on the way leave for themselves. */
#include <string.h>

#include "common/base/codec.h"
#include "common/trace/context.h"

enum { KEY_MAX = 256, VALUE_MAX = 256, LONG_MEMBER = 128 };

struct member {
  const char *at;
  size_t len, key_len;
};

static bool is_first_of_key(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_key(const char *s, size_t len)
{
  if (len == 0 || len > KEY_MAX || !is_first_of_key(s[0]))
    return false;
  for (size_t i = 1; i < len; i++)
    if (!is_first_of_key(s[i]) && memchr("_-*/@", s[i], 5) == NULL)
      return false;
  return true;
}

static bool is_value(const char *s, size_t len)
{
  if (len == 0 || len > VALUE_MAX || s[len - 1] == ' ')
    return false;
  for (size_t i = 0; i < len; i++)
    if (s[i] < 0x20 || s[i] > 0x7e || s[i] == ',' || s[i] == '=')
      return false;
  return true;
}

static bool read_member(struct member *out, const char *s, size_t len)
{
  const char *equals = memchr(s, '=', len);
  if (equals == NULL)
    return false;
  *out = (struct member){s, len, (size_t)(equals - s)};
  return is_key(s, out->key_len) && is_value(equals + 1, len - out->key_len - 1);
}

static bool has_key(const struct member *members, size_t n, const struct member *m)
{
  for (size_t i = 0; i < n; i++)
    if (members[i].key_len == m->key_len && memcmp(members[i].at, m->at, m->key_len) == 0)
      return true;
  return false;
}

/* Splits at commas; what is between two of them may be empty. */
static bool split(struct member *members, size_t *n, const char *s, size_t len)
{
  const char *end = s + len;
  for (*n = 0; s <= end;) {
    const char *comma = s < end ? memchr(s, ',', (size_t)(end - s)) : NULL;
    const char *part = s;
    size_t part_len = (size_t)((comma != NULL ? comma : end) - s);
    ascii_trim(&part, &part_len);
    s = comma != NULL ? comma + 1 : end + 1;
    if (part_len == 0)
      continue;
    struct member m;
    if (*n == TRACE_STATE_MEMBERS || !read_member(&m, part, part_len) || has_key(members, *n, &m))
      return false;
    members[(*n)++] = m;
  }
  return true;
}

static size_t length_of(const struct member *members, size_t n)
{
  size_t len = n > 0 ? n - 1 : 0; /* commas */
  for (size_t i = 0; i < n; i++)
    len += members[i].len;
  return len;
}

/* Drops members until the list fits. Returns how many stay. */
static size_t fit(struct member *members, size_t n)
{
  for (size_t i = n; i > 0 && length_of(members, n) > TRACE_STATE_MAX; i--) {
    if (members[i - 1].len <= LONG_MEMBER)
      continue;
    memmove(&members[i - 1], &members[i], (n - i) * sizeof(*members));
    n--;
  }
  while (length_of(members, n) > TRACE_STATE_MAX)
    n--;
  return n;
}

bool trace_state_read(char out[TRACE_STATE_MAX + 1], const char *s, size_t len)
{
  struct member members[TRACE_STATE_MEMBERS];
  size_t n, at = 0;
  out[0] = '\0';
  if (len > TRACE_STATE_READ || !split(members, &n, s, len))
    return false;
  n = fit(members, n);
  for (size_t i = 0; i < n; i++) {
    if (i > 0)
      out[at++] = ',';
    memcpy(out + at, members[i].at, members[i].len);
    at += members[i].len;
  }
  out[at] = '\0';
  return true;
}
