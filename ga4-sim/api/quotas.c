/* getPropertyQuotasSnapshot: what is left of each category of quotas, without using any. */
#include "common/base/clock.h"
#include "ga4-sim/api/call.h"

void api_get_quotas_snapshot(const struct call *c, struct reply *r)
{
  static const char *const names[QUOTA_CATEGORIES] = {[QUOTA_CORE] = "corePropertyQuota",
                                                      [QUOTA_REALTIME] = "realtimePropertyQuota",
                                                      [QUOTA_FUNNEL] = "funnelPropertyQuota"};
  buf_printf(&r->body, "{\"name\":\"properties/%s/propertyQuotasSnapshot\"", c->property);
  for (int i = 0; i < QUOTA_CATEGORIES; i++) {
    struct quota_account books = {c->target->index, (enum quota_category)i, c->project};
    buf_printf(&r->body, ",\"%s\":", names[i]);
    quota_render(c->sim->quota, books, 0, clock_unix_ms(), &r->body);
  }
  buf_putc(&r->body, '}');
}
