/* Decodes form bodies. */
#include "ga4-sim/base/form.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static int hex_digit(char c)
{
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

void form_decode(char *s)
{
  char *out = s;
  for (; *s != '\0'; s++) {
    int high = *s == '%' ? hex_digit(s[1]) : -1, low = high < 0 ? -1 : hex_digit(s[2]);
    if (low >= 0 && high + low > 0) {
      *out++ = (char)(high * 16 + low);
      s += 2;
    } else {
      *out++ = *s == '+' ? ' ' : *s;
    }
  }
  *out = '\0';
}

void form_parse(struct form *f, const char *body, size_t len)
{
  *f = (struct form){.text = xstrndup(body, len)};
  char *rest = f->text, *pair;
  while (f->count < FORM_FIELDS && (pair = strsep(&rest, "&")) != NULL) {
    char *value = strchr(pair, '=');
    if (value == NULL)
      continue;
    *value++ = '\0';
    form_decode(pair);
    form_decode(value);
    f->fields[f->count].name = pair;
    f->fields[f->count++].value = value;
  }
}

const char *form_get(const struct form *f, const char *name)
{
  for (size_t i = 0; i < f->count; i++)
    if (strcmp(f->fields[i].name, name) == 0)
      return f->fields[i].value;
  return NULL;
}

void form_free(struct form *f)
{
  free(f->text);
  *f = (struct form){0};
}
