/* Reads what a browser sends to the pages. */
#include "gateway/connect/fields.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

bool fields_take(void *fields, const char *name, size_t name_len, const char *value, size_t len)
{
  struct fields *f = fields;
  const struct {
    const char *name;
    char *out;
    size_t size;
  } known[] = {{"invite", f->invite, sizeof(f->invite)},
               {"lang", f->lang, sizeof(f->lang)},
               {"property", f->property, sizeof(f->property)},
               {"state", f->state, sizeof(f->state)},
               {"code", f->code, sizeof(f->code)},
               {"error", f->error, sizeof(f->error)},
               {"iss", f->iss, sizeof(f->iss)}};
  for (size_t i = 0; i < ARRAY_LEN(known); i++)
    if (strlen(known[i].name) == name_len && memcmp(known[i].name, name, name_len) == 0 &&
        len < known[i].size && memchr(value, '\0', len) == NULL && utf8_valid(value, len)) {
      memcpy(known[i].out, value, len);
      known[i].out[len] = '\0';
    }
  return true;
}

/* The value of a hexadecimal digit; -1 for any other byte. */
static int digit(char c)
{
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/* + and %XX, in place; a % that begins nothing stands for itself. Returns the length. */
static size_t decode(char *s, size_t len)
{
  size_t n = 0;
  for (size_t i = 0; i < len; i++)
    if (s[i] == '%' && i + 2 < len && digit(s[i + 1]) >= 0 && digit(s[i + 2]) >= 0) {
      s[n++] = (char)(16 * digit(s[i + 1]) + digit(s[i + 2]));
      i += 2;
    } else {
      s[n++] = s[i] == '+' ? ' ' : s[i];
    }
  return n;
}

void fields_read_form(struct fields *f, const char *body, size_t len)
{
  char *text = xmalloc(len + 1); /* of all bytes, also behind a NUL */
  size_t left = len;
  if (len > 0)
    memcpy(text, body, len);
  for (char *p = text; left > 0;) {
    char *end = memchr(p, '&', left);
    size_t n = end != NULL ? (size_t)(end - p) : left, used = end != NULL ? n + 1 : n;
    char *equals = memchr(p, '=', n);
    if (equals != NULL) {
      size_t name_len = (size_t)(equals - p);
      fields_take(f, p, name_len, equals + 1, decode(equals + 1, n - name_len - 1));
    }
    left -= used;
    p += used;
  }
  mem_wipe(text, len);
  free(text);
}

const char *fields_read_cookie(const char *header, char session[CONNECT_SESSION_MAX])
{
  static const char name[] = "__Host-connect=";
  session[0] = '\0';
  for (const char *p = header; p != NULL && (p = strstr(p, name)) != NULL;) {
    bool begins = p == header || p[-1] == ' ' || p[-1] == ';';
    const char *value = p + sizeof(name) - 1;
    size_t n = strcspn(value, ".; ,");
    if (begins && n > 0 && n < CONNECT_SESSION_MAX) {
      memcpy(session, value, n);
      session[n] = '\0';
      return value[n] == '.' ? value + n + 1 : NULL;
    }
    p = value;
  }
  return NULL;
}
