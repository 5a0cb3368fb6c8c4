/* The Admin API: account summaries, a property and what belongs to it. */
#include <string.h>

#include "ga4-sim/api/page.h"

static void put(struct buf *out, const char *name, const char *value)
{
  buf_printf(out, "\"%s\":", name);
  buf_put_json_string(out, value, strlen(value));
}

/* ,"name":"VALUE", or its number when the client asked for numbers. */
static void put_enum(const struct call *c, struct buf *out, const char *name, const char *value,
                     int number)
{
  if (c->request->enums_as_numbers)
    buf_printf(out, ",\"%s\":%d", name, number);
  else
    buf_printf(out, ",\"%s\":\"%s\"", name, value);
}

/* The first property of those the caller may read. */
static size_t first_of(const struct call *c)
{
  return c->identity < 0 ? 0 : (size_t)c->identity;
}

static void put_summary(const struct call *c, size_t i, struct buf *out)
{
  const struct world_property *p = &c->sim->world->properties[first_of(c) + i];
  buf_printf(out, "{\"name\":\"accountSummaries/%s\",\"account\":\"accounts/%s\",", p->account_id,
             p->account_id);
  put(out, "displayName", p->dealer_name);
  buf_printf(out, ",\"propertySummaries\":[{\"property\":\"properties/%s\",", p->id_text);
  put(out, "displayName", p->display_name);
  put_enum(c, out, "propertyType", "PROPERTY_TYPE_ORDINARY", 1);
  buf_printf(out, ",\"parent\":\"accounts/%s\"}]}", p->account_id);
}

void api_list_account_summaries(const struct call *c, struct reply *r)
{
  size_t total = c->identity == IDENTITY_SERVICE_ACCOUNT ? c->sim->world->property_count
                 : c->identity >= 0                      ? 1
                                                         : 0;
  struct page page;
  if (page_read(c, "AS", total, &page, r))
    page_write(c, "AS", "accountSummaries", &page, put_summary, r);
}

void api_get_property(const struct call *c, struct reply *r)
{
  const struct world_property *p = c->target;
  struct buf *out = &r->body;
  buf_printf(out, "{\"name\":\"properties/%s\"", p->id_text);
  put_enum(c, out, "propertyType", "PROPERTY_TYPE_ORDINARY", 1);
  buf_putc(out, ',');
  put(out, "createTime", p->create_time);
  buf_putc(out, ',');
  put(out, "updateTime", p->create_time);
  buf_printf(out, ",\"parent\":\"accounts/%s\",", p->account_id);
  put(out, "displayName", p->display_name);
  put_enum(c, out, "industryCategory", "AUTOMOTIVE", 1);
  buf_putc(out, ',');
  put(out, "timeZone", p->time_zone);
  buf_putc(out, ',');
  put(out, "currencyCode", p->currency_code);
  put_enum(c, out, "serviceLevel", "GOOGLE_ANALYTICS_STANDARD", 1);
  buf_printf(out, ",\"account\":\"accounts/%s\"}", p->account_id);
}

/* Google's ids of an element are numbers of its own; ours follow from property and position. */
static unsigned long long element_id(const struct call *c, size_t i)
{
  return (unsigned long long)c->target->property_id * 100 + i + 1;
}

static void put_key_event(const struct call *c, size_t i, struct buf *out)
{
  const struct world_property *p = c->target;
  buf_printf(out, "{\"name\":\"properties/%s/keyEvents/%llu\",", p->id_text, element_id(c, i));
  put(out, "eventName", p->key_events[i].name);
  buf_putc(out, ',');
  put(out, "createTime", p->create_time);
  buf_puts(out, ",\"deletable\":true,\"custom\":true");
  put_enum(c, out, "countingMethod", "ONCE_PER_EVENT", 1);
  buf_putc(out, '}');
}

void api_list_key_events(const struct call *c, struct reply *r)
{
  struct page page;
  if (page_read(c, "KE", c->target->key_event_count, &page, r))
    page_write(c, "KE", "keyEvents", &page, put_key_event, r);
}
