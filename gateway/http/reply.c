/* Answers in JSON. */
#include "gateway/http/reply.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024 };

void reply_json(struct exchange *x, int status, const char *json)
{
  struct buf body = BUF_INIT(TEXT_MAX);
  buf_puts(&body, json);
  exchange_reply(x, status, REPLY_JSON_TYPE, &body);
}

void reply_error(struct exchange *x, int status, const char *text)
{
  struct buf body = BUF_INIT(TEXT_MAX);
  buf_puts(&body, "{\"error\":");
  buf_put_json_string(&body, text, strlen(text));
  buf_putc(&body, '}');
  exchange_reply(x, status, REPLY_JSON_TYPE, &body);
}

void reply_not_allowed(struct exchange *x, const char *allow, const char *text)
{
  exchange_add_header(x, "Allow", allow);
  reply_error(x, 405, text);
}

void reply_add_retry(struct exchange *x, int64_t retry_ms)
{
  char seconds[24];
  long long s = (long long)(retry_ms + 999) / 1000;
  snprintf(seconds, sizeof(seconds), "%lld", s > 1 ? s : 1);
  exchange_add_header(x, "Retry-After", seconds);
}
