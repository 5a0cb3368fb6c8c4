/* Pages of lists. A cursor is base64url of "<list>:<number of entries before>", so that nobody
 * counts on its form. */
#include "gateway/mcp/cursor.h"

#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "gateway/mcp/internal.h"

/* False for anything that put_cursor() did not make. */
static bool read_cursor(const cJSON *cursor, const char *list, size_t n, size_t *start)
{
  *start = 0;
  bool empty = cJSON_IsString(cursor) && cursor->valuestring[0] == '\0';
  if (cursor == NULL || cJSON_IsNull(cursor) || empty) /* clients send all three for "none" */
    return true;
  struct buf text AUTO_BUF = BUF_INIT(64);
  if (!cJSON_IsString(cursor) ||
      !base64_decode(&text, cursor->valuestring, strlen(cursor->valuestring)))
    return false;
  for (size_t i = 1; i < n; i++) {
    char made[48];
    snprintf(made, sizeof(made), "%s:%zu", list, i);
    if (strcmp(buf_str(&text), made) == 0) {
      *start = i;
      return true;
    }
  }
  return false;
}

struct mcp_page mcp_page_at(const char *list, size_t n, size_t start, size_t size)
{
  return (struct mcp_page){
      .list = list, .start = start, .end = n - start < size ? n : start + size, .n = n};
}

bool mcp_page_read(struct mcp_page *page, struct mcp_call *call, const char *list, size_t n)
{
  size_t start;
  if (!read_cursor(cJSON_GetObjectItemCaseSensitive(call->params, "cursor"), list, n, &start)) {
    mcp_call_error(call, JSONRPC_INVALID_PARAMS,
                   "params.cursor is not one of this server: start again without a cursor", NULL);
    return false;
  }
  *page = mcp_page_at(list, n, start, call->exchange->server->options.page_size);
  return true;
}

void mcp_page_put_next(struct buf *out, const struct mcp_page *page)
{
  char text[48];
  if (page->end >= page->n)
    return;
  int len = snprintf(text, sizeof(text), "%s:%zu", page->list, page->end);
  buf_puts(out, ",\"nextCursor\":\"");
  base64url_encode(out, text, (size_t)len);
  buf_putc(out, '"');
}
