/* Escaping. */
#include "gateway/http/html.h"

void html_put(struct buf *out, const char *text)
{
  for (; text != NULL && *text != '\0'; text++)
    switch (*text) {
    case '<':
      buf_puts(out, "&lt;");
      break;
    case '>':
      buf_puts(out, "&gt;");
      break;
    case '&':
      buf_puts(out, "&amp;");
      break;
    case '"':
      buf_puts(out, "&quot;");
      break;
    case '\'':
      buf_puts(out, "&#39;");
      break;
    default:
      buf_putc(out, *text);
    }
}
