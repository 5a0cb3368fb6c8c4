/* The Admin API: account summaries and a property. */
#include <string.h>

#include "ga4-sim/api/page.h"

void admin_put(struct buf *out, const char *name, const char *value)
{
  buf_printf(out, "\"%s\":", name);
  buf_put_json_string(out, value, strlen(value));
}

void admin_put_enum(const struct call *c, struct buf *out, const char *name, const char *value,
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
  admin_put(out, "displayName", p->dealer_name);
  buf_printf(out, ",\"propertySummaries\":[{\"property\":\"properties/%s\",", p->id_text);
  admin_put(out, "displayName", p->display_name);
  admin_put_enum(c, out, "propertyType", "PROPERTY_TYPE_ORDINARY", 1);
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
  admin_put_enum(c, out, "propertyType", "PROPERTY_TYPE_ORDINARY", 1);
  buf_putc(out, ',');
  admin_put(out, "createTime", p->create_time);
  buf_putc(out, ',');
  admin_put(out, "updateTime", p->create_time);
  buf_printf(out, ",\"parent\":\"accounts/%s\",", p->account_id);
  admin_put(out, "displayName", p->display_name);
  admin_put_enum(c, out, "industryCategory", "AUTOMOTIVE", 1);
  buf_putc(out, ',');
  admin_put(out, "timeZone", p->time_zone);
  buf_putc(out, ',');
  admin_put(out, "currencyCode", p->currency_code);
  admin_put_enum(c, out, "serviceLevel", "GOOGLE_ANALYTICS_STANDARD", 1);
  buf_printf(out, ",\"account\":\"accounts/%s\"}", p->account_id);
}
