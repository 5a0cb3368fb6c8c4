/* Page sizes and tokens. A token is the index of the next element under the list's mark, so that
 * a made-up one is refused. */
#include "ga4-sim/api/page.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SIZE = 50, MAX_SIZE = 200, MARK = 2 };

static bool is_number(const char *s, long *out)
{
  char *end = NULL;
  *out = strtol(s, &end, 10);
  return *s != '\0' && *end == '\0' && strlen(s) < 10;
}

static bool refuse(struct reply *r, const char *message)
{
  reply_google_error(r, 400, "INVALID_ARGUMENT", message, NULL);
  return false;
}

bool page_read(const struct call *c, const char *mark, size_t total, struct page *out,
               struct reply *r)
{
  const char *text = request_query(c->request, "pageSize");
  const char *token = request_query(c->request, "pageToken");
  long size = 0, at = 0;
  if (text != NULL && (!is_number(text, &size) || size < 0))
    return refuse(r, "Invalid value at 'page_size' (TYPE_INT32)");
  if (token != NULL && token[0] != '\0' &&
      (strncmp(token, mark, MARK) != 0 || !is_number(token + MARK, &at) || at < 0 ||
       (size_t)at >= total))
    return refuse(r, "The page token is invalid.");
  size_t n = size == 0 ? DEFAULT_SIZE : size > MAX_SIZE ? MAX_SIZE : (size_t)size;
  out->from = (size_t)at;
  out->more = total - out->from > n;
  out->end = out->more ? out->from + n : total;
  return true;
}

void page_write(const struct call *c, const char *mark, const char *name, const struct page *page,
                void (*put)(const struct call *c, size_t i, struct buf *out), struct reply *r)
{
  buf_putc(&r->body, '{');
  for (size_t i = page->from; i < page->end; i++) {
    if (i == page->from)
      buf_printf(&r->body, "\"%s\":[", name);
    else
      buf_putc(&r->body, ',');
    put(c, i, &r->body);
  }
  if (page->end > page->from)
    buf_putc(&r->body, ']');
  if (page->more)
    buf_printf(&r->body, ",\"nextPageToken\":\"%s%zu\"", mark, page->end);
  buf_putc(&r->body, '}');
}
