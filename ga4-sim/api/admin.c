/* The Admin API: account summaries and a property. */
#include "ga4-sim/api/page.h"
#include "ga4-sim/api/put.h"

/* The first property of those the caller may read. */
static size_t first_of(const struct call *c)
{
  return c->identity >= IDENTITY_CONSENT ? c->first : c->identity < 0 ? 0 : (size_t)c->identity;
}

static void put_summary(const struct call *c, size_t i, struct buf *out)
{
  const struct world_property *p = &c->sim->world->properties[first_of(c) + i];
  buf_printf(out, "{\"name\":\"accountSummaries/%s\",\"account\":\"accounts/%s\",", p->account_id,
             p->account_id);
  put_text(out, "displayName", p->dealer_name);
  buf_printf(out, ",\"propertySummaries\":[{\"property\":\"properties/%s\",", p->id_text);
  put_text(out, "displayName", p->display_name);
  put_enum(c, out, "propertyType", "PROPERTY_TYPE_ORDINARY", 1);
  buf_printf(out, ",\"parent\":\"accounts/%s\"}]}", p->account_id);
}

void api_list_account_summaries(const struct call *c, struct reply *r)
{
  size_t total = c->identity == IDENTITY_SERVICE_ACCOUNT ? c->sim->world->property_count
                 : c->identity >= IDENTITY_CONSENT       ? c->count
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
  put_text(out, "createTime", p->create_time);
  buf_putc(out, ',');
  put_text(out, "updateTime", p->create_time);
  buf_printf(out, ",\"parent\":\"accounts/%s\",", p->account_id);
  put_text(out, "displayName", p->display_name);
  put_enum(c, out, "industryCategory", "AUTOMOTIVE", 1);
  buf_putc(out, ',');
  put_text(out, "timeZone", p->time_zone);
  buf_putc(out, ',');
  put_text(out, "currencyCode", p->currency_code);
  put_enum(c, out, "serviceLevel", "GOOGLE_ANALYTICS_STANDARD", 1);
  buf_printf(out, ",\"account\":\"accounts/%s\"}", p->account_id);
}
