/* The Admin API methods the set needs: account summaries and one property. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/api/methods.h"

static void put(struct buf *out, const char *name, const char *value)
{
  buf_printf(out, "\"%s\":", name);
  buf_put_json_string(out, value, strlen(value));
}

static void put_enum(struct buf *out, const char *name, const char *value, int number,
                     bool as_number)
{
  if (as_number)
    buf_printf(out, ",\"%s\":%d", name, number);
  else
    buf_printf(out, ",\"%s\":\"%s\"", name, value);
}

static void put_summary(const struct world_property *p, bool as_number, struct buf *out)
{
  buf_printf(out, "{\"name\":\"accountSummaries/%s\",\"account\":\"accounts/%s\",", p->account_id,
             p->account_id);
  put(out, "displayName", p->dealer_name);
  buf_printf(out, ",\"propertySummaries\":[{\"property\":\"properties/%s\",", p->id_text);
  put(out, "displayName", p->display_name);
  put_enum(out, "propertyType", "PROPERTY_TYPE_ORDINARY", 1, as_number);
  buf_printf(out, ",\"parent\":\"accounts/%s\"}]}", p->account_id);
}

static bool is_number(const char *s, long *out)
{
  char *end = NULL;
  *out = strtol(s, &end, 10);
  return *s != '\0' && *end == '\0' && strlen(s) < 10;
}

static void bad_argument(struct reply *r, const char *message)
{
  reply_google_error(r, 400, "INVALID_ARGUMENT", message, NULL);
}

/* pageSize: 0 or absent is 50, above 200 is 200. The page token is the index of the
 * next account under a mark, so a made-up one is refused. */
void admin_account_summaries(const struct world *w, int64_t identity, const struct request *q,
                             struct reply *r)
{
  static const char mark[] = "AS";
  long size = 0, at = 0;
  if (q->page_size != NULL && (!is_number(q->page_size, &size) || size < 0)) {
    bad_argument(r, "Invalid value at 'page_size' (TYPE_INT32)");
    return;
  }
  if (q->page_token != NULL && q->page_token[0] != '\0' &&
      (strncmp(q->page_token, mark, 2) != 0 || !is_number(q->page_token + 2, &at) || at < 0 ||
       at >= (long)w->property_count)) {
    bad_argument(r, "The page token is invalid.");
    return;
  }
  size = size == 0 ? 50 : size > 200 ? 200 : size;
  bool all = identity == IDENTITY_SERVICE_ACCOUNT;
  long end = all ? (long)w->property_count : (long)identity + 1;
  long from = all || at > (long)identity ? at : (long)identity;
  const char *before = "{\"accountSummaries\":[";
  long i = from;
  for (; i < end && i - from < size; i++) {
    buf_puts(&r->body, before);
    put_summary(&w->properties[i], q->enums_as_numbers, &r->body);
    before = ",";
  }
  buf_puts(&r->body, i == from ? "{" : "]");
  if (i < end)
    buf_printf(&r->body, ",\"nextPageToken\":\"%s%ld\"", mark, i);
  buf_putc(&r->body, '}');
}

void admin_property(const struct world *w, const struct world_property *p, bool enums_as_numbers,
                    struct buf *out)
{
  (void)w;
  buf_printf(out, "{\"name\":\"properties/%s\"", p->id_text);
  put_enum(out, "propertyType", "PROPERTY_TYPE_ORDINARY", 1, enums_as_numbers);
  buf_putc(out, ',');
  put(out, "createTime", p->create_time);
  buf_putc(out, ',');
  put(out, "updateTime", p->create_time);
  buf_printf(out, ",\"parent\":\"accounts/%s\",", p->account_id);
  put(out, "displayName", p->display_name);
  put_enum(out, "industryCategory", "AUTOMOTIVE", 1, enums_as_numbers);
  buf_putc(out, ',');
  put(out, "timeZone", p->time_zone);
  buf_putc(out, ',');
  put(out, "currencyCode", p->currency_code);
  put_enum(out, "serviceLevel", "GOOGLE_ANALYTICS_STANDARD", 1, enums_as_numbers);
  buf_printf(out, ",\"account\":\"accounts/%s\"}", p->account_id);
}
