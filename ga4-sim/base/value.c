/* Number formatting and JSON layout. */
#include "ga4-sim/base/value.h"

#include <stdio.h>
#include <stdlib.h>

void value_format_double(double value, char *out, size_t size)
{
  if (value == 0)
    value = 0; /* no "-0" */
  snprintf(out, size, "%.15g", value);
  if (strtod(out, NULL) != value)
    snprintf(out, size, "%.17g", value);
}

static void new_line(struct buf *out, size_t depth)
{
  buf_putc(out, '\n');
  for (size_t i = 0; i < depth; i++)
    buf_puts(out, "  ");
}

/* Copies a string with its quotes; returns the place after it. */
static size_t copy_string(struct buf *out, const char *json, size_t len, size_t at)
{
  size_t start = at++;
  while (at < len && json[at] != '"')
    at += json[at] == '\\' ? 2 : 1;
  at = at < len ? at + 1 : len;
  buf_append(out, json + start, at - start);
  return at;
}

bool value_pretty_json(struct buf *out, const char *json, size_t len)
{
  size_t depth = 0;
  for (size_t at = 0; at < len;) {
    char c = json[at];
    if (c == '"') {
      at = copy_string(out, json, len, at);
      continue;
    }
    at++;
    if ((c == '{' || c == '[') && at < len && (json[at] == '}' || json[at] == ']')) {
      buf_putc(out, c);
      buf_putc(out, json[at++]);
    } else if (c == '{' || c == '[') {
      buf_putc(out, c);
      new_line(out, ++depth);
    } else if (c == '}' || c == ']') {
      new_line(out, depth > 0 ? --depth : 0);
      buf_putc(out, c);
    } else if (c == ',') {
      buf_putc(out, c);
      new_line(out, depth);
    } else if (c == ':') {
      buf_puts(out, ": ");
    } else if (c != ' ' && c != '\n') {
      buf_putc(out, c);
    }
  }
  return buf_putc(out, '\n');
}
