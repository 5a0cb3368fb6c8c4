/* The comparisons that every property has, and those of a request. */
#include "ga4-sim/report/comparisons.h"

#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/report/checks.h"

const struct stock_comparison stock_comparisons[] = {
    {"comparisons/allUsers", "All Users", "Includes all your data.", NULL},
    {"comparisons/directTraffic", "Direct traffic", "Sessions acquired directly.",
     "s.channel='Direct'"},
    {"comparisons/emailSmsAndPushNotificationsTraffic", "Email, SMS & push notifications traffic",
     "Sessions acquired via emails, SMS or push notifications.",
     "s.channel IN ('Email','SMS','Mobile Push Notifications')"},
    {"comparisons/mobileTraffic", "Mobile traffic", "Traffic on mobile phones.",
     "s.device='mobile'"},
    {"comparisons/organicTraffic", "Organic traffic", "Sessions acquired via organic channels.",
     "substr(s.channel,1,8)='Organic '"},
    {"comparisons/paidTraffic", "Paid traffic", "Sessions acquired via paid channels.",
     "(substr(s.channel,1,5)='Paid ' OR s.channel IN ('Cross-network','Display'))"},
    {"comparisons/referralAndAffiliatesTraffic", "Referral & affiliates traffic",
     "Sessions acquired via referrals or affiliates.", "s.channel IN ('Referral','Affiliates')"},
    {"comparisons/tabletTraffic", "Tablet traffic", "Traffic on tablets.", "s.device='tablet'"},
    {"comparisons/webTraffic", "Web traffic", "Traffic on desktops.", "s.device='desktop'"},
};
const size_t stock_comparison_count = ARRAY_LEN(stock_comparisons);

static enum err_code read_stock(struct reader *x, const char *resource,
                                struct request_comparison *out)
{
  for (size_t i = 0; i < stock_comparison_count; i++)
    if (strcmp(stock_comparisons[i].resource, resource) == 0) {
      if (out->name[0] == '\0')
        out->name = stock_comparisons[i].ui_name;
      out->sql = stock_comparisons[i].sql;
      return ERR_OK;
    }
  return request_invalid(x->e, "Comparison %s was not found in this property.", resource);
}

enum err_code check_comparisons(struct reader *x)
{
  struct report_request *r = x->r;
  const cJSON *c;
  cJSON_ArrayForEach(c, member(x->tree, "comparisons"))
  {
    if (r->comparison_count == REQUEST_MAX_COMPARISONS)
      return request_invalid(x->e, "Requests are limited to %d comparisons.",
                             REQUEST_MAX_COMPARISONS);
    struct request_comparison *out = &r->comparisons[r->comparison_count];
    out->name = text_of(c, "name");
    const char *resource = text_of(c, "comparison");
    enum err_code code = resource[0] != '\0' ? read_stock(x, resource, out)
                                             : filter_compile(r, member(c, "dimensionFilter"),
                                                              false, &out->sql, x->e);
    if (code != ERR_OK)
      return code;
    if (out->name[0] == '\0')
      out->name = arena_printf(r->arena, "comparison_%zu", r->comparison_count);
    r->comparison_count++;
  }
  return ERR_OK;
}
